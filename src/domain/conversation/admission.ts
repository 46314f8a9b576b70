import { Fault } from '../../lib/fault.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import { directKey, groupKey } from '../timeline/timeline.ts';
import type { ConversationsDeps } from './shapes.ts';
import { membersAmong } from './member-reads.ts';
import { hasOrigin, membershipCounts } from './membership-reads.ts';
import type { Membership } from './membership.ts';

/**
 * Who can come into a conversation at all: users who exist in the app and have room for one more.
 *
 * The room is looked up before the writer decides, without a lock over all shards: calls that run
 * at once may exceed the limit by what they add. What would add nothing is never refused for want
 * of room, so a retry of what was done is answered like the first call.
 */
export class Admission {
  readonly #shards: ShardMap;
  readonly #users: ConversationsDeps['users'];
  readonly #membershipsMax: number;

  constructor(deps: ConversationsDeps) {
    this.#shards = deps.shards;
    this.#users = deps.users;
    this.#membershipsMax = deps.limits.membershipsPerUserMax;
  }

  /** @throws {Fault} NOT_FOUND where one of them is no user of the app. */
  async checkExist(appId: string, userIds: readonly bigint[]): Promise<void> {
    if (userIds.length === 0) return;
    const known = await this.#users.byIds(userIds);
    if (userIds.some((id) => known.get(id)?.appId !== appId)) {
      throw new Fault('NOT_FOUND', 'No such user.');
    }
  }

  /** @throws {Fault} FAILED_PRECONDITION */
  async checkRoomForDirect(actorId: bigint, peerId: bigint): Promise<void> {
    const full = await this.#full([...new Set([actorId, peerId])]);
    if (full.length > 0 && !(await this.#exists(directKey(actorId, peerId)))) throw noRoom();
  }

  /** @throws {Fault} FAILED_PRECONDITION */
  async checkRoomForGroup(
    actorId: bigint,
    clientRequestId: string,
    memberIds: readonly bigint[],
  ): Promise<void> {
    const full = await this.#full([actorId, ...memberIds]);
    if (full.length > 0 && !(await this.#exists(groupKey(actorId, clientRequestId)))) {
      throw noRoom();
    }
  }

  /** @throws {Fault} FAILED_PRECONDITION */
  async checkRoomToJoin(membership: Membership, userIds: readonly bigint[]): Promise<void> {
    const full = await this.#full(userIds);
    if (full.length === 0) return;
    const present = await membersAmong(this.#shards, membership, full);
    if (full.some((id) => !present.has(id))) throw noRoom();
  }

  /** Those who have all the memberships that they may have. One statement a shard. */
  async #full(userIds: readonly bigint[]): Promise<bigint[]> {
    if (userIds.length === 0) return [];
    const perShard = await Promise.all(
      this.#shards.all.map((shard) => membershipCounts(shard, userIds)),
    );
    const totals = new Map<bigint, number>();
    for (const { userId, total } of perShard.flat()) {
      totals.set(userId, (totals.get(userId) ?? 0) + total);
    }
    return userIds.filter((id) => (totals.get(id) ?? 0) >= this.#membershipsMax);
  }

  async #exists(originKey: Uint8Array): Promise<boolean> {
    const perShard = await Promise.all(
      this.#shards.all.map((shard) => hasOrigin(shard, originKey)),
    );
    return perShard.includes(true);
  }
}

function noRoom(): Fault {
  return new Fault('FAILED_PRECONDITION', 'A user has too many conversations.');
}
