import type { Shards } from '../../storage/shards.ts';
import type { Recipient } from '../inbox/append-job.ts';

/** A member as fan-out sees one. */
export interface ListedMember extends Recipient {
  readonly joinedEventNo: number;
}

/** Who is in a conversation, as of its last change of members that the list knows. */
export interface MemberList {
  readonly membersEventNo: number;
  readonly memberCount: number;
  readonly isLarge: boolean;
  readonly members: readonly ListedMember[];
}

interface ListRow {
  readonly membersEventNo: number;
  readonly memberCount: number;
  readonly isLarge: boolean;
  readonly userId: bigint;
  readonly joinedSeq: number;
  readonly joinedEventNo: number;
}

/**
 * The members of conversations, kept for fan-out: it asks for a list that is at least as new as the event that it tells.
 * Rights never come from here.
 */
export class MemberLists {
  readonly #shards: Shards;
  readonly #usersMax: number;
  /** In the order of their last use. */
  readonly #lists = new Map<bigint, MemberList>();
  #users = 0;

  constructor(deps: { shards: Shards; usersMax: number }) {
    this.#shards = deps.shards;
    this.#usersMax = deps.usersMax;
  }

  /** A list that knows that change of members: a kept one, else read from the shard. */
  async get(conversationId: bigint, membersEventNo: number): Promise<MemberList> {
    const kept = this.#lists.get(conversationId);
    if (kept && kept.membersEventNo >= membersEventNo) {
      this.#lists.delete(conversationId);
      this.#lists.set(conversationId, kept);
      return kept;
    }
    return this.read(conversationId);
  }

  /** The list as it is now. */
  async read(conversationId: bigint): Promise<MemberList> {
    const rows = await this.#shards
      .of(conversationId)
      .sql.query<ListRow>(
        'SELECT c.membersEventNo, c.memberCount, c.isLarge, m.userId, m.joinedSeq, m.joinedEventNo' +
          ' FROM Conversation c JOIN Member m ON m.conversationId = c.id' +
          ' WHERE c.id = ? AND m.isListed',
        [conversationId],
      );
    const [first] = rows;
    // Without a member there is no row to say how new that is: nobody can join again.
    const list: MemberList = first
      ? {
          membersEventNo: first.membersEventNo,
          memberCount: first.memberCount,
          isLarge: first.isLarge,
          members: rows.map(({ userId, joinedSeq, joinedEventNo }) => ({
            userId,
            joinedSeq,
            joinedEventNo,
          })),
        }
      : { membersEventNo: Number.MAX_SAFE_INTEGER, memberCount: 0, isLarge: false, members: [] };
    this.#keep(conversationId, list);
    return list;
  }

  #keep(conversationId: bigint, list: MemberList): void {
    this.#users -= this.#lists.get(conversationId)?.members.length ?? 0;
    this.#lists.delete(conversationId);
    this.#lists.set(conversationId, list);
    this.#users += list.members.length;
    for (const [id, { members }] of this.#lists) {
      if (this.#users <= this.#usersMax) break;
      this.#lists.delete(id);
      this.#users -= members.length;
    }
  }
}
