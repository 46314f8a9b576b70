import { chunks } from '../../lib/chunks.ts';
import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import { marks } from '../../storage/sql.ts';
import type { Sql, SqlTransaction } from '../../storage/sql.ts';
import type { ReadEvent } from './append-job.ts';
import type { Mark } from './append-memory.ts';
import { headColumns } from './log-head.ts';
import type { LogHead } from './log-head.ts';

/** Keys of one SELECT. */
const keysPerStatement = 500;

export type ToldRow = Pick<ReadEvent, 'conversationId' | 'userId' | 'readSeq'>;

/**
 * The heads that are there, locked: whoever is about to read a log again comes before it is found dormant, or makes a new
 * one after.
 */
export async function loadHeads(
  tx: SqlTransaction,
  sql: Sql,
  userIds: readonly bigint[],
): Promise<LogHead[]> {
  const ordered = [...userIds].sort((a, b) => (a < b ? -1 : 1));
  const pages = chunks(ordered, keysPerStatement).map((page) =>
    tx.query<LogHead>(
      `SELECT ${headColumns} FROM InboxHead WHERE userId IN (${marks(page.length)})` +
        ` ORDER BY userId${sql.dialect.forUpdate}`,
      page,
    ),
  );
  return (await Promise.all(pages)).flat();
}

/** How far these conversations are, where anything of them was appended. */
export async function loadMarks(
  tx: SqlTransaction,
  conversationIds: readonly bigint[],
): Promise<(Mark & { readonly conversationId: bigint })[]> {
  const pages = chunks(conversationIds, keysPerStatement).map((page) =>
    tx.query<Mark & { conversationId: bigint }>(
      'SELECT conversationId, nextEventNo AS next, membersEventNo AS members FROM Watermark' +
        ` WHERE conversationId IN (${marks(page.length)})`,
      page,
    ),
  );
  return (await Promise.all(pages)).flat();
}

/** The reads last told of those that these tell. */
export async function loadTold(
  tx: SqlTransaction,
  reads: readonly ReadEvent[],
): Promise<ToldRow[]> {
  const pages = chunks(reads, keysPerStatement).map((page) => {
    const pairs = pairsOf(page, (event) => [event.conversationId, event.userId]);
    const { text, params } = pairsCondition(['conversationId', 'userId'], pairs);
    return tx.query<ToldRow>(
      `SELECT conversationId, userId, readSeq FROM ToldRead WHERE ${text}`,
      params,
    );
  });
  return (await Promise.all(pages)).flat();
}
