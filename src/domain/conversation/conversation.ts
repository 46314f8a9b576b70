import { Fault } from '../../lib/fault.ts';
import type { Pairs } from '../../storage/pairs.ts';
import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import type { Viewer } from '../session/session.ts';
import { conversationKindOf } from '../timeline/timeline.ts';
import type { Member, Role, TimelineWriter } from '../timeline/timeline.ts';
import { Admission } from './admission.ts';
import { checkClientId, checkIds, checkTitle, noSuchConversation } from './arguments.ts';
import { encodeListCursor, encodeMemberCursor } from './cursors.ts';
import { membersAmong, membersPage, strangersAmong } from './member-reads.ts';
import { listPage, sharingAmong, unreadInAll } from './all-shards.ts';
import { membershipsIn } from './membership-reads.ts';
import type { Membership } from './membership.ts';
import type {
  ConversationsDeps,
  ForwardPage,
  ListInput,
  MemberPage,
  MembershipPage,
  PublicHead,
} from './shapes.ts';

export { checkClientId, checkPageSize, noSuchConversation } from './arguments.ts';
export type { Membership } from './membership.ts';
export type {
  ConversationsDeps,
  ForwardPage,
  ListInput,
  MemberPage,
  MembershipPage,
  PublicHead,
} from './shapes.ts';

/**
 * Conversations as their members see them, and what members do to them.
 *
 * Readers see what was committed before they were called. What members do goes, its form checked,
 * to the timeline writer, which decides alone what is allowed; it is durable when the call answers,
 * and the Membership answered was read after it. Users that an action names must exist in the
 * viewer's app. Nothing is cached.
 */
export class Conversations {
  readonly #shards: ShardMap;
  readonly #timelines: TimelineWriter;
  readonly #admission: Admission;

  constructor(deps: ConversationsDeps) {
    this.#shards = deps.shards;
    this.#timelines = deps.timelines;
    this.#admission = new Admission(deps);
  }

