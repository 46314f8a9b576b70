import { assert } from '../../lib/assert.ts';
import type { Head, Member } from '../timeline/timeline.ts';

/** Known to this folder alone, so that nobody else can make a Membership. */
export const membershipToken: unique symbol = Symbol('membership');

/**
 * Proof that a viewer may read a conversation, as it was when they entered. Only `Conversations`
 * makes one, and nothing that returns a conversation's content can be called without one. What is
 * read with it checks the right once more, in the same statement.
 */
export class Membership {
  readonly #head: Head;
  readonly #member: Member;

  /** @param token what only `Conversations` has. */
  constructor(token: typeof membershipToken, head: Head, member: Member) {
    assert(token === membershipToken, 'only Conversations makes a Membership');
    assert(member.conversationId === head.id && member.isListed, 'no right to read');
    this.#head = head;
    this.#member = member;
  }

  get viewerId(): bigint {
    return this.#member.userId;
  }

  get head(): Head {
    return this.#head;
  }

  get member(): Member {
    return this.#member;
  }

  /** Messages after the last one read (or sent) and since the joining; never below 0. */
  get unreadCount(): number {
    const { readSeq, joinedSeq } = this.#member;
    return Math.max(0, this.#head.lastSeq - Math.max(readSeq, joinedSeq - 1));
  }
}
