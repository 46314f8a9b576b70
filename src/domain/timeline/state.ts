import { assert } from '../../lib/assert.ts';
import type { Fault } from '../../lib/fault.ts';
import type { Statement } from '../../storage/sql.ts';
import type { Content, Head, Member, Message } from './model.ts';
import type { OutboxItem, OutboxPart } from './outbox.ts';

/** A message of a batch, with what only its row knows. */
export interface Appended {
  readonly message: Message;
  /** Null for a system message. */
  readonly payloadHash: Uint8Array | null;
}

/** The limits on groups, as configured. */
export interface GroupLimits {
  /** A group is large from one more than this on, until below three quarters of it. */
  readonly largeGroupMembers: number;
  readonly groupMembersMax: number;
}

/**
 * One conversation while a batch decides about it: what was loaded under the head lock, and what the drafts before have
 * done to it. Deciders first check, then call what changes it; so a refused draft leaves no trace and takes no number.
 */
export class ConversationState {
  readonly isNew: boolean;
  readonly originKey: Uint8Array;
  readonly originHash: Uint8Array | null;
  readonly nowMs: number;
  readonly #limits: GroupLimits;
  /** As it was before the batch. */
  readonly loaded: Head;
  /** Moved on in place: a message moves it three times. */
  readonly #head: { -readonly [Column in keyof Head]: Head[Column] };
  readonly #members = new Map<bigint, Member | null>();
  readonly #loadedMessages = new Map<number, Appended>();
  /** By sender, then by key. */
  readonly #sent = new Map<bigint, Map<string, Appended>>();
  readonly #items: OutboxItem[] = [];
  /** Who inherits the group where its owner asks to leave; null: nobody is left. */
  heirId: bigint | null = null;

  readonly appended: Appended[] = [];
  readonly changed = new Map<number, Message>();
  readonly changeLog: { readonly changeSeq: number; readonly seq: number }[] = [];
  /** Who came, went or got another role. */
  readonly touchedMembers = new Set<bigint>();
  /** Whose readSeq moved on. */
  readonly readers = new Set<bigint>();
  /** What is written besides, whether or not anything happened to the conversation. */
  readonly beside: Statement[] = [];
  /** Red packets that the conversation refused, by id. */
  readonly refusedRedPackets = new Map<bigint, Fault>();

  constructor(deps: {
    head: Head;
    originKey: Uint8Array;
    originHash: Uint8Array | null;
    isNew: boolean;
    nowMs: number;
    limits: GroupLimits;
  }) {
    this.loaded = deps.head;
    this.#head = { ...deps.head };
    this.originKey = deps.originKey;
    this.originHash = deps.originHash;
    this.isNew = deps.isNew;
    // A clock that stepped back must not make a message older than the one before.
    this.nowMs = Math.max(deps.nowMs, deps.head.activityAtMs);
    this.#limits = deps.limits;
  }

  /** As it is now; it moves on with every change. */
  get head(): Head {
    return this.#head;
  }

  /** True once anything of this conversation must be written. */
  get isTouched(): boolean {
    return this.#items.length > 0;
  }

  /** True where the regime changed: this draft was the conversation's last in this batch. */
  get hasCrossed(): boolean {
    return this.#head.isLarge !== this.loaded.isLarge;
  }

  loadMember(userId: bigint, member: Member | null): void {
    this.#members.set(userId, member);
  }

  loadMessage(stored: Appended): void {
    this.#loadedMessages.set(stored.message.seq, stored);
  }

  /** A message that its sender sent under its key before. */
  loadSent({ message, payloadHash }: Appended): void {
    this.#noteSent({ message, payloadHash });
  }

  /** The membership as it is now, or null; listed or not. */
  membership(userId: bigint): Member | null {
    const member = this.#members.get(userId);
    assert(member !== undefined, 'a membership was asked for that was not loaded');
    return member;
  }

