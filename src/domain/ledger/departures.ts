import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import { marks } from '../../storage/sql.ts';
import type { Shard } from '../../storage/shards.ts';

interface TransferRow {
  readonly id: bigint;
  readonly kind: number;
  readonly redPacketId: bigint;
  readonly userId: bigint;
  readonly amount: bigint;
}

const rowsPerPage = 500;
const sendKind = 0;

/**
 * Walks through all transfers of a shard that nobody sees to any more: each has arrived, once. Those are asked for first, and their
 * destinations after that, so what is still underway is never taken for lost.
 */
export async function checkTransfers(shards: ShardMap, shard: Shard): Promise<string[]> {
  const problems: string[] = [];
  for (let afterId = 0n; ;) {
    const rows = await shard.sql.query<TransferRow>(
      'SELECT t.id, t.kind, t.redPacketId, t.userId, t.amount FROM Transfer t' +
        ' LEFT JOIN UnderwayTransfer u ON u.id = t.id' +
        ' WHERE t.id > ? AND u.id IS NULL ORDER BY t.id LIMIT ?',
      [afterId, rowsPerPage],
    );
    const [packets, entries] = await Promise.all([
      packetsOf(
        shards,
        rows.filter(({ kind }) => kind === sendKind),
      ),
      entriesOf(
        shards,
        rows.filter(({ kind }) => kind !== sendKind),
      ),
    ]);
    for (const row of rows) {
      const arrived = row.kind === sendKind ? packets.get(row.redPacketId) : entries.get(row.id);
      if (arrived === undefined) problems.push(`transfer ${row.id} never arrived`);
      else if (arrived !== row.amount)
        problems.push(`transfer ${row.id} arrived as another amount`);
    }
    if (rows.length < rowsPerPage) return problems;
    afterId = rows.at(-1)?.id ?? afterId;
  }
}

/** What has arrived, by the packet's id. */
async function packetsOf(
  shards: ShardMap,
  transfers: readonly TransferRow[],
): Promise<Map<bigint, bigint>> {
  const found = await readPerShard(
    shards,
    transfers,
    ({ redPacketId }) => redPacketId,
    ({ sql }, wanted) =>
      sql.query<{ id: bigint; total: bigint }>(
        `SELECT id, total FROM RedPacket WHERE id IN (${marks(wanted.length)})`,
        wanted.map(({ redPacketId }) => redPacketId),
      ),
  );
  return new Map(found.flat().map(({ id, total }) => [id, total]));
}

/** What has arrived, by the transfer's id. */
async function entriesOf(
  shards: ShardMap,
  transfers: readonly TransferRow[],
): Promise<Map<bigint, bigint>> {
  const found = await readPerShard(
    shards,
    transfers,
    ({ userId }) => userId,
    ({ sql }, wanted) => {
      const causes = pairsOf(wanted, ({ userId, id }) => [userId, Buffer.from(`transfer:${id}`)]);
      const { text, params } = pairsCondition(['userId', 'cause'], causes);
      return sql.query<{ cause: Uint8Array; amount: bigint }>(
        `SELECT cause, amount FROM WalletEntry WHERE ${text}`,
        params,
      );
    },
  );
  const idOf = (cause: Uint8Array) =>
    BigInt(Buffer.from(cause).toString().slice('transfer:'.length));
  return new Map(found.flat().map(({ cause, amount }) => [idOf(cause), amount]));
}
