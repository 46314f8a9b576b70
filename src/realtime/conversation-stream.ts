import { Fault, faultOf } from '../lib/fault.ts';
import type { Conversations, Membership } from '../domain/conversation/conversation.ts';
import type { ConversationEvent } from '../domain/inbox/inbox.ts';
import type { Messages } from '../domain/message/message.ts';
import type { Viewer } from '../domain/session/session.ts';
import type { Message } from '../domain/timeline/timeline.ts';
import type { Follower, Followers } from './followers.ts';
import type { Paced, Source, Telling } from './pulled.ts';
import { ReadLoop } from './read-loop.ts';

export interface ConversationStreamDeps {
  readonly conversations: Pick<Conversations, 'enter' | 'enterOrFault'>;
  readonly messages: Pick<Messages, 'page' | 'changes'>;
  readonly followers: Followers;
  readonly limits: { readonly pageMessagesMax: number; readonly streamQueueEventsMax: number };
}

/** Where a client's copy of a conversation ends. */
export interface ConversationPosition {
  readonly afterSeq: number | null;
  readonly afterChangeSeq: number | null;
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

type LiveEvent =
  | { readonly kind: 'added'; readonly message: Message }
  | { readonly kind: 'changed'; readonly changeSeq: number; readonly message: Message };

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
  #ready: ConversationItem[] = [];
  #live: LiveEvent[] = [];
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
    this.#deps.followers.add(this.#conversationId, this);
    try {
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

  added(message: Message): void {
    this.#offer({ kind: 'added', message });
  }

  changed(changeSeq: number, message: Message): void {
    this.#offer({ kind: 'changed', changeSeq, message });
  }

  ended(): void {
    this.#end();
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

  #offer(event: LiveEvent): void {
    if (this.#mode === 'live') {
      this.#accept(event);
    } else if (this.#mode === 'reading') {
      if (this.#live.length >= this.#deps.limits.streamQueueEventsMax) {
        this.#live = [];
        this.#overflows += 1;
      }
      this.#live.push(event);
    }
  }

  #accept(event: LiveEvent): void {
    const number = event.kind === 'added' ? event.message.seq : event.changeSeq;
    const present = event.kind === 'added' ? this.#seq : this.#changeSeq;
    if (number <= present) return;
    if (number > present + 1 || this.#ready.length >= this.#deps.limits.streamQueueEventsMax) {
      this.#readOn();
      return;
    }
    if (event.kind === 'added') {
      this.#seq = number;
      this.#push({ kind: 'ConversationMessageAdded', message: event.message }, false);
    } else {
      this.#changeSeq = number;
      this.#pushChange(event.message, number, false);
    }
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
    else if (this.#overflows === overflows) this.#goLive();
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

  #goLive(): void {
    this.#mode = 'live';
    this.#keptSeq = this.#seq;
    this.#shown.clear();
    if (!this.#hasCaughtUp) {
      this.#hasCaughtUp = true;
      const position = { lastSeq: this.#seq, changeSeq: this.#changeSeq };
      this.#push({ kind: 'ConversationCaughtUp', ...position }, false);
    }
    const waiting = this.#live;
    this.#live = [];
    for (const event of waiting) this.#offer(event);
  }
}

function checkPosition(
  { afterSeq, afterChangeSeq }: ConversationPosition,
  head: { readonly lastSeq: number; readonly changeSeq: number },
): void {
  if (afterSeq !== null && (afterSeq < 0 || afterSeq > head.lastSeq)) {
    throw new Fault('INVALID_ARGUMENT', 'afterSeq is beyond the conversation.');
  }
  if (afterChangeSeq === null) return;
  if (afterSeq === null || afterChangeSeq < 0 || afterChangeSeq > head.changeSeq) {
    throw new Fault(
      'INVALID_ARGUMENT',
      'afterChangeSeq needs afterSeq, and is not beyond changeSeq.',
    );
  }
}
