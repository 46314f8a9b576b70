/**
 * Members of a conversation, for one who may read it: the right is in the same statement as what it
 * opens.
 */
import { chunks } from '../../lib/chunks.ts';
import { limits } from '../../limits.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import { marks } from '../../storage/sql.ts';
import { columnsOf, memberColumns, memberOf } from '../timeline/timeline.ts';
import type { Member, MemberRow } from '../timeline/timeline.ts';
import { checkIds, checkPageSize, noSuchConversation } from './arguments.ts';
import { decodeMemberCursor } from './cursors.ts';
import type { ForwardPage, MemberPage } from './shapes.ts';
import type { Membership } from './membership.ts';

type MaybeMemberRow = MemberRow | { readonly [Column in keyof MemberRow]: null };

const columns = columnsOf('o', memberColumns);
const viewer = 'm.conversationId = ? AND m.userId = ? AND m.isListed = 1';

/**
 * One statement. In the order of user ids, so a page costs what it holds and nobody moves between
 * pages.
 * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND where the viewer has left since they entered.
 */
export async function membersPage(
  shards: ShardMap,
  membership: Membership,
  page: ForwardPage,
): Promise<MemberPage> {
  const first = checkPageSize('first', page.first);
  const after = page.after === null ? 0n : decodeMemberCursor(page.after);
  const id = membership.head.id;
  // The page is cut in a table of its own: MariaDB would sort all members for an ORDER BY outside
  // of it.
  const rows = await shards.of(id).sql.query<{ hasBefore: bigint } & MaybeMemberRow>(
    `SELECT EXISTS (SELECT 1 FROM Member b WHERE b.conversationId = ? AND b.userId <= ?) AS hasBefore, ${columns}
     FROM Member m LEFT JOIN (SELECT ${memberColumns.join(', ')} FROM Member
       WHERE conversationId = ? AND userId > ? ORDER BY userId LIMIT ?) o ON 1 = 1
     WHERE ${viewer} ORDER BY o.userId`,
    [id, after, id, after, first + 1, id, membership.viewerId],
  );
  const [any] = rows;
  if (!any) throw noSuchConversation();
  const members = rows.filter((row) => row.userId !== null).map(memberOf);
  return {
    members: members.slice(0, first),
    hasNextPage: members.length > first,
    hasPreviousPage: Number(any.hasBefore) === 1,
  };
}

/**
 * Those of the users who are members; none where the viewer has left since they entered. One
 * statement.
 */
export async function membersAmong(
  shards: ShardMap,
  membership: Membership,
  userIds: readonly bigint[],
): Promise<ReadonlyMap<bigint, Member>> {
  const ids = [...checkIds('userIds', userIds)];
  if (ids.length === 0) return new Map();
  const id = membership.head.id;
  const rows = await shards.of(id).sql.query<MemberRow>(
    `SELECT ${columns} FROM Member m JOIN Member o ON o.conversationId = m.conversationId
     WHERE ${viewer} AND o.userId IN (${marks(ids.length)})`,
    [id, membership.viewerId, ...ids],
  );
  return new Map(rows.map((row) => [row.userId, memberOf(row)]));
}

/** Those of the users who are no members, or for whom it is not listed. One statement for each thousand of them. */
export async function strangersAmong(
  shards: ShardMap,
  id: bigint,
  userIds: readonly bigint[],
): Promise<bigint[]> {
  const pages = chunks([...new Set(userIds)], limits.idsPerCallMax).map((page) =>
    shards
      .of(id)
      .sql.query<{ userId: bigint }>(
        `SELECT userId FROM Member WHERE conversationId = ? AND isListed = 1 AND userId IN (${marks(page.length)})`,
        [id, ...page],
      ),
  );
  const members = new Set((await Promise.all(pages)).flat().map(({ userId }) => userId));
  return [...new Set(userIds)].filter((userId) => !members.has(userId));
}
