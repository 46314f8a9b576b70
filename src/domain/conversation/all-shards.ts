/**
 * What is known of a user's conversations only by asking all shards, each by one statement, and
 * merging.
 */
import type { ShardMap } from '../../storage/per-shard.ts';
import { checkIds, checkPageSize } from './arguments.ts';
import { decodeListCursor } from './cursors.ts';
import { latestMemberships, sharing, unreadOf } from './membership-reads.ts';
import type { Membership } from './membership.ts';
import type { ListInput, MembershipPage } from './shapes.ts';

/** @throws {Fault} INVALID_ARGUMENT */
export async function listPage(
  shards: ShardMap,
  userId: bigint,
  page: ListInput,
): Promise<MembershipPage> {
  const first = checkPageSize('first', page.first);
  const after = page.after === null ? null : decodeListCursor(page.after);
  const stretch = { after, count: first + 1, withLastMessages: page.withLastMessages === true };
  const parts = await Promise.all(
    shards.all.map((shard) => latestMemberships(shard, userId, stretch)),
  );
  const latest = parts.flatMap((part) => part.memberships).sort(byLatestActivity);
  return {
    memberships: latest.slice(0, first),
    lastMessages: parts.flatMap((part) => part.lastMessages),
    hasNextPage: latest.length > first,
    hasPreviousPage: parts.some((part) => part.hasBefore),
  };
}

export async function unreadInAll(shards: ShardMap, userId: bigint): Promise<number> {
  const parts = await Promise.all(shards.all.map((shard) => unreadOf(shard, userId)));
  return parts.reduce((total, part) => total + part, 0);
}

/** @throws {Fault} INVALID_ARGUMENT for too many ids. */
export async function sharersAmong(
  shards: ShardMap,
  userId: bigint,
  userIds: readonly bigint[],
): Promise<ReadonlySet<bigint>> {
  const asked = checkIds('userIds', userIds);
  const others = [...asked].filter((id) => id !== userId);
  const self = asked.has(userId) ? [userId] : [];
  if (others.length === 0) return new Set(self);
  const perShard = await Promise.all(shards.all.map((shard) => sharing(shard, userId, others)));
  return new Set([...self, ...perShard.flat()]);
}

function byLatestActivity(a: Membership, b: Membership): number {
  return b.head.activityAtMs - a.head.activityAtMs || (b.head.id > a.head.id ? 1 : -1);
}
