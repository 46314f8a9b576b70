import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import { marks, type SqlValue } from '../../storage/sql.ts';
import type { Shard } from '../../storage/shards.ts';

interface PacketRow {
  readonly id: bigint;
  readonly conversationId: bigint;
  readonly senderId: bigint;
  readonly total: bigint;
  /** Null where it was refused. */
  readonly clientMessageId: Uint8Array | null;
}

const rowsPerPage = 500;

/**
 * Walks through all packets of a shard: the money of each left its sender's wallet, to the same amount. Packets are read first, and
 * their senders' shards after that, where the debit was committed before.
 */
export async function checkOrigins(shards: ShardMap, shard: Shard): Promise<string[]> {
  const problems: string[] = [];
  for (let afterId = 0n; ;) {
    const rows = await shard.sql.query<PacketRow>(
      'SELECT p.id, p.conversationId, p.senderId, p.total, m.clientMessageId FROM RedPacket p' +
        ' LEFT JOIN Message m ON m.conversationId = p.conversationId AND m.seq = p.seq' +
        ' WHERE p.id > ? ORDER BY p.id LIMIT ?',
      [afterId, rowsPerPage],
    );
    const sent = await sentAmounts(shards, rows);
    for (const { id, total } of rows) {
      const amount = sent.get(id);
      if (amount === undefined) problems.push(`red packet ${id} came from nowhere`);
      else if (amount !== total) problems.push(`red packet ${id} is not what was sent`);
    }
    if (rows.length < rowsPerPage) return problems;
    afterId = rows.at(-1)?.id ?? afterId;
  }
}

/** What left wallets for them, by the packet's id. */
async function sentAmounts(
  shards: ShardMap,
  packets: readonly PacketRow[],
): Promise<Map<bigint, bigint>> {
  const found = await readPerShard(
    shards,
    packets,
    ({ senderId }) => senderId,
    ({ sql }, wanted) => {
      const { text, params } = sendsCondition(wanted);
      return sql.query<{ redPacketId: bigint; amount: bigint }>(
        'SELECT s.redPacketId, t.amount FROM RedPacketSend s JOIN Transfer t ON t.id = s.transferId' +
          ` WHERE t.kind = 0 AND (${text})`,
        params,
      );
    },
  );
  return new Map(found.flat().map(({ redPacketId, amount }) => [redPacketId, amount]));
}

/** By the keys that they were sent under; one that was refused has no message to tell its own. */
function sendsCondition(packets: readonly PacketRow[]): { text: string; params: SqlValue[] } {
  const terms = new Map<string, { text: string; fixed: SqlValue[]; values: SqlValue[] }>();
  for (const { id, senderId, conversationId, clientMessageId } of packets) {
    const column = clientMessageId === null ? 'redPacketId' : 'clientMessageId';
    const key = `${column} ${senderId} ${conversationId}`;
    const text = `s.senderId = ? AND s.conversationId = ? AND s.${column}`;
    const term = terms.get(key) ?? { text, fixed: [senderId, conversationId], values: [] };
    term.values.push(clientMessageId ?? id);
    terms.set(key, term);
  }
  const all = [...terms.values()];
  return {
    text: all.map(({ text, values }) => `(${text} IN (${marks(values.length)}))`).join(' OR '),
    params: all.flatMap(({ fixed, values }) => [...fixed, ...values]),
  };
}
