import { faultOf } from '../../lib/fault.ts';
import type { Conversations, Membership } from '../../domain/conversation/conversation.ts';
import type { ConversationEvent } from '../../domain/inbox/inbox.ts';
import type { Messages } from '../../domain/message/message.ts';
import type { Viewer } from '../../domain/session/session.ts';
import type { Message } from '../../domain/timeline/timeline.ts';
import { checkPosition, type ConversationPosition } from './conversation-position.ts';
import type { Follower, Followers } from './followers.ts';
import { nextEventNo, type News } from './news.ts';
import type { Paced, Source, Telling } from '../pulled.ts';
import { ReadLoop } from '../read-loop.ts';

export interface ConversationStreamDeps {
  readonly conversations: Pick<Conversations, 'enter' | 'enterOrFault'>;
  readonly messages: Pick<Messages, 'page' | 'changes'>;
  readonly followers: Followers;
  readonly limits: { readonly pageMessagesMax: number; readonly streamQueueEventsMax: number };
}

/** An event of a conversation for one who follows it. */
export interface ConversationItem extends Paced {
  readonly event: ConversationEvent;
}

/** What a follower gets: the same for all. */
export const conversationTelling: Telling<ConversationItem, ConversationEvent> = {
  shareKey: ({ event, isReplay }) => (isReplay || !('message' in event) ? null : event.message),
  cursorOf: () => '',
  eventOf: ({ event }) => event,
  replyToSeq: ({ event }) => ('message' in event ? event.message.replyToSeq : null),
};

/**
 * One conversation's timeline as a subscription sees it: messages after a seq, changes after a changeSeq, then live.
 *
 * Contiguous seq and changeSeq take the place of a log: a jump means that the timeline is read. In the replay the added
 * come first, then the changed among those that the client had; what it got as new is not told as changed as well.
 */
