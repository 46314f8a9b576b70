import { broken, BrokenPromise } from './broken-promise.ts';
import type { TestUser } from './clients.ts';
import {
  aboutOf,
  changesDocument,
  conversationDocument,
  membersDocument,
  messagesDocument,
  type Page,
  type ShownConversation,
  type ShownEvent,
  type ShownMember,
  type ShownMessage,
} from './replica-documents.ts';

/** What the tests' server is configured to, as far as it bears on what events promise. */
export interface Rules {
  /** Groups of more members may be told of by ConversationAdvanced alone. */
  readonly largeAbove: number;
  /** Groups of more members do not tell others' reads. */
  readonly receiptsUpTo: number;
}

export interface KeptMember {
  readonly role: string;
  readonly joinedSeq: number;
  readonly readSeq: number;
}

/** A conversation as a client keeps it. What can be derived of it is not kept. */
export interface Kept {
  readonly id: string;
  kind: string;
  title: string | null;
  createdAt: string;
  memberCount: number;
  members: Map<string, KeptMember>;
  readonly messages: Map<number, ShownMessage>;
  /** All changes up to here are in `messages`. */
  changeSeq: number;
  /** The last seq and changeSeq that an event told; null: the next one may repeat what is known. */
  told: { seq: number | null; changeSeq: number | null };
  /** Reads that events told, by user. */
  readonly toldReads: Map<string, number>;
}

/** What a query shows that lists everything. */
export interface Listed {
  readonly timelines: readonly ShownConversation[];
  readonly balance: number;
}

/**
 * All that a client keeps of its user's conversations, brought up to date by events: by what these say themselves, and by
 * pulling only where the contract says so.
 */
export class Replica {
  readonly user: TestUser;
  readonly rules: Rules;
  readonly conversations = new Map<string, Kept>();
  /** Of the wallet. */
  balance: number;
  /** What an event showed as it is after the viewer's removal: ConversationRemoved is on its way. */
  readonly #leaving = new Set<string>();
  /** Queries the list of conversations, and the wallet, for InboxReset. */
  readonly #list: () => Promise<Listed>;
  /** The last entry that was told; null: the next one may be known already. */
  #toldBalance: number | null = null;

  constructor(user: TestUser, rules: Rules, balance: number, list: () => Promise<Listed>) {
    this.user = user;
    this.balance = balance;
    this.rules = rules;
    this.#list = list;
  }

  /** @throws {BrokenPromise} */
  async apply(event: ShownEvent): Promise<void> {
    if (event.__typename !== 'ConversationChanged' && this.#leaving.has(aboutOf(event))) return;
    switch (event.__typename) {
      case 'MessageAdded':
        this.#added(this.#known(event.message.conversation.id, event), event.message);
        return;
      case 'MessageChanged':
        this.#changed(this.#known(event.message.conversation.id, event), event);
        return;
      case 'ReadAdvanced':
        this.#read(this.#known(event.conversation.id, event), event);
        return;
      case 'ConversationChanged':
        return this.#conversationChanged(event.conversation);
      case 'ConversationRemoved':
        this.conversations.delete(event.conversationId);
        this.#leaving.delete(event.conversationId);
        return;
      case 'ConversationAdvanced':
        return this.#catchUp(event.conversation.id);
      case 'WalletChanged':
        this.#booked(event);
        return;
      case 'InboxReset':
        return this.#startAfresh();
      case 'InboxHeartbeat':
        return;
    }
  }

  /** Takes in what a query showed of a conversation, apart from its history. */
  async take(shown: ShownConversation): Promise<Kept> {
    const members = await this.#allMembers(shown);
    const own = shown.me ?? members.find(({ user }) => user.id === this.user.id);
    if (!own)
      throw new BrokenPromise(`a conversation without the viewer: ${JSON.stringify(shown)}`);
    let kept = this.conversations.get(shown.id);
    if (kept && kept.members.get(this.user.id)?.joinedSeq !== own.joinedSeq) kept = undefined;
    const before = kept?.members;
    const next = new Map(
      [...members.filter(({ user }) => user.id !== this.user.id), own].map((member) => {
        const readSeq = Math.max(member.readSeq, before?.get(member.user.id)?.readSeq ?? 0);
        const { role, joinedSeq } = member;
        return [member.user.id, { role, joinedSeq, readSeq }];
      }),
    );
    const { id, kind, title, createdAt, memberCount } = shown;
    if (kept) {
      Object.assign(kept, { title, memberCount, members: next });
      return kept;
    }
    const fresh: Kept = {
      ...{ id, kind, title, createdAt, memberCount, members: next },
      messages: new Map(),
      changeSeq: 0,
      told: { seq: null, changeSeq: null },
      toldReads: new Map(),
    };
    this.conversations.set(id, fresh);
    return fresh;
  }

  /** A message, unless a newer state of it is known. */
  put(kept: Kept, { conversation: _, readCount: __, ...message }: ShownMessage): void {
    const known = kept.messages.get(message.seq);
    if (!known || known.changeSeq <= message.changeSeq) kept.messages.set(message.seq, message);
  }

  /** Groups of at most so many members are certainly not large. */
  get smallUpTo(): number {
    return Math.ceil((this.rules.largeAbove * 3) / 4) - 1;
  }

  /**
   * Whether others' reads are certainly told. What has been large may be so still with few members, until a message comes
   * as an event of its own.
   */
  tellsReads({ memberCount, told }: Kept): boolean {
    const isSmall = memberCount <= this.smallUpTo || told.seq !== null;
    return isSmall && memberCount <= this.rules.receiptsUpTo;
  }

  #known(id: string, event: ShownEvent): Kept {
    const kept = this.conversations.get(id);
    if (!kept) throw broken('of a conversation that the viewer does not have', event);
    return kept;
  }

