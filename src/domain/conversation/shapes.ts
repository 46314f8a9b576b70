import type { ShardMap } from '../../storage/per-shard.ts';
import type { Head, Member, Message, TimelineWriter } from '../timeline/timeline.ts';
import type { Membership } from './membership.ts';

export interface ConversationsDeps {
  readonly shards: ShardMap;
  readonly timelines: TimelineWriter;
  /** Who exists; an id that is not in the answer does not. */
  readonly users: {
    byIds(ids: readonly bigint[]): Promise<ReadonlyMap<bigint, { readonly appId: string }>>;
  };
  readonly limits: { readonly membershipsPerUserMax: number };
}

/** Latest activity first. The cursor of each: `Conversations.listCursor`. */
export interface MembershipPage {
  readonly memberships: readonly Membership[];
  /** The newest message of each that has one, where they were asked for. */
  readonly lastMessages: readonly Message[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** By user id. The cursor of each: `Conversations.memberCursor`. */
export interface MemberPage {
  readonly members: readonly Member[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** Which stretch of a list is asked for: the first so many after a cursor. */
export interface ForwardPage {
  readonly first: number;
  /** A cursor as the client gave it. */
  readonly after: string | null;
}

/** Which stretch of the list of conversations, and whether with the newest message of each. */
export interface ListInput extends ForwardPage {
  readonly withLastMessages?: boolean;
}

/**
 * What one who is no member may know of a conversation in which they have a message of their own.
 */
export type PublicHead = Pick<Head, 'id' | 'kind' | 'createdAtMs'>;
