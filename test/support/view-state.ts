import type { Report } from './checker.ts';
import type { Pulled, Seen, Shown, View } from './history.ts';

/** What a view shows of a conversation. */
export interface ConversationView {
  isMember: boolean;
  /** Those seen since the user last became a member. */
  readonly messages: Map<number, Shown>;
  firstSeq: number;
  lastSeq: number;
  changeSeq: number;
  /** Which message and which change the stream tells next; null: not known, as it began anew. */
  nextSeq: number | null;
  nextChangeSeq: number | null;
  /** Messages that a query showed: the stream may still show them older. */
  readonly pulled: Set<number>;
  /** Of each user, as told and as their messages imply. */
  readonly reads: Map<string, number>;
  readonly toldReads: Map<string, number>;
  /** Of each change, after which message it came. */
  readonly changes: Map<number, number>;
  /** What was passed over since the user last became a member. */
  readonly skips: { readonly detail: string; readonly atMs: number | undefined }[];
}

/** So many events a log keeps: whoever comes back later than that is told to begin anew. */
const keptEvents = 2_000;

/** When removals of a user from a conversation were asked for that may have been done. */
export type Removals = (conversation: string, user: string) => readonly number[];

/** What a view may show that is not the server's fault. */
export interface Excuses {
  readonly removals: Removals;
  /** When the inbox logs were lost. */
  readonly forgotAtMs: readonly number[];
}

/** Applies a view's events in their order, as a client does, and reports where they break a promise. */
export class ViewState {
  readonly user: string;
  readonly conversations = new Map<string, ConversationView>();
  readonly #found: Report;
  readonly #excuses: Excuses;
  /** By conversation: what was told to one who seems to be no member, until it shows whether it still might be. */
  readonly #strays = new Map<string, { readonly detail: string; readonly atMs: number }[]>();
  readonly #removedAtMs = new Map<string, number>();
  #position = -1;
  #resets = 0;

  constructor({ user, events }: View, excuses: Excuses, found: Report) {
    this.user = user;
    this.#found = (name, detail) => found(name, `view of ${user}: ${detail}`);
    this.#excuses = excuses;
    for (const event of events) this.#apply(event);
    for (const view of this.conversations.values()) this.#reportSkips(view);
    for (const id of this.#strays.keys()) this.#reportStrays(id, Infinity);
  }

  #apply(event: Seen): void {
    if (event.kind === 'opened') return;
    if (event.kind === 'reset') return this.#reset(event);
    this.#move(event);
    switch (event.kind) {
      case 'heartbeat':
        return;
      case 'snapshot':
        this.#refresh(event.conversations);
        return;
      case 'conversation':
        this.#enter(event.conversation);
        return;
      case 'removed':
        this.#remove(event);
        return;
      case 'added':
      case 'changed':
      case 'read':
        this.#tell(event);
    }
  }

