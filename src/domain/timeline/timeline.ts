import type { Draft, ResultOf } from './draft.ts';

export type * from './draft.ts';
export type * from './model.ts';

/**
 * The writer of all timelines: the one door for what has an order in a conversation.
 *
 * `submit` answers after the draft's events are durably committed; whatever it answers has its final place. The
 * order of commits in a conversation is the order in which everybody sees its events.
 */
export interface TimelineWriter {
  /**
   * @throws {Fault} NOT_FOUND where the actor is no member or what it names does not exist for them;
   *   FAILED_PRECONDITION, FORBIDDEN, IDEMPOTENCY_CONFLICT as the contract says for each kind;
   *   UNAVAILABLE where the queue is full or the outcome is unknown: retry with the same key.
   */
  submit<D extends Draft>(draft: D): Promise<ResultOf<D>>;
}
