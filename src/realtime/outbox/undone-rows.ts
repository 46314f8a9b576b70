import { chunks } from '../../lib/chunks.ts';
import { decodeBody } from '../../domain/timeline/timeline.ts';
import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import type { Shard } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';

/** Beyond every id. */
const idMax = 2n ** 63n - 1n;
/** Bodies of one SELECT. */
const rowsPerStatement = 200;

/**
 * The ids of a shard's outbox rows that are not done in this epoch, the first ones in order.
 * @param range after one and before the other, both left out.
 */
export async function undoneIds(
  { sql }: Shard,
  epoch: bigint,
  range: { readonly after: bigint; readonly before: bigint | null },
  idsMax: number,
): Promise<bigint[]> {
  const never = await sql.query<{ id: bigint }>(
    'SELECT id FROM OutboxRow WHERE doneIn IS NULL AND doneAtMs IS NULL AND id > ? AND id < ?' +
      ' ORDER BY id LIMIT ?',
    [range.after, range.before ?? idMax, idsMax],
  );
  // After that, as a row may be marked in an epoch that is over, meanwhile. Few, but for a moment after an epoch began; the
  // index alone has them.
  const elsewhere = await sql.query<{ id: bigint }>(
    'SELECT id FROM OutboxRow WHERE doneIn < ? OR doneIn > ?',
    [epoch, epoch],
  );
  return [...never, ...elsewhere]
    .map(({ id }) => id)
    .filter((id) => id > range.after && (range.before === null || id < range.before))
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, idsMax);
}

/** Rows by id, in order, without the messages that the writer knew; those that are gone are left out. */
export async function readRows(shard: Shard, ids: readonly bigint[]): Promise<CommittedRow[]> {
  const rows: CommittedRow[] = [];
  for (const page of chunks(ids, rowsPerStatement)) {
    const read = await shard.sql.query<{ id: bigint; createdAtMs: bigint; body: string }>(
      `SELECT id, createdAtMs, body FROM OutboxRow WHERE id IN (${marks(page.length)}) ORDER BY id`,
      page,
    );
    for (const { id, createdAtMs, body } of read) {
      rows.push({
        shardIndex: shard.index,
        id,
        body: decodeBody(body),
        createdAtMs: Number(createdAtMs),
        messages: [],
      });
    }
  }
  return rows;
}

/**
 * Deletes the first rows, up to one that is not done in this epoch or was done later than that. None that stands behind it: nodes
 * mark by their own clocks, and in their own order, and what new logs are told again must have no hole. So those before it go
 * as well that are marked in another epoch meanwhile, which has just begun.
 */
export async function forgetDone({ sql }: Shard, epoch: bigint, beforeMs: number): Promise<void> {
  const [first] = await sql.query<{ kept: bigint | null }>(
    'SELECT COALESCE((SELECT id FROM OutboxRow' +
      ' WHERE doneIn IS NULL OR doneIn <> ? OR doneAtMs IS NULL OR doneAtMs >= ? ORDER BY id LIMIT 1),' +
      ' (SELECT MAX(id) + 1 FROM OutboxRow)) AS kept',
    [epoch, beforeMs],
  );
  // One that took its id before, and is committed since, is not done.
  const text = 'DELETE FROM OutboxRow WHERE doneIn IS NOT NULL AND id < ?';
  await sql.execute(text, [first?.kept ?? 0n]);
}

/** What rows say of some conversations. */
export function about(
  rows: readonly CommittedRow[],
  conversationIds: ReadonlySet<bigint>,
): CommittedRow[] {
  return rows.flatMap((row) => {
    const parts = row.body.parts.filter((part) => conversationIds.has(part.conversationId));
    return parts.length === 0 ? [] : [{ ...row, body: { ...row.body, parts } }];
  });
}
