import type { Cursor, Happening, Signal } from '../../domain/inbox/inbox.ts';
import type { Viewer } from '../../domain/session/session.ts';
import type { Clock } from '../../lib/clock.ts';
import { reachesBack, type InboxLog } from './inbox-log.ts';
import { KnownHead } from './known-head.ts';
import type { LogHead } from './log-head.ts';
import type { InboxReader, Replayed } from './inbox-reader.ts';
import { GroupWatch } from '../conversation/group-watch.ts';
import type { LargeGroups } from '../conversation/large-groups.ts';
import type { Paced, Source } from '../pulled.ts';
import { ReadLoop } from '../read-loop.ts';
import type { Delivery, Router } from './router.ts';
import { PassedOver } from './passed-over.ts';
import { ShownStates } from './shown-states.ts';
import { heartbeatAt } from './signals.ts';

/** An event of the inbox, and the position that its cursor names. */
export interface InboxItem extends Paced {
  readonly event: Happening | Signal;
  readonly atMs: number;
  readonly position: Cursor;
}

export interface InboxStreamDeps {
  readonly inboxLog: InboxLog;
  readonly reader: InboxReader;
  readonly router: Router;
  readonly largeGroups: LargeGroups;
  readonly clock: Clock;
  readonly onClosed: () => void;
  readonly limits: {
    readonly inboxReplayPageEvents: number;
    readonly inboxLogAgeMaxMs: number;
    readonly streamQueueEventsMax: number;
    readonly sinceOverlapMs: number;
  };
}

type Mode = 'reading' | 'live' | 'closed';

/**
 * A user's inbox as one subscription sees it: replay, then live, without gap or repeat.
 *
 * Its position is the offset of the last event that it took in. Live deliveries that follow on it go straight through; those that
 * come while it reads the log wait in a bounded queue; and wherever the two do not meet (a jump, a queue that overflowed, a
 * reader that was too slow) the log is read again. So nothing that is dropped here is lost.
 */