export class ConversationStream implements Source<ConversationItem>, Follower {
  readonly viewer: Viewer;
  readonly #conversationId: bigint;
  readonly #deps: ConversationStreamDeps;
  #mode: 'reading' | 'live' | 'closed' = 'reading';
  #joinedSeq = 1;
  #seq = 0;
  #changeSeq = 0;
  /** Changes up to here concern only messages up to `#keptSeq`: the later ones were just told as new. */
  #toChangeSeq = 0;
  #keptSeq = 0;
  /** By seq: what was told as new with a change later than `#toChangeSeq`, and which; until it is live. */
  readonly #shown = new Map<number, number>();
  /** What happened before this eventNo is taken in. */
  #nextEventNo = 0;
  #ready: ConversationItem[] = [];
  #live: News[] = [];
  #liveEvents = 0;
  /** How often live events were dropped, to be read instead. */
  #overflows = 0;
  #hasCaughtUp = false;
  #failure: { readonly error: unknown } | null = null;
  readonly #reading = new ReadLoop({
    isWanted: () => this.#mode === 'reading' && this.#ready.length === 0,
    step: () => this.#readStep(),
    onFailure: (error) => this.#fail(error),
  });
  #onReady: () => void = () => undefined;

  constructor(viewer: Viewer, conversationId: bigint, deps: ConversationStreamDeps) {
    this.viewer = viewer;
    this.#conversationId = conversationId;
    this.#deps = deps;
  }

  get userId(): bigint {
    return this.viewer.userId;
  }

  get isClosed(): boolean {
    return this.#mode === 'closed';
  }

  /** @throws {Fault} NOT_FOUND, INVALID_ARGUMENT */
  async start(from: ConversationPosition): Promise<void> {
    // From before the head is read on, nothing can happen that is in neither.
    const isTold = this.#deps.followers.add(this.#conversationId, this);
    try {
      await isTold;
      const { head, member } = await this.#deps.conversations.enterOrFault(
        this.viewer,
        this.#conversationId,
      );
      checkPosition(from, head);
      this.#seq = from.afterSeq ?? head.lastSeq;
      this.#changeSeq = from.afterChangeSeq ?? head.changeSeq;
      this.#joinedSeq = member.joinedSeq;
      this.#keptSeq = this.#seq;
      this.#toChangeSeq = head.changeSeq;
    } catch (error) {
      this.close();
      throw error;
    }
    this.#readMore();
  }

  take(): ConversationItem | null {
    const item = this.#ready.shift() ?? null;
    this.#readMore();
    return item;
  }

  onReady(listener: () => void): void {
    this.#onReady = listener;
  }

  rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }

  heard(news: News): void {
    if (this.#mode === 'live') {
      this.#accept(news);
    } else if (this.#mode === 'reading') {
      if (this.#liveEvents >= this.#deps.limits.streamQueueEventsMax) {
        this.#live = [];
        this.#liveEvents = 0;
        this.#overflows += 1;
      }
      this.#live.push(news);
      this.#liveEvents += nextEventNo(news) - news.part.firstEventNo;
    }
  }

  recheck(): void {
    if (this.#mode === 'live') this.#readOn();
  }

  close(): void {
    this.#ready = [];
    this.#end();
  }

  /** What is ready may still be taken. */
  #end(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#live = [];
    this.#reading.stop();
    this.#deps.followers.remove(this.#conversationId, this);
    this.#onReady();
  }

  #accept(news: News): void {
    const { firstEventNo, items } = news.part;
    const next = nextEventNo(news);
    if (next <= this.#nextEventNo) return;
    // What is missing may be that the viewer was removed: the timeline is read with their right.
    const isNext = firstEventNo <= this.#nextEventNo;
    if (!isNext || this.#ready.length >= this.#deps.limits.streamQueueEventsMax) {
      this.#readOn();
      return;
    }
    this.#nextEventNo = next;
    for (const item of items) {
      if (item.kind === 'removed' && item.userIds.includes(this.userId)) return this.#end();
      if (!this.#acceptItem(item, news.messages)) return this.#readOn();
    }
  }

  /** @returns whether all of it could be told. */
  #acceptItem(item: News['part']['items'][number], messages: News['messages']): boolean {
    if (item.kind === 'added') {
      for (let seq = item.firstSeq; seq < item.firstSeq + item.count; seq += 1) {
        if (seq <= this.#seq) continue;
        const message = messages.get(seq);
        if (!message || seq > this.#seq + 1) return false;
        this.#seq = seq;
        this.#push({ kind: 'ConversationMessageAdded', message }, false);
      }
    } else if (item.kind === 'changed' && item.changeSeq > this.#changeSeq) {
      const message = messages.get(item.seq);
      if (!message || item.changeSeq > this.#changeSeq + 1) return false;
      this.#changeSeq = item.changeSeq;
      this.#pushChange(message, item.changeSeq, false);
    }
    return true;
  }

  /** A change of a message from before the viewer's joining moves the position alone. */
  #pushChange(message: Message, changeSeq: number, isReplay: boolean): void {
    if (message.seq < this.#joinedSeq) return;
    this.#push({ kind: 'ConversationMessageChanged', message, changeSeq }, isReplay);
  }

  #push(event: ConversationEvent, isReplay: boolean): void {
    this.#ready.push({ event, isReplay, joinedSeq: this.#joinedSeq });
    this.#onReady();
  }

  #readOn(): void {
    this.#mode = 'reading';
    this.#keptSeq = this.#seq;
    this.#toChangeSeq = this.#changeSeq;
    this.#readMore();
  }

  /** More is read only when what is ready has been taken. */
  #readMore(): void {
    if (this.#mode === 'reading' && this.#ready.length === 0) this.#reading.run();
  }

  #fail(error: unknown): void {
    // Left meanwhile: what was read while they could see it may still be taken.
    if (faultOf(error)?.code === 'NOT_FOUND') return this.#end();
    if (this.isClosed) return;
    this.#failure = { error };
    this.close();
  }

  async #readStep(): Promise<void> {
    const overflows = this.#overflows;
    const membership = await this.#deps.conversations.enter(this.viewer, this.#conversationId);
    if (this.isClosed) return;
    if (!membership) {
      this.#end();
      return;
    }
    const { head, member } = membership;
    this.#joinedSeq = member.joinedSeq;
    this.#seq = Math.max(this.#seq, member.joinedSeq - 1);
    if (this.#seq < head.lastSeq) await this.#readAdded(membership);
    else if (this.#changeSeq < head.changeSeq) await this.#readChanged(membership);
    else if (this.#overflows === overflows) this.#goLive(head.eventNo + 1);
  }

  async #readAdded(membership: Membership): Promise<void> {
    const first = this.#deps.limits.pageMessagesMax;
    const { messages } = await this.#deps.messages.page(membership, {
      first,
      after: String(this.#seq),
      last: null,
      before: null,
    });
    if (this.isClosed) return;
    const last = messages.at(-1);
    // Nobody shows a page to one who has just left.
    if (!last) return;
    this.#seq = last.seq;
    for (const message of messages) {
      if (message.changeSeq > this.#toChangeSeq) this.#shown.set(message.seq, message.changeSeq);
      this.#push({ kind: 'ConversationMessageAdded', message }, true);
    }
  }

  async #readChanged(membership: Membership): Promise<void> {
    const first = this.#deps.limits.pageMessagesMax;
    const page = await this.#deps.messages.changes(membership, this.#changeSeq, first);
    if (this.isClosed) return;
    this.#changeSeq = page.endChangeSeq;
    for (const message of page.messages) {
      if (!this.#wasToldAsNew(message)) this.#pushChange(message, message.changeSeq, true);
    }
  }

  /** With this change in it. */
  #wasToldAsNew({ seq, changeSeq }: Message): boolean {
    if (seq <= this.#keptSeq) return false;
    return changeSeq <= (this.#shown.get(seq) ?? this.#toChangeSeq);
  }

  #goLive(nextEventNo: number): void {
    this.#mode = 'live';
    this.#nextEventNo = nextEventNo;
    this.#deps.followers.begin(this.#conversationId, nextEventNo);
    this.#keptSeq = this.#seq;
    this.#shown.clear();
    if (!this.#hasCaughtUp) {
      this.#hasCaughtUp = true;
      const position = { lastSeq: this.#seq, changeSeq: this.#changeSeq };
      this.#push({ kind: 'ConversationCaughtUp', ...position }, false);
    }
    const waiting = this.#live;
    this.#live = [];
    this.#liveEvents = 0;
    for (const news of waiting) this.heard(news);
  }
}
