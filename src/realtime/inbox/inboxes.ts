import { decodeCursor, encodeCursor } from '../../domain/inbox/inbox.ts';
import type { Cursor, Happening, InboxEvent, InboxPage, Signal } from '../../domain/inbox/inbox.ts';
import type { Viewer } from '../../domain/session/session.ts';
import { Fault } from '../../lib/fault.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { reachesBack } from './inbox-log.ts';
import type { LogHead } from './log-head.ts';
import { InboxStream } from './inbox-stream.ts';
import type { InboxItem, InboxStreamDeps } from './inbox-stream.ts';
import type { LargeGroup } from '../conversation/large-groups.ts';
import type { Telling } from '../pulled.ts';

export interface InboxesDeps extends Omit<InboxStreamDeps, 'onClosed'> {
  readonly log: Logger;
  readonly limits: InboxStreamDeps['limits'] & {
    readonly heartbeatQuietMs: number;
    readonly heartbeatTickMs: number;
    readonly inboxTouchMs: number;
    readonly inboxPullEventsMax: number;
  };
}

/** The inboxes that are open on this node, and the pull form of any. */
export class Inboxes implements Lifecycle {
  readonly #deps: InboxesDeps;
  readonly #open = new Map<InboxStream, { touchedAtMs: number }>();
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;

  constructor(deps: InboxesDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#beating ??= this.#beat().finally(() => {
        this.#beating = null;
      });
    }, this.#deps.limits.heartbeatTickMs);
    return Promise.resolve();
  }

  /** Ends every stream. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    for (const stream of this.#open.keys()) stream.close();
    this.#open.clear();
    await this.#beating;
  }

  /**
   * A user's inbox from a cursor on; null: from now on. To be closed by whoever opened it.
   * @throws {Fault} INVALID_ARGUMENT for a cursor that is malformed or another's.
   */
  async open(viewer: Viewer, after: string | null): Promise<InboxStream> {
    const cursor = after === null ? null : decodeCursor(after, viewer.userId);
    const stream = new InboxStream(viewer, {
      ...this.#deps,
      onClosed: () => this.#open.delete(stream),
    });
    this.#open.set(stream, { touchedAtMs: this.#deps.clock.now() });
    await stream.start(cursor);
    return stream;
  }

  /** The present head as a page without events, and when it is taken: what is read from then on is as new. */
  head({ userId }: Viewer): { taken: Promise<unknown>; page: Promise<InboxPage> } {
    // Before the head is read: what happens meanwhile is told again rather than not at all.
    const atMs = this.#deps.clock.now();
    const { taken, opened } = this.#deps.inboxLog.opening(userId);
    const page = opened.then((head) => {
      return { events: [], endCursor: encodeCursor(positionOf(head, atMs)), hasMore: false };
    });
    return { taken, page };
  }

  /**
   * Up to `first` events after a cursor; without one, none and the present head.
   * @throws {Fault} INVALID_ARGUMENT
   */
  async page(viewer: Viewer, after: string | null, first: number): Promise<InboxPage> {
    const { inboxLog, reader, clock, limits } = this.#deps;
    if (first < 0 || first > limits.inboxPullEventsMax) {
      throw new Fault('INVALID_ARGUMENT', `first is 0 to ${limits.inboxPullEventsMax}.`);
    }
    if (after === null) return this.head(viewer).page;
    const { userId } = viewer;
    const cursor = decodeCursor(after, userId);
    // As in `head`.
    const nowMs = clock.now();
    const head = await inboxLog.open(userId);
    const end = positionOf(head, nowMs);
    if (!reachesBack(head, cursor, nowMs - limits.inboxLogAgeMaxMs)) return resetPage(end);
    const page = await reader.page(viewer, cursor, first);
    if (!page) return resetPage(end);
    const hasMore = page.position < head.lastOffset;
    const events = page.events.map(({ offset, atMs, happening }) =>
      // Until the end is reached large groups are told from where this began.
      eventAt(happening, atMs, encodeCursor({ ...cursor, offset })),
    );
    if (hasMore) {
      const endCursor = encodeCursor({ ...cursor, offset: page.position });
      return { events, endCursor, hasMore };
    }
    const reached = { ...cursor, offset: page.position };
    const toldAtMs = cursor.told?.atMs ?? nowMs;
    const groups = await this.#movedSince(userId, cursor);
    const now = groups.slice(0, first - events.length);
    const isLast = now.length === groups.length;
    const final = { ...end, offset: page.position, atMs: toldAtMs };
    const notices = now.map((group, index) => {
      // Who stops after this one goes on with the next.
      const told = { conversationId: group.conversationId, atMs: toldAtMs };
      const isEnd = isLast && index === now.length - 1;
      return noticeOf(group, encodeCursor(isEnd ? final : { ...reached, told }));
    });
    const endCursor = isLast ? encodeCursor(final) : notices.at(-1)?.cursor;
    return {
      events: [...events, ...notices],
      endCursor: endCursor ?? encodeCursor(reached),
      hasMore: !isLast,
    };
  }

  /** The large groups that moved since the cursor was given and are not told yet, in the order of their ids. */
  async #movedSince(userId: bigint, { atMs, told }: Cursor): Promise<LargeGroup[]> {
    const { largeGroups, limits } = this.#deps;
    const groups = await largeGroups.of(userId);
    return groups
      .filter(
        ({ conversationId, movedAtMs }) =>
          movedAtMs >= atMs - limits.sinceOverlapMs &&
          (!told || conversationId > told.conversationId),
      )
      .sort((one, other) => (one.conversationId < other.conversationId ? -1 : 1));
  }

  /** Tells the quiet ones the head, so that a lost last event is noticed; and that their logs are read. */
  async #beat(): Promise<void> {
    const { clock, limits, inboxLog, log } = this.#deps;
    const now = clock.now();
    // A clock that was set back meanwhile makes nothing fresh.
    const isLongAgo = (atMs: number, ms: number): boolean => Math.abs(now - atMs) >= ms;
    const quiet = [...this.#open.keys()].filter(
      (stream) => stream.isLive && isLongAgo(stream.lastToldMs, limits.heartbeatQuietMs),
    );
    const byUser = new Map<bigint, InboxStream[]>();
    for (const stream of quiet) {
      const { userId } = stream.viewer;
      byUser.set(userId, [...(byUser.get(userId) ?? []), stream]);
    }
    const stale = [...this.#open].filter(([, { touchedAtMs }]) =>
      isLongAgo(touchedAtMs, limits.inboxTouchMs),
    );
    try {
      await inboxLog.tellHeads([...byUser.keys()], (userId, head) => {
        for (const stream of byUser.get(userId) ?? []) stream.beat(head);
      });
      await inboxLog.touch([...new Set(stale.map(([{ viewer }]) => viewer.userId))]);
      for (const [, state] of stale) state.touchedAtMs = now;
    } catch (error) {
      log.warn({ err: error }, 'inbox.beat_failed');
    }
  }
}