export class InboxStream implements Source<InboxItem> {
  readonly viewer: Viewer;
  readonly #deps: InboxStreamDeps;
  #mode: Mode = 'reading';
  #ready: InboxItem[] = [];
  #live: Delivery[] = [];
  #epoch = 0n;
  #offset = 0n;
  readonly #head: KnownHead;
  /** Everything up to then has been told. */
  #toldAtMs = 0;
  /** What large groups did since then is not told yet; null: it is. */
  #noticesSinceMs: number | null = null;
  /** Whether the end of what is being read is to be told. */
  #owesHeartbeat = true;
  readonly #shown = new ShownStates();
  readonly #passedOver = new PassedOver();
  readonly #groups: GroupWatch;
  readonly #reading = new ReadLoop({
    isWanted: () => this.#mode === 'reading' && this.#ready.length === 0,
    step: () => this.#readStep(),
    onFailure: (error) => this.#fail(error),
  });
  #onReady: () => void = () => undefined;
  #failure: { readonly error: unknown } | null = null;
  /** When it last told anything, in ms of the clock. */
  lastToldMs = 0;

  constructor(viewer: Viewer, deps: InboxStreamDeps) {
    this.viewer = viewer;
    this.#deps = deps;
    this.#head = new KnownHead(deps.inboxLog, viewer.userId);
    this.#groups = new GroupWatch(viewer.userId, deps.largeGroups, () => {
      if (this.#mode === 'live') this.#tellNotices();
    });
  }

  /** The position that it has taken in. */
  get offset(): bigint {
    return this.#offset;
  }

  get isLive(): boolean {
    return this.#mode === 'live';
  }

  get isClosed(): boolean {
    return this.#mode === 'closed';
  }

  /** @param after null: from now on. */
  async start(after: Cursor | null): Promise<void> {
    const { router, clock, limits } = this.#deps;
    // From before the head is read on, nothing can happen that is in neither.
    const isRouted = router.add(this.viewer.userId, this);
    const head = await isRouted
      .then(() => this.#head.open(after, limits.inboxReplayPageEvents))
      .catch((error: unknown) => {
        this.close();
        throw error;
      });
    this.#epoch = head.epoch;
    this.#toldAtMs = clock.now();
    this.#shown.begin(this.#toldAtMs);
    this.lastToldMs = clock.now();
    if (!after) {
      this.#offset = head.lastOffset;
      this.#noticesSinceMs = this.#toldAtMs;
    } else if (reachesBack(head, after, clock.now() - limits.inboxLogAgeMaxMs)) {
      this.#offset = after.offset;
      this.#toldAtMs = after.atMs;
      this.#noticesSinceMs = after.atMs;
    } else {
      this.#reset(head);
    }
    this.#readMore();
  }

  /** What comes next, if it is there already. */
  take(): InboxItem | null {
    let item = this.#ready.shift() ?? null;
    while (item && this.#passedOver.hides(item.event)) item = this.#ready.shift() ?? null;
    if (item) this.lastToldMs = this.#deps.clock.now();
    this.#readMore();
    return item;
  }

  passedOver({ event }: InboxItem): void {
    this.#passedOver.add(event);
  }

  /** Throws what made it end, where it did not end by itself. */
  rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Calls back whenever `take` may have something, or it has closed. One listener. */
  onReady(listener: () => void): void {
    this.#onReady = listener;
  }

  deliver(delivery: Delivery): void {
    if (this.#mode === 'live') {
      this.#accept(delivery);
    } else if (this.#mode === 'reading') {
      if (this.#live.length >= this.#deps.limits.streamQueueEventsMax) {
        this.#live = [];
        this.#head.doubt();
      }
      this.#live.push(delivery);
    }
  }

  /** The head as the log has it: where it is beyond what came live, the rest is read; else it is told. */
  beat(head: LogHead | undefined): void {
    if (this.#mode !== 'live' || this.#ready.length > 0) return;
    if (!head || head.epoch !== this.#epoch || head.lastOffset > this.#offset) {
      this.#readOn();
      return;
    }
    this.#toldAtMs = this.#deps.clock.now();
    this.#push(heartbeatAt(this.#toldAtMs), this.#toldAtMs, false);
  }

  recheck(): void {
    if (this.#mode === 'live') this.#readOn();
    else this.#head.doubt();
  }

  /** Ends it; idempotent. */
  close(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#deps.router.remove(this.viewer.userId, this);
    this.#groups.stop();
    this.#reading.stop();
    this.#ready = [];
    this.#live = [];
    this.#deps.onClosed();
    this.#onReady();
  }

  #accept({ epoch, offset, atMs, joinedSeq, happening }: Delivery): void {
    if (epoch === this.#epoch && offset <= this.#offset) return;
    const isNext = epoch === this.#epoch && offset === this.#offset + 1n;
    const isTooMuch = this.#ready.length >= this.#deps.limits.streamQueueEventsMax;
    if (!isNext || isTooMuch || this.#shown.mayBeNewer(happening, atMs)) {
      this.#readOn();
      return;
    }
    this.#offset = offset;
    this.#toldAtMs = Math.max(this.#toldAtMs, atMs);
    this.#groups.observe(happening);
    this.#shown.note(happening);
    this.#push(happening, atMs, false, joinedSeq);
  }

  #tellNotices(): void {
    for (const { advance, atMs } of this.#groups.take()) {
      this.#toldAtMs = Math.max(this.#toldAtMs, atMs);
      this.#push(advance, atMs, false);
    }
  }

  #push(event: InboxItem['event'], atMs: number, isReplay: boolean, joinedSeq = 0): void {
    const { userId } = this.viewer;
    const position = { userId, epoch: this.#epoch, offset: this.#offset, atMs: this.#toldAtMs };
    this.#ready.push({ event, atMs, position, isReplay, joinedSeq });
    this.#onReady();
  }

  /** The log cannot go on from where this was: it goes on from the head. */
  #reset(head: LogHead): void {
    if (this.isClosed) return;
    this.#epoch = head.epoch;
    this.#offset = head.lastOffset;
    this.#head.takeFirst();
    this.#toldAtMs = this.#deps.clock.now();
    this.#noticesSinceMs = this.#toldAtMs;
    this.#push({ kind: 'InboxReset' }, this.#toldAtMs, true);
  }

  /** Live and log do not meet: the log tells what is missing, once what is ready has been taken. */
  #readOn(): void {
    this.#mode = 'reading';
    this.#head.doubt();
    this.#noticesSinceMs ??= this.#toldAtMs;
    this.#readMore();
  }

  /** More is read only when what is ready has been taken. */
  #readMore(): void {
    if (this.#mode === 'reading' && this.#ready.length === 0) this.#reading.run();
  }

  #fail(error: unknown): void {
    if (this.isClosed) return;
    this.#failure = { error };
    this.close();
  }

  async #readStep(): Promise<void> {
    const head = await this.#head.get();
    if (this.isClosed) return;
    const isWhole = head.epoch === this.#epoch && head.trimmedOffset <= this.#offset;
    if (!isWhole || this.#offset > head.lastOffset) {
      this.#reset(head);
    } else if (this.#offset < head.lastOffset) {
      await this.#readPage();
    } else if (this.#noticesSinceMs !== null) {
      const sinceMs = this.#noticesSinceMs - this.#deps.limits.sinceOverlapMs;
      await this.#groups.refresh(sinceMs, () => !this.isClosed);
      this.#noticesSinceMs = null;
    } else if (this.#head.isSure) {
      this.#goLive();
    }
  }

  async #readPage(): Promise<void> {
    const { reader, limits } = this.#deps;
    const after = { epoch: this.#epoch, offset: this.#offset };
    const first = this.#head.takeFirst();
    const page = await reader.page(this.viewer, after, limits.inboxReplayPageEvents, first);
    if (this.isClosed) return;
    // There is less than the head says: it is another log's by now, or something was lost.
    if (!page || page.position === this.#offset) this.#head.doubt();
    if (page) this.#putPage(page.events, page.position);
    else this.#reset(await this.#head.read());
  }

  #putPage(events: readonly Replayed[], position: bigint): void {
    for (const { offset, atMs, happening, joinedSeq } of events) {
      this.#offset = offset;
      this.#shown.note(happening);
      this.#push(happening, atMs, true, joinedSeq);
    }
    this.#offset = position;
    this.#head.reached(position);
  }

  #goLive(): void {
    this.#mode = 'live';
    this.#tellNotices();
    if (this.#owesHeartbeat) {
      this.#owesHeartbeat = false;
      this.#toldAtMs = this.#deps.clock.now();
      this.#push(heartbeatAt(this.#toldAtMs), this.#toldAtMs, false);
    }
    const waiting = this.#live;
    this.#live = [];
    for (const delivery of waiting) this.deliver(delivery);
  }
}