  #added(kept: Kept, message: ShownMessage): void {
    const joinedSeq = kept.members.get(this.user.id)?.joinedSeq ?? 1;
    // Told before a removal that came before the present joining: ConversationRemoved is on its way.
    if (message.seq < joinedSeq) return;
    const due = (kept.told.seq ?? lastSeqOf(kept, this.user.id)) + 1;
    if (kept.told.seq === null ? message.seq > due : message.seq !== due) {
      throw broken(`out of order: ${due} was due`, message);
    }
    kept.told.seq = message.seq;
    this.put(kept, message);
    this.#readUpTo(kept, message.sender?.id ?? message.content.actor?.id, message.seq);
  }

  #changed(kept: Kept, event: Extract<ShownEvent, { __typename: 'MessageChanged' }>): void {
    const { changeSeq, message } = event;
    if (message.seq < (kept.members.get(this.user.id)?.joinedSeq ?? 1)) return;
    if (message.changeSeq < changeSeq) throw broken('a change that is not shown', event);
    if (changeSeq <= (kept.told.changeSeq ?? 0)) throw broken('a change told again', event);
    if (!kept.messages.has(message.seq)) throw broken('a change before its message', event);
    kept.told.changeSeq = changeSeq;
    kept.changeSeq = Math.max(kept.changeSeq, changeSeq);
    this.put(kept, message);
  }

  #booked(event: Extract<ShownEvent, { __typename: 'WalletChanged' }>): void {
    const { balance, entry } = event;
    if (this.#toldBalance !== null && this.#toldBalance + entry.amount !== balance) {
      throw broken(`an entry that does not continue ${this.#toldBalance}`, event);
    }
    this.#toldBalance = balance;
    this.balance = balance;
  }

  #read(kept: Kept, event: Extract<ShownEvent, { __typename: 'ReadAdvanced' }>): void {
    const { id } = event.user;
    if ((kept.toldReads.get(id) ?? -1) >= event.readSeq) throw broken('a read told again', event);
    kept.toldReads.set(id, event.readSeq);
    this.#readUpTo(kept, id, event.readSeq);
  }

  #readUpTo(kept: Kept, userId: string | undefined, seq: number): void {
    const member = userId === undefined ? undefined : kept.members.get(userId);
    if (userId === undefined || !member || member.readSeq >= seq) return;
    kept.members.set(userId, { ...member, readSeq: seq });
  }

  async #conversationChanged(shown: ShownConversation): Promise<void> {
    // Events show what is there when they are told: whoever shares one may have left meanwhile.
    const { edges, pageInfo } = shown.members;
    const isMember = edges.some(({ node }) => node.user.id === this.user.id);
    if (!shown.me && !isMember && !pageInfo.hasNextPage) {
      this.#leaving.add(shown.id);
      return;
    }
    this.#leaving.delete(shown.id);
    const before = this.conversations.get(shown.id);
    const kept = await this.take(shown);
    // Of a small group every message is told; into a large one a newcomer has to look.
    if (kept !== before && shown.memberCount > this.smallUpTo) await this.#catchUp(shown.id);
  }

  async #startAfresh(): Promise<void> {
    this.#leaving.clear();
    const { timelines: listed, balance } = await this.#list();
    this.balance = balance;
    this.#toldBalance = null;
    const ids = new Set(listed.map(({ id }) => id));
    for (const id of this.conversations.keys()) if (!ids.has(id)) this.conversations.delete(id);
    for (const { id } of listed) await this.#catchUp(id);
  }

  /** Pulls what is new in a conversation: all but the history as it is now, of that the difference. */
  async #catchUp(id: string): Promise<void> {
    const { conversation } = await this.user.query(conversationDocument, { id });
    // Who has left meanwhile is told so by the next events.
    if (!conversation) return;
    const kept = await this.take(conversation);
    kept.told = { seq: null, changeSeq: null };
    // What was told may have been told of an earlier membership.
    kept.toldReads.clear();
    for (let isMore = true; isMore;) {
      const after = String(lastSeqOf(kept, this.user.id));
      const page = await this.user.query(messagesDocument, { id, first: 50, after });
      if (!page.conversation) return;
      for (const { node } of page.conversation.messages.edges) this.put(kept, node);
      isMore = page.conversation.messages.pageInfo.hasNextPage;
    }
    for (let isMore = true; isMore;) {
      const page = await this.user.query(changesDocument, { id, after: kept.changeSeq });
      if (!page.conversation) return;
      const { messages, endChangeSeq, hasMore } = page.conversation.messageChanges;
      // Messages that came after the last look are not here yet.
      for (const message of messages) if (kept.messages.has(message.seq)) this.put(kept, message);
      kept.changeSeq = endChangeSeq;
      isMore = hasMore;
    }
  }

  async #allMembers({ id, members }: ShownConversation): Promise<ShownMember[]> {
    const all = members.edges.map(({ node }) => node);
    for (let page: Page<ShownMember> = members; page.pageInfo.hasNextPage;) {
      const after = page.pageInfo.endCursor;
      const next = await this.user.query(membersDocument, { id, after });
      if (!next.conversation) break;
      page = next.conversation.members;
      all.push(...page.edges.map(({ node }) => node));
    }
    return all;
  }
}

/** The seq of the newest message that is known, else that before the first to come. */
export function lastSeqOf({ messages, members }: Kept, viewerId: string): number {
  return Math.max((members.get(viewerId)?.joinedSeq ?? 1) - 1, ...messages.keys());
}