/** What a subscriber gets: the same for all whom it is told to, but for the cursor. */
export const inboxTelling: Telling<InboxItem, InboxEvent> = {
  shareKey: ({ event }) => (event.kind === 'InboxReset' ? null : event),
  cursorOf: ({ position }) => encodeCursor(position),
  eventOf: ({ event, atMs }, cursor) => eventAt(event, atMs, cursor),
  replyToSeq: ({ event }) => ('message' in event ? event.message.replyToSeq : null),
};

/**
 * With the copy last: V8 gives each object that begins with one, and has more, a hidden class of its own, which costs 5 µs
 * and is garbage of the old generation.
 */
export function eventAt(event: Happening | Signal, atMs: number, cursor: string): InboxEvent {
  return { atMs, cursor, ...event };
}

function positionOf({ userId, epoch, lastOffset }: LogHead, atMs: number): Cursor {
  return { userId, epoch, offset: lastOffset, atMs };
}

function resetPage(head: Cursor): InboxPage {
  const cursor = encodeCursor(head);
  return {
    events: [{ kind: 'InboxReset', cursor, atMs: head.atMs }],
    endCursor: cursor,
    hasMore: false,
  };
}

function noticeOf(
  { conversationId, lastSeq, changeSeq, movedAtMs }: LargeGroup,
  cursor: string,
): InboxEvent {
  return {
    kind: 'ConversationAdvanced',
    conversationId,
    lastSeq,
    changeSeq,
    isLarge: true,
    atMs: movedAtMs,
    cursor,
  };
}
