import type { Draft, Results } from './draft.ts';
import type { ConversationState, GroupLimits } from './state.ts';

/** How long a message may be changed, in ms, and how large a group may become. */
export interface TimelineRules extends GroupLimits {
  readonly recallWindowMs: number;
  readonly editWindowMs: number;
}

/** What must be loaded, under the head lock, before a draft can be decided. */
export interface Needs {
  /** Memberships by user. */
  readonly userIds: readonly bigint[];
  /** A message; with `author` the membership of who wrote it, too. */
  readonly message?: { readonly seq: number; readonly author: boolean };
  /** A red packet, and what its sender has sent under its key. */
  readonly redPacket?: {
    readonly id: bigint;
    readonly senderId: bigint;
    readonly clientMessageId: string;
  };
  /** Who inherits the group when they leave, where they own it. */
  readonly heirOf?: bigint;
}

/**
 * A kind of draft. `decide` works in memory, in the order of arrival: first every check, then the changes.
 */
export interface Kind<D extends Draft> {
  needs(draft: D): Needs;
  /** @throws {Fault} where the draft is refused; the state is then as it was. */
  decide(draft: D, state: ConversationState, rules: TimelineRules): Results[D['kind']];
}