  /** Of a direct conversation whose members were all loaded. */
  get loadedMembers(): Member[] {
    return [...this.#members.values()].filter((member) => member !== null);
  }

  /** A message that was there before the batch, as it is now. */
  message(seq: number): Message | null {
    return this.changed.get(seq) ?? this.#loadedMessages.get(seq)?.message ?? null;
  }

  /** What this batch has appended already under that key, or was loaded for it. */
  sent(senderId: bigint, clientMessageId: string): Appended | null {
    return this.#sent.get(senderId)?.get(clientMessageId) ?? null;
  }

  /** Appends to the timeline; whoever wrote it, or did it, has read it. */
  append(entry: {
    senderId: bigint | null;
    clientMessageId: string | null;
    payloadHash: Uint8Array | null;
    content: Content;
    replyToSeq: number | null;
  }): Message {
    const seq = this.#head.lastSeq + 1;
    const message: Message = {
      conversationId: this.#head.id,
      seq,
      senderId: entry.senderId,
      clientMessageId: entry.clientMessageId,
      content: entry.content,
      replyToSeq: entry.replyToSeq,
      createdAtMs: this.nowMs,
      editedAtMs: null,
      recalledAtMs: null,
      changeSeq: 0,
    };
    const appended = { message, payloadHash: entry.payloadHash };
    this.appended.push(appended);
    this.#noteSent(appended);
    this.#head.lastSeq = seq;
    this.#head.activityAtMs = this.nowMs;
    this.#noteAdded(seq);
    const readerId =
      entry.senderId ?? (entry.content.kind === 'SYSTEM' ? entry.content.actorId : null);
    const reader = readerId === null ? null : this.#members.get(readerId);
    if (reader) {
      this.#members.set(reader.userId, { ...reader, readSeq: seq });
      this.readers.add(reader.userId);
    }
    return message;
  }

  /** Gives a message that was there already the next changeSeq and this new shape. */
  change(message: Message): Message {
    const changeSeq = this.#head.changeSeq + 1;
    const changed = { ...message, changeSeq };
    this.changed.set(message.seq, changed);
    this.changeLog.push({ changeSeq, seq: message.seq });
    this.#move({ changeSeq });
    this.#note({ kind: 'changed', changeSeq, seq: message.seq });
    return changed;
  }

  /**
   * Tells that the conversation changed: before the message that says so.
   * @param userIds whose own membership changed.
   */
  announce(userIds: readonly bigint[], toAll = true): void {
    this.#note({ kind: 'conversation', userIds, toAll });
  }

  rename(title: string): void {
    this.#move({ title });
  }

  /** The first seq and event that one who joins now will see: the announcement and the message that follow. */
  join(
    userId: bigint,
    role: Member['role'],
    options: { isListed: boolean; joinedSeq: number },
  ): void {
    this.#putMember({
      conversationId: this.#head.id,
      userId,
      role,
      joinedAtMs: this.nowMs,
      joinedSeq: options.joinedSeq,
      joinedEventNo: this.#nextEventNo,
      readSeq: options.joinedSeq - 1,
      isListed: options.isListed,
    });
    this.#changeMembers(1);
  }

  /** Makes a direct conversation exist for a side that it did not exist for. */
  list(member: Member): void {
    this.#putMember({ ...member, isListed: true, joinedEventNo: this.#nextEventNo });
    this.#changeMembers(0);
  }

  setRole(member: Member, role: Member['role']): Member {
    return this.#putMember({ ...member, role });
  }

  /** Ends a membership and tells the one who had it. */
  remove(userId: bigint): void {
    this.#members.set(userId, null);
    this.touchedMembers.add(userId);
    this.#changeMembers(-1);
    this.#note({ kind: 'removed', userIds: [userId] });
  }

  /** Ends a draft that was accepted: where it made the group cross the limit, every member is told once. */
  endDraft(): void {
    if (this.hasCrossed) this.#note({ kind: 'advanced' });
  }

  /** What the outbox says of this conversation. */
  get outboxPart(): OutboxPart {
    return {
      conversationId: this.#head.id,
      firstEventNo: this.loaded.eventNo + 1,
      membersEventNo: this.#head.membersEventNo,
      isLarge: this.loaded.isLarge,
      lastSeq: this.#head.lastSeq,
      changeSeq: this.#head.changeSeq,
      items: this.#items,
    };
  }

  get #nextEventNo(): number {
    return this.#head.eventNo + 1;
  }

  #changeMembers(difference: number): void {
    const memberCount = this.#head.memberCount + difference;
    const { largeGroupMembers } = this.#limits;
    const isLarge = this.#head.isLarge
      ? memberCount >= (largeGroupMembers * 3) / 4
      : memberCount > largeGroupMembers;
    this.#move({ memberCount, isLarge, membersEventNo: this.#nextEventNo });
  }

  #putMember(member: Member): Member {
    this.#members.set(member.userId, member);
    this.touchedMembers.add(member.userId);
    return member;
  }

  #noteSent(appended: Appended): void {
    const { senderId, clientMessageId } = appended.message;
    if (senderId === null || clientMessageId === null) return;
    const known = this.#sent.get(senderId);
    if (known) known.set(clientMessageId, appended);
    else this.#sent.set(senderId, new Map([[clientMessageId, appended]]));
  }

  #noteAdded(seq: number): void {
    const last = this.#items.at(-1);
    if (last?.kind === 'added') {
      this.#items[this.#items.length - 1] = { ...last, count: last.count + 1 };
      this.#head.eventNo += 1;
    } else {
      this.#note({ kind: 'added', firstSeq: seq, count: 1 });
    }
  }

  #note(item: OutboxItem): void {
    this.#items.push(item);
    this.#head.eventNo += 1;
    this.#head.movedAtMs = this.nowMs;
  }

  #move(difference: Partial<Head>): void {
    Object.assign(this.#head, difference);
    this.#head.movedAtMs = this.nowMs;
  }
}