  #tell(event: Extract<Seen, { kind: 'added' | 'changed' | 'read' }>): void {
    const view = this.conversations.get(event.conversation);
    if (!view?.isMember) this.#stray(event);
    else if (event.kind === 'added') this.#add(view, event);
    else if (event.kind === 'changed') this.#change(view, event);
    else this.#read(view, event);
  }

  #stray({ kind, conversation, atMs = -Infinity }: Told): void {
    const detail = `${kind} of ${conversation}`;
    this.#strays.set(conversation, [...(this.#strays.get(conversation) ?? []), { detail, atMs }]);
  }

  /** Those from before a removal was asked for. */
  #reportStrays(id: string, removalAskedAtMs: number): void {
    for (const { detail, atMs } of this.#strays.get(id) ?? []) {
      if (atMs < removalAskedAtMs) this.#found('leak', detail);
    }
    this.#strays.delete(id);
  }

  #move({ kind, position }: Exclude<Seen, { kind: 'opened' }>): void {
    // A heartbeat has the position of what came last; anything else one of its own.
    const isStill = kind === 'heartbeat' || kind === 'snapshot';
    const isForward = isStill ? position >= this.#position : position > this.#position;
    if (!isForward) {
      this.#found('nonmonotonic-cursor', `${kind} at ${position} after ${this.#position}`);
    }
    this.#position = Math.max(this.#position, position);
  }

  /** The log is another one: its positions begin anew, and it may tell again what was told. */
  #reset({ position, atMs = Infinity }: Extract<Seen, { kind: 'reset' }>): void {
    const isTrimmed = position - this.#position >= keptEvents;
    if (!isTrimmed) this.#resets += 1;
    const forgot = this.#excuses.forgotAtMs.filter((at) => at <= atMs).length;
    if (this.#resets > forgot) this.#found('unexpected-reset', `at ${position}`);
    this.#position = position;
    for (const id of this.#strays.keys()) this.#reportStrays(id, this.#removalAskedAtMs(id));
    for (const [id, view] of this.conversations) {
      // A removal that nobody can be told of any more.
      this.#reportSkips(view, this.#removalAskedAtMs(id));
      view.nextSeq = null;
      view.nextChangeSeq = null;
      view.toldReads.clear();
    }
  }

  #refresh(conversations: readonly Pulled[]): void {
    const listed = new Set(conversations.map(({ conversation }) => conversation));
    for (const [id, view] of this.conversations) if (!listed.has(id)) view.isMember = false;
    for (const pulled of conversations) this.#pull(pulled);
  }

  #pull({ conversation, joinedSeq, lastSeq, changeSeq, messages, reads }: Pulled): void {
    this.#enter(conversation);
    const view = this.conversations.get(conversation) as ConversationView;
    for (const seq of view.messages.keys()) if (seq < joinedSeq) view.messages.delete(seq);
    for (const message of messages) {
      const known = view.messages.get(message.seq);
      if (known && known.changeSeq > message.changeSeq) {
        const states = `${known.changeSeq}, and then, asked for, ${message.changeSeq}`;
        this.#found('nonmonotonic-poll', `${conversation}/${message.seq} as of ${states}`);
      }
      view.messages.set(message.seq, message);
      view.pulled.add(message.seq);
      raise(view.reads, message.sender, message.seq);
    }
    if (lastSeq < view.lastSeq || changeSeq < view.changeSeq) {
      const was = `${view.lastSeq}@${view.changeSeq}`;
      this.#found('nonmonotonic-poll', `${conversation}: ${lastSeq}@${changeSeq} after ${was}`);
    }
    for (let seq = joinedSeq; seq <= lastSeq; seq += 1) {
      if (!view.messages.has(seq))
        this.#found('poll-skip', `${conversation}/${seq} was not pulled`);
    }
    view.firstSeq = joinedSeq;
    view.lastSeq = lastSeq;
    view.changeSeq = changeSeq;
    for (const { user, readSeq } of reads) raise(view.reads, user, readSeq);
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
      nextSeq: null,
      nextChangeSeq: null,
      pulled: new Set(),
      reads: new Map(),
      toldReads: new Map(),
      changes: new Map(),
      skips: [],
    });
  }

  /**
   * What was committed before a removal may arrive before it is told, or may not, as nobody is shown any more what they may
   * not see. So it is no skip, and no leak, where the removal was asked for before it was passed over.
   */
  #remove({ conversation, atMs = Infinity }: Told): void {
    const next = this.#removalAskedAtMs(conversation);
    // Else it is told once more, or one that was told before was: a log that began anew tells old ones again.
    const asked = next <= atMs ? next : this.#lastRemovalBefore(conversation, atMs);
    this.#removedAtMs.set(conversation, atMs);
    this.#reportStrays(conversation, asked);
    const view = this.conversations.get(conversation);
    if (!view) return;
    view.isMember = false;
    forgetChangesAt(view);
    this.#reportSkips(view, asked);
  }

  /** The first that was asked for since a removal was told; Infinity: none was. */
  #removalAskedAtMs(conversation: string): number {
    const before = this.#removedAtMs.get(conversation) ?? -Infinity;
    const all = this.#excuses.removals(conversation, this.user);
    return Math.min(...all.filter((at) => at > before));
  }

  #lastRemovalBefore(conversation: string, atMs: number): number {
    const all = this.#excuses.removals(conversation, this.user).filter((at) => at <= atMs);
    return all.length > 0 ? Math.max(...all) : Infinity;
  }

  #reportSkips({ skips }: ConversationView, removalAskedAtMs = Infinity): void {
    for (const { detail, atMs = -Infinity } of skips.splice(0)) {
      if (atMs < removalAskedAtMs) this.#found('poll-skip', detail);
    }
  }

  #add(
    view: ConversationView,
    { conversation, message, atMs }: Extract<Seen, { kind: 'added' }>,
  ): void {
    const { seq, sender } = message;
    const name = `${conversation}/${seq} after ${view.lastSeq}`;
    if (view.nextSeq !== null && seq < view.nextSeq) this.#found('nonmonotonic-poll', name);
    if (view.lastSeq > 0 && seq > (view.nextSeq ?? view.lastSeq + 1)) {
      view.skips.push({ detail: name, atMs });
      forgetChangesAt(view);
    }
    if (view.lastSeq === 0) view.firstSeq = seq;
    view.lastSeq = Math.max(view.lastSeq, seq);
    view.nextSeq = Math.max(view.nextSeq ?? 0, seq + 1);
    this.#show(view, message, name);
    raise(view.reads, sender, seq);
  }

  #change(view: ConversationView, event: Extract<Seen, { kind: 'changed' }>): void {
    const { conversation, changeSeq, message, atMs } = event;
    const name = `change ${changeSeq} of ${conversation} after ${view.changeSeq}`;
    const next = view.nextChangeSeq;
    if (next !== null && changeSeq < next) this.#found('nonmonotonic-poll', name);
    // To one who joined later the changes of older messages are not shown.
    if (view.firstSeq === 1 && changeSeq > (next ?? view.changeSeq + 1)) {
      view.skips.push({ detail: name, atMs });
    }
    view.nextChangeSeq = Math.max(next ?? 0, changeSeq + 1);
    view.changeSeq = Math.max(view.changeSeq, changeSeq);
    if (view.nextSeq !== null) view.changes.set(changeSeq, view.nextSeq - 1);
    if (!view.messages.has(message.seq)) {
      view.skips.push({ detail: `${name}: of message ${message.seq}, which never came`, atMs });
    }
    this.#show(view, message, name);
  }

  /** It is shown as it is now, so it may be newer than the event, but never older than what is known from the stream. */
  #show({ messages, pulled }: ConversationView, message: Shown, name: string): void {
    const known = messages.get(message.seq);
    if (known && message.changeSeq < known.changeSeq) {
      if (pulled.has(message.seq)) return;
      this.#found('nonmonotonic-poll', `${name}: shown as of ${message.changeSeq}`);
      return;
    }
    messages.set(message.seq, message);
    pulled.delete(message.seq);
  }

  #read(view: ConversationView, event: Extract<Seen, { kind: 'read' }>): void {
    const { conversation, user, readSeq } = event;
    const told = view.toldReads.get(user) ?? 0;
    if (readSeq <= told) {
      this.#found('nonmonotonic-read', `${user} in ${conversation}: ${readSeq} after ${told}`);
    }
    view.toldReads.set(user, Math.max(told, readSeq));
    raise(view.reads, user, readSeq);
  }
}

type Told = Pick<Extract<Seen, { conversation: string }>, 'kind' | 'conversation' | 'atMs'>;

function raise(reads: Map<string, number>, user: string, seq: number): void {
  reads.set(user, Math.max(reads.get(user) ?? 0, seq));
}

/** Something may have been passed over between the last message and these: after which message they came is not known. */
function forgetChangesAt({ changes, nextSeq }: ConversationView): void {
  for (const [changeSeq, seq] of changes) if (seq + 1 === nextSeq) changes.delete(changeSeq);
}
