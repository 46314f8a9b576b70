import { present } from '../../lib/assert.ts';
import { insertRows } from '../../storage/inserts.ts';
import { marks } from '../../storage/sql.ts';
import type { SqlReader, Statement } from '../../storage/sql.ts';

const kinds = ['SEND', 'CLAIM', 'REFUND', 'RETURN'] as const;

/**
 * What moves money: SEND from a wallet into a red packet; out of one into a wallet a CLAIM, the REFUND of what was left when it
 * expired, the RETURN of one that the conversation refused.
 */
export type TransferKind = (typeof kinds)[number];

/**
 * Money on its way between two places, perhaps of two shards. The row is written in the transaction that takes the money out of its source, and
 * never altered. It has arrived once its destination says so: by a wallet entry with its id as cause, or a red packet that is
 * there. Until that is seen to it stands among what is underway.
 */
export interface Transfer {
  /** On the slot of its source. */
  readonly id: bigint;
  readonly kind: TransferKind;
  readonly redPacketId: bigint;
  /** Whose wallet it comes from, or goes to. */
  readonly userId: bigint;
  readonly amount: bigint;
  readonly createdAtMs: number;
}

interface TransferRow extends Omit<Transfer, 'kind' | 'createdAtMs'> {
  readonly kind: number;
  readonly createdAtMs: bigint;
}

const columns = ['id', 'kind', 'redPacketId', 'userId', 'amount', 'createdAtMs'];

/**
 * Sends transfers on their way: to be written where the money leaves, in the same transaction.
 * @param arriving those whose entries are written in that very transaction: nobody need see to them.
 */
export function departures(
  transfers: readonly Transfer[],
  arriving: readonly Transfer[] = [],
): Statement[] {
  return [
    ...insertRows(
      'Transfer',
      columns,
      [...transfers, ...arriving].map(({ id, kind, redPacketId, userId, amount, createdAtMs }) => [
        id,
        kinds.indexOf(kind),
        redPacketId,
        userId,
        amount,
        createdAtMs,
      ]),
    ),
    ...insertRows(
      'UnderwayTransfer',
      ['id', 'createdAtMs'],
      transfers.map(({ id, createdAtMs }) => [id, createdAtMs]),
    ),
  ];
}

/** Says that transfers have arrived: nobody need see to them any more. */
export function arrivals(ids: readonly bigint[]): Statement[] {
  if (ids.length === 0) return [];
  return [{ text: `DELETE FROM UnderwayTransfer WHERE id IN (${marks(ids.length)})`, params: ids }];
}

/**
 * Transfers of a shard that are still to be seen to, at least so old, in the order of ids. What is from a time to come was sent
 * by a node whose clock is ahead, which may be dead all the same.
 */
export async function underway(
  sql: SqlReader,
  page: {
    readonly afterId: bigint;
    readonly nowMs: number;
    readonly ageMs: number;
    readonly rowsMax: number;
  },
): Promise<Transfer[]> {
  const rows = await sql.query<TransferRow>(
    `SELECT ${columns.map((column) => `t.${column}`).join(', ')}` +
      ' FROM UnderwayTransfer u JOIN Transfer t ON t.id = u.id' +
      ' WHERE u.id > ? AND (u.createdAtMs <= ? OR u.createdAtMs >= ?) ORDER BY u.id LIMIT ?',
    [page.afterId, page.nowMs - page.ageMs, page.nowMs + page.ageMs, page.rowsMax],
  );
  return rows.map((row) => ({
    ...row,
    kind: present(kinds[row.kind], 'a transfer of unknown kind'),
    createdAtMs: Number(row.createdAtMs),
  }));
}
