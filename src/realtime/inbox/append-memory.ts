import { Recent } from '../../lib/recent.ts';
import type { LogHead } from './log-head.ts';

/** How far a conversation's events have gone. */
export interface Mark {
  /** The eventNo after the last that was appended. */
  readonly next: number;
  /** The newest change of members that was. */
  readonly members: number;
}

/**
 * What a shard's appender remembers of its own work: where the logs end, and how far conversations are. Nobody else
 * appends there, so what it has committed it need not read again.
 *
 * Whatever else may have changed a head (somebody reads it again, or for the first time) is forgotten by name; after a
 * transaction that failed everything is, since nobody knows whether it happened. That a memory was wrong all the same shows: an entry
 * that is there already takes the place of a second one.
 */
export class AppendMemory {
  readonly #heads: Recent<bigint, LogHead | null>;
  readonly #marks: Recent<bigint, Mark>;
  #turn = 0;

  constructor(limits: { readonly usersMax: number; readonly conversationsMax: number }) {
    this.#heads = new Recent(limits.usersMax);
    this.#marks = new Recent(limits.conversationsMax);
  }

  /** To be called before what is remembered later is read. */
  begin(): number {
    return this.#turn;
  }

  /** Null: there is no log; undefined: not known. */
  head(userId: bigint): LogHead | null | undefined {
    return this.#heads.get(userId);
  }

  mark(conversationId: bigint): Mark | undefined {
    return this.#marks.get(conversationId);
  }

  /**
   * Remembers what a committed transaction has left, or found.
   * @param turn what `begin` answered: where anything was forgotten since, these heads are not known either.
   */
  keep(
    turn: number,
    heads: ReadonlyMap<bigint, LogHead | null>,
    marks: ReadonlyMap<bigint, Mark>,
  ): void {
    for (const [userId, head] of heads) {
      if (turn === this.#turn) this.#heads.set(userId, head);
      else this.#heads.delete(userId);
    }
    for (const [conversationId, mark] of marks) this.#marks.set(conversationId, mark);
  }

  forget(userIds: readonly bigint[]): void {
    this.#turn += 1;
    for (const userId of userIds) this.#heads.delete(userId);
  }

  forgetAll(): void {
    this.#turn += 1;
    this.#heads.clear();
    this.#marks.clear();
  }
}
