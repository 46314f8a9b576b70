import type { Shards } from '../../storage/shards.ts';
import type { Viewer } from '../session/viewer.ts';
import type { Head, Member, Role, TimelineWriter } from '../timeline/timeline.ts';
import type { Membership } from './membership.ts';

export type { Membership } from './membership.ts';

export interface ConversationsDeps {
  readonly shards: Shards;
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
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** By user id. The cursor of each: `Conversations.memberCursor`. */
export interface MemberPage {
  readonly members: readonly Member[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

export interface ForwardPage {
  readonly first: number;
  /** A cursor as the client gave it. */
  readonly after: string | null;
}

/** What one who is no member may know of a conversation in which they have a message of their own. */
export type PublicHead = Pick<Head, 'id' | 'kind' | 'createdAtMs'>;

/** Conversations as their members see them, and what members do to them. */
export declare class Conversations {
  constructor(deps: ConversationsDeps);
  enter(viewer: Viewer, id: bigint): Promise<Membership | null>;
  enterOrFault(viewer: Viewer, id: bigint): Promise<Membership>;
  enterAll(viewer: Viewer, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, Membership>>;
  publicHead(id: bigint): Promise<PublicHead | null>;
  list(viewer: Viewer, page: ForwardPage): Promise<MembershipPage>;
  listCursor(membership: Membership): string;
  unreadTotal(viewer: Viewer): Promise<number>;
  members(membership: Membership, page: ForwardPage): Promise<MemberPage>;
  memberCursor(member: Member): string;
  membersOf(
    membership: Membership,
    userIds: readonly bigint[],
  ): Promise<ReadonlyMap<bigint, Member>>;
  sharedWith(viewer: Viewer, userIds: readonly bigint[]): Promise<ReadonlySet<bigint>>;
  openDirect(viewer: Viewer, peerId: bigint): Promise<Membership>;
  createGroup(
    viewer: Viewer,
    input: { clientRequestId: string; title: string; memberIds: readonly bigint[] },
  ): Promise<Membership>;
  rename(viewer: Viewer, id: bigint, title: string): Promise<Membership>;
  addMembers(viewer: Viewer, id: bigint, userIds: readonly bigint[]): Promise<Membership>;
  removeMember(viewer: Viewer, id: bigint, userId: bigint): Promise<Membership>;
  leave(viewer: Viewer, id: bigint): Promise<void>;
  setRole(viewer: Viewer, id: bigint, userId: bigint, role: Role): Promise<{ member: Member }>;
}