  /**
   * One statement. Null where it does not exist, does not exist for the viewer yet, or they are no
   * member.
   */
  async enter(viewer: Viewer, id: bigint): Promise<Membership | null> {
    const [membership] = await membershipsIn(this.#shards.of(id), viewer.userId, [id]);
    return membership ?? null;
  }

  /** @throws {Fault} NOT_FOUND where `enter` answers null. */
  async enterOrFault(viewer: Viewer, id: bigint): Promise<Membership> {
    const membership = await this.enter(viewer, id);
    if (!membership) throw noSuchConversation();
    return membership;
  }

  /** By conversation id, without those that `enter` answers null for. One statement a shard. */
  async enterAll(viewer: Viewer, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, Membership>> {
    const perShard = await readPerShard(
      this.#shards,
      [...new Set(ids)],
      (id) => id,
      (shard, ofShard) => membershipsIn(shard, viewer.userId, ofShard),
    );
    return new Map(perShard.flat().map((membership) => [membership.head.id, membership]));
  }

  /**
   * Checks no right: for a message's sender alone, who may have been removed since. One statement.
   */
  async publicHead(id: bigint): Promise<PublicHead | null> {
    const [row] = await this.#shards
      .of(id)
      .sql.query<{ kind: number; createdAtMs: bigint }>(
        'SELECT kind, createdAtMs FROM Conversation WHERE id = ?',
        [id],
      );
    if (!row) return null;
    return { id, kind: conversationKindOf(row.kind), createdAtMs: Number(row.createdAtMs) };
  }

  /**
   * The viewer's conversations, latest activity first, from all shards at once; one statement a
   * shard. `hasNextPage` and `hasPreviousPage` say exactly whether there were more after and
   * before, when it was read. One that moves up between two pages is on neither. The newest messages
   * are as of the same moment, so each has its head's `lastSeq`.
   * @throws {Fault} INVALID_ARGUMENT
   */
  list(viewer: Viewer, page: ListInput): Promise<MembershipPage> {
    return listPage(this.#shards, viewer.userId, page);
  }

  /** Where a membership stands in `list`. Opaque to clients. */
  listCursor({ head }: Membership): string {
    return encodeListCursor(head);
  }

  /** Unread messages over all conversations; one statement a shard. */
  unreadTotal(viewer: Viewer): Promise<number> {
    return unreadInAll(this.#shards, viewer.userId);
  }

  /**
   * One statement. In the order of user ids, so a page costs what it holds and nobody moves between
   * pages.
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND where the viewer has left since they entered.
   */
  members(membership: Membership, page: ForwardPage): Promise<MemberPage> {
    return membersPage(this.#shards, membership, page);
  }

  /** Where a member stands in `members`. Opaque to clients. */
  memberCursor(member: Member): string {
    return encodeMemberCursor(member.userId);
  }

  /**
   * Those of the users who are members; none where the viewer has left since they entered. One
   * statement.
   * @throws {Fault} INVALID_ARGUMENT for more than 1,000 ids.
   */
  membersOf(
    membership: Membership,
    userIds: readonly bigint[],
  ): Promise<ReadonlyMap<bigint, Member>> {
    return membersAmong(this.#shards, membership, userIds);
  }

  /**
   * Those of the users who may not read it: what a stream that lasts asks again. Tells nothing else of it. One statement
   * for each thousand of them.
   */
  strangers(id: bigint, userIds: readonly bigint[]): Promise<readonly bigint[]> {
    return strangersAmong(this.#shards, id, userIds);
  }

  /**
   * Which of the pairs of users share a conversation, one that is listed for both; who is paired with themself does. One
   * statement a shard for each 400 pairs.
   */
  sharing(pairs: Pairs<bigint>): Promise<Pairs<bigint>> {
    return sharingAmong(this.#shards, pairs);
  }

  /**
   * The one direct conversation of the viewer and that user, made on first use and from then on
   * listed for the viewer. Idempotent.
   * @throws {Fault} NOT_FOUND for an unknown user; FAILED_PRECONDITION where a new one would exceed
   *   either's memberships.
   */
  async openDirect(viewer: Viewer, peerId: bigint): Promise<Membership> {
    const { userId: actorId, appId } = viewer;
    await this.#admission.checkExist(appId, [peerId]);
    await this.#admission.checkRoomForDirect(actorId, peerId);
    const { conversationId } = await this.#timelines.submit({
      kind: 'openDirect',
      appId,
      actorId,
      peerId,
    });
    return this.enterOrFault(viewer, conversationId);
  }

  /**
   * A new group that the viewer owns. Idempotent by (viewer, clientRequestId).
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND for an unknown user, or where the viewer has left
   *   that group; IDEMPOTENCY_CONFLICT where the key was used with another input;
   *   FAILED_PRECONDITION where somebody has too many memberships.
   */
  async createGroup(
    viewer: Viewer,
    input: { clientRequestId: string; title: string; memberIds: readonly bigint[] },
  ): Promise<Membership> {
    const { userId: actorId, appId } = viewer;
    const clientRequestId = checkClientId('clientRequestId', input.clientRequestId);
    const title = checkTitle(input.title);
    const others = checkIds('memberIds', input.memberIds);
    others.delete(actorId);
    const memberIds = [...others];
    await this.#admission.checkExist(appId, memberIds);
    await this.#admission.checkRoomForGroup(actorId, clientRequestId, memberIds);
    const { conversationId } = await this.#timelines.submit({
      kind: 'createGroup',
      appId,
      actorId,
      clientRequestId,
      title,
      memberIds,
    });
    return this.enterOrFault(viewer, conversationId);
  }

  /**
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND; FAILED_PRECONDITION for a direct conversation;
   *   FORBIDDEN
   */
  async rename(viewer: Viewer, id: bigint, title: string): Promise<Membership> {
    await this.#timelines.submit({
      kind: 'rename',
      conversationId: id,
      actorId: viewer.userId,
      title: checkTitle(title),
    });
    return this.enterOrFault(viewer, id);
  }

  /**
   * Those who are members already stay as they are.
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND for the conversation or a user; FAILED_PRECONDITION
   *   for a direct conversation, a full group, or where somebody has too many memberships.
   */
  async addMembers(viewer: Viewer, id: bigint, userIds: readonly bigint[]): Promise<Membership> {
    const added = [...checkIds('userIds', userIds)];
    const membership = await this.enterOrFault(viewer, id);
    await this.#admission.checkExist(viewer.appId, added);
    await this.#admission.checkRoomToJoin(membership, added);
    await this.#timelines.submit({
      kind: 'addMembers',
      conversationId: id,
      actorId: viewer.userId,
      userIds: added,
    });
    return this.enterOrFault(viewer, id);
  }

  /**
   * @throws {Fault} INVALID_ARGUMENT for oneself; NOT_FOUND; FAILED_PRECONDITION for a direct
   *   conversation; FORBIDDEN
   */
  async removeMember(viewer: Viewer, id: bigint, userId: bigint): Promise<Membership> {
    if (userId === viewer.userId) {
      throw new Fault('INVALID_ARGUMENT', 'To leave a group there is leaveGroup.');
    }
    await this.#timelines.submit({
      kind: 'removeMember',
      conversationId: id,
      actorId: viewer.userId,
      userId,
    });
    return this.enterOrFault(viewer, id);
  }

  /** @throws {Fault} NOT_FOUND; FAILED_PRECONDITION for a direct conversation */
  async leave(viewer: Viewer, id: bigint): Promise<void> {
    await this.#timelines.submit({ kind: 'leave', conversationId: id, actorId: viewer.userId });
  }

  /**
   * @throws {Fault} NOT_FOUND; FAILED_PRECONDITION for a direct conversation or the owner's own
   *   role; FORBIDDEN
   */
  setRole(viewer: Viewer, id: bigint, userId: bigint, role: Role): Promise<{ member: Member }> {
    return this.#timelines.submit({
      kind: 'setRole',
      conversationId: id,
      actorId: viewer.userId,
      userId,
      role,
    });
  }
}
