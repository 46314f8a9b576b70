/**
 * What is known of users' conversations only by asking all shards, each by one statement for what one can ask, and merging.
 */
import { pairPages, pairsOf, type Pairs } from '../../storage/pairs.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import { checkPageSize } from './arguments.ts';
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

/** Who is paired with themself shares with themself. */
export async function sharingAmong(shards: ShardMap, pairs: Pairs<bigint>): Promise<Pairs<bigint>> {
  const isSelf = ([one, other]: readonly [bigint, bigint]): boolean => one === other;
  const shared: (readonly [bigint, bigint])[] = [];
  for (const page of pairPages(pairs)) {
    const asked = page.filter((pair) => !isSelf(pair));
    const perShard = await Promise.all(shards.all.map((shard) => sharing(shard, asked)));
    shared.push(...page.filter(isSelf), ...perShard.flat());
  }
  return pairsOf(shared, (pair) => pair);
}

function byLatestActivity(a: Membership, b: Membership): number {
  return b.head.activityAtMs - a.head.activityAtMs || (b.head.id > a.head.id ? 1 : -1);
}
