import type { Report } from './checker.ts';
import type { Seen, Shown, View } from './history.ts';

/** What a view shows of a conversation. */
export interface ConversationView {
  isMember: boolean;
  /** Those seen since the user last became a member. */
  readonly messages: Map<number, Shown>;
  firstSeq: number;
  lastSeq: number;
  changeSeq: number;
  /** Of each user, as told and as their messages imply. */
  readonly reads: Map<string, number>;
  readonly toldReads: Map<string, number>;
  /** Of each change, after which message it came. */
  readonly changes: Map<number, number>;
  /** What was passed over since the user last became a member. */
  readonly skips: { readonly detail: string; readonly atMs: number | undefined }[];
}

/** When removals of a user from a conversation were asked for that may have been done. */
export type Removals = (conversation: string, user: string) => readonly number[];

/** Applies a view's events in their order, as a client does, and reports where they break a promise. */
export class ViewState {
  readonly user: string;
  readonly conversations = new Map<string, ConversationView>();
  readonly #found: Report;
  readonly #removals: Removals;
  #position = -1;

  constructor({ user, events }: View, removals: Removals, found: Report) {
    this.user = user;
    this.#found = (name, detail) => found(name, `view of ${user}: ${detail}`);
    this.#removals = removals;
    for (const event of events) this.#apply(event);
    for (const view of this.conversations.values()) this.#reportSkips(view);
  }

  #apply(event: Seen): void {
    if (event.kind === 'opened') return;
    this.#move(event);
    switch (event.kind) {
      case 'heartbeat':
        return;
      case 'reset':
        this.#found('unexpected-reset', `at ${event.position}`);
        return;
      case 'conversation':
        this.#enter(event.conversation);
        return;
      case 'removed':
        this.#remove(this.#of(event), event.conversation);
        return;
      case 'added':
        this.#add(this.#of(event), event);
        return;
      case 'changed':
        this.#change(this.#of(event), event);
        return;
      case 'read':
        this.#read(this.#of(event), event);
    }
  }

  #move({ kind, position }: Exclude<Seen, { kind: 'opened' }>): void {
    // A heartbeat has the position of what came last; anything else one of its own.
    const isForward = kind === 'heartbeat' ? position >= this.#position : position > this.#position;
    if (!isForward) {
      this.#found('nonmonotonic-cursor', `${kind} at ${position} after ${this.#position}`);
    }
    this.#position = Math.max(this.#position, position);
  }

  #enter(id: string): void {
    const known = this.conversations.get(id);
    if (known?.isMember) return;
    this.conversations.set(id, {
      isMember: true,
      messages: new Map(),
      firstSeq: 0,
      lastSeq: 0,
      changeSeq: 0,
      reads: new Map(),
      toldReads: new Map(),
      changes: new Map(),
      skips: [],
    });
  }

  /**
   * What was committed before a removal may arrive before it is told, or may not, as a replay passes over what its viewer
   * may not see any more. So it is no skip where the removal was asked for before it was passed over.
   */
  #remove(view: ConversationView, conversation: string): void {
    view.isMember = false;
    forgetChangesAt(view);
    const [asked] = [...this.#removals(conversation, this.user)].sort((a, b) => a - b);
    this.#reportSkips(view, asked);
  }

  #reportSkips({ skips }: ConversationView, removalAskedAtMs = Infinity): void {
    for (const { detail, atMs = -Infinity } of skips.splice(0)) {
      if (atMs < removalAskedAtMs) this.#found('poll-skip', detail);
    }
  }

  #of(event: { kind: string; conversation: string }): ConversationView {
    const known = this.conversations.get(event.conversation);
    if (known && (known.isMember || event.kind === 'removed')) return known;
    if (event.kind !== 'removed') this.#found('leak', `${event.kind} of ${event.conversation}`);
    this.#enter(event.conversation);
    return this.conversations.get(event.conversation) as ConversationView;
  }

  #add(
    view: ConversationView,
    { conversation, message, atMs }: Extract<Seen, { kind: 'added' }>,
  ): void {
    const { seq, sender } = message;
    const name = `${conversation}/${seq} after ${view.lastSeq}`;
    if (view.lastSeq > 0 && seq <= view.lastSeq) this.#found('nonmonotonic-poll', name);
    if (view.lastSeq > 0 && seq > view.lastSeq + 1) {
      view.skips.push({ detail: name, atMs });
      forgetChangesAt(view);
    }
    if (view.lastSeq === 0) view.firstSeq = seq;
    view.lastSeq = Math.max(view.lastSeq, seq);
    view.messages.set(seq, message);
    view.reads.set(sender, Math.max(view.reads.get(sender) ?? 0, seq));
  }

  #change(view: ConversationView, event: Extract<Seen, { kind: 'changed' }>): void {
    const { conversation, changeSeq, message, atMs } = event;
    const name = `change ${changeSeq} of ${conversation} after ${view.changeSeq}`;
    if (changeSeq <= view.changeSeq) this.#found('nonmonotonic-poll', name);
    // To one who joined later the changes of older messages are not shown.
    if (view.firstSeq === 1 && changeSeq > view.changeSeq + 1) {
      view.skips.push({ detail: name, atMs });
    }
    view.changeSeq = Math.max(view.changeSeq, changeSeq);
    view.changes.set(changeSeq, view.lastSeq);
    const known = view.messages.get(message.seq);
    if (!known) {
      view.skips.push({ detail: `${name}: of message ${message.seq}, which never came`, atMs });
    }
    // It is shown as it is now, so it may be newer than the event, but never older than what is known.
    if (message.changeSeq >= (known?.changeSeq ?? 0)) view.messages.set(message.seq, message);
    else this.#found('nonmonotonic-poll', `${name}: shown as of ${message.changeSeq}`);
  }

  #read(view: ConversationView, event: Extract<Seen, { kind: 'read' }>): void {
    const { conversation, user, readSeq } = event;
    const told = view.toldReads.get(user) ?? 0;
    if (readSeq <= told) {
      this.#found('nonmonotonic-read', `${user} in ${conversation}: ${readSeq} after ${told}`);
    }
    view.toldReads.set(user, Math.max(told, readSeq));
    view.reads.set(user, Math.max(view.reads.get(user) ?? 0, readSeq));
  }
}

/** Something may have been passed over between the last message and these: after which message they came is not known. */
function forgetChangesAt({ changes, lastSeq }: ConversationView): void {
  for (const [changeSeq, seq] of changes) if (seq === lastSeq) changes.delete(changeSeq);
}
