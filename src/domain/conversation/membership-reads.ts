/** Memberships of users, read from one shard: each function is one statement. */
import { present } from '../../lib/assert.ts';
import { keyTable } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
import {
  columnsOf,
  headColumns,
  headOf,
  memberColumns,
  memberOf,
  messageColumns,
  messageOf,
  type HeadRow,
  type MemberRow,
  type Message,
  type MessageRow,
} from '../timeline/timeline.ts';
import type { ListPosition } from './cursors.ts';
import { Membership, membershipToken } from './membership.ts';

type MembershipRow = HeadRow & MemberRow;
type MaybeRow<Row> = Row | { readonly [Column in keyof Row]: null };

const columns = `${columnsOf('c', headColumns)}, ${columnsOf('m', memberColumns)}`;
const joined = 'FROM Member m JOIN Conversation c ON c.id = m.conversationId';

/** Of the newest message: its columns have names in common with those of the head. */
type LastRow = {
  readonly [Column in keyof MessageRow as `last_${Column}`]?: MessageRow[Column] | null;
};
type ListRow = { readonly hasBefore: bigint } & MaybeRow<MembershipRow> & LastRow;

const lastColumns = messageColumns.map((column) => `g.${column} AS last_${column}`).join(', ');
const lastMessage =
  'LEFT JOIN Message g ON g.conversationId = p.id AND g.seq = p.lastSeq AND g.seq >= p.joinedSeq';

function lastMessageOf(row: LastRow): Message {
  const entries = messageColumns.map((column) => [column, row[`last_${column}`]]);
  return messageOf(Object.fromEntries(entries) as MessageRow);
}

function membershipOf(row: MembershipRow): Membership {
  return new Membership(membershipToken, headOf(row), memberOf(row));
}

/** The memberships of those conversations in which the user has one that is listed. */
export async function membershipsIn(
  shard: Shard,
  userId: bigint,
  ids: readonly bigint[],
): Promise<Membership[]> {
  const rows = await shard.sql.query<MembershipRow>(
    `SELECT ${columns} ${joined}
     WHERE m.conversationId IN (${marks(ids.length)}) AND m.userId = ? AND m.isListed = 1`,
    [...ids, userId],
  );
  return rows.map(membershipOf);
}

interface ListStretch {
  readonly after: ListPosition | null;
  readonly count: number;
  readonly withLastMessages: boolean;
}

/**
 * The shard's part of a page: up to `count` memberships after the position, latest activity first, in no order, with
 * the newest message of each where these are wanted, and whether there are any up to it.
 */
export async function latestMemberships(
  shard: Shard,
  userId: bigint,
  { after, count, withLastMessages }: ListStretch,
): Promise<{ memberships: Membership[]; lastMessages: Message[]; hasBefore: boolean }> {
  const listed = `${joined} WHERE m.userId = ? AND m.isListed = 1`;
  const latest = 'ORDER BY c.activityAtMs DESC, c.id DESC LIMIT ?';
  const isAfter = '(c.activityAtMs < ? OR (c.activityAtMs = ? AND c.id < ?))';
  const position = after ? [after.activityAtMs, after.activityAtMs, after.id] : [];
  // The page is cut in a table of its own: contents are read for its rows alone, and never sorted.
  const page = `(SELECT ${columns} ${listed} ${after ? `AND ${isAfter} ` : ''}${latest}) p`;
  const pageColumns = columnsOf('p', [...headColumns, ...memberColumns]);
  // One row at least, so that an empty page knows as well whether anything comes before it.
  const rows = await shard.sql.query<ListRow>(
    `SELECT b.hasBefore AS hasBefore, ${pageColumns}${withLastMessages ? `, ${lastColumns}` : ''}
     FROM (SELECT ${after ? `EXISTS (SELECT 1 ${listed} AND NOT ${isAfter})` : '0'} AS hasBefore) b
     LEFT JOIN ${page} ON 1 = 1 ${withLastMessages ? lastMessage : ''}`,
    [...(after ? [userId, ...position] : []), userId, ...position, count],
  );
  return {
    memberships: rows.filter((row) => row.id !== null).map(membershipOf),
    lastMessages: rows.flatMap((row) => (row.last_seq == null ? [] : [lastMessageOf(row)])),
    hasBefore: rows.some((row) => Number(row.hasBefore) === 1),
  };
}

/** The sum of what `Membership.unreadCount` is for each. */
export async function unreadOf(shard: Shard, userId: bigint): Promise<number> {
  const { dialect } = shard.sql;
  const floor = dialect.greatest('m.readSeq', 'm.joinedSeq - 1');
  const unread = dialect.greatest('0', `c.lastSeq - ${floor}`);
  const [row] = await shard.sql.query<{ total: bigint }>(
    `SELECT COALESCE(SUM(${unread}), 0) AS total ${joined} WHERE m.userId = ? AND m.isListed = 1`,
    [userId],
  );
  return Number(row?.total ?? 0);
}

/**
 * Those of the pairs, of two different users each, who are both listed in one conversation.
 * @param pairs as many as one `keyTable` takes.
 */
export async function sharing(
  shard: Shard,
  pairs: readonly (readonly [bigint, bigint])[],
): Promise<(readonly [bigint, bigint])[]> {
  if (pairs.length === 0) return [];
  // By number, since what is selected from given values reads by engine.
  const rows = await shard.sql.query<{ at: bigint | number }>(
    `SELECT k.at FROM ${keyTable('k', ['at', 'one', 'other'], pairs.length)} WHERE EXISTS (
       SELECT 1 FROM Member m JOIN Member o ON o.conversationId = m.conversationId
       WHERE m.userId = k.one AND m.isListed = 1 AND o.userId = k.other AND o.isListed = 1)`,
    pairs.flatMap(([one, other], at) => [at, one, other]),
  );
  return rows.map(({ at }) => present(pairs[Number(at)], 'a pair that nobody asked for'));
}

/** How many memberships each of them has, listed or not; without those who have none. */
export async function membershipCounts(
  shard: Shard,
  userIds: readonly bigint[],
): Promise<{ userId: bigint; total: number }[]> {
  const rows = await shard.sql.query<{ userId: bigint; total: bigint }>(
    `SELECT userId, COUNT(*) AS total FROM Member WHERE userId IN (${marks(userIds.length)}) GROUP BY userId`,
    userIds,
  );
  return rows.map((row) => ({ userId: row.userId, total: Number(row.total) }));
}

/** Whether the shard holds what was created under that key. */
export async function hasOrigin(shard: Shard, originKey: Uint8Array): Promise<boolean> {
  const rows = await shard.sql.query<{ id: bigint }>(
    'SELECT id FROM Conversation WHERE originKey = ?',
    [originKey],
  );
  return rows.length > 0;
}
