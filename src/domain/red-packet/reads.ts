import { present } from '../../lib/assert.ts';
import { chunks } from '../../lib/chunks.ts';
import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import { marks, type SqlReader } from '../../storage/sql.ts';
import { columnsOf, messageColumns, messageOf } from '../timeline/timeline.ts';
import type { Message, MessageRow } from '../timeline/timeline.ts';
import { claimColumns, claimOf, storedClaimOf } from './claim-rows.ts';
import type { ClaimRow, StoredClaim } from './claim-rows.ts';
import type { Claim, RedPacket } from './model.ts';
import { packetColumns, packetOf } from './packet-rows.ts';
import type { RedPacketRow } from './packet-rows.ts';

/** Keys of one SELECT. */
const keysPerStatement = 400;

/** Those whose message the user may see. */
export async function visiblePackets(
  shards: ShardMap,
  userId: bigint,
  ids: readonly bigint[],
): Promise<RedPacket[]> {
  const read = await readPerShard(
    shards,
    ids,
    (id) => id,
    async ({ sql }, ofShard) => {
      const pages = chunks(ofShard, keysPerStatement).map((page) =>
        sql.query<RedPacketRow>(
          `SELECT ${columnsOf('p', packetColumns)} FROM RedPacket p` +
            ' JOIN Member m ON m.conversationId = p.conversationId AND m.userId = ?' +
            ` AND m.isListed = 1 AND m.joinedSeq <= p.seq WHERE p.id IN (${marks(page.length)})`,
          [userId, ...page],
        ),
      );
      return (await Promise.all(pages)).flat();
    },
  );
  return read.flat().map(packetOf);
}

/** One that was posted, whoever asks. */
export async function packetById(sql: SqlReader, id: bigint): Promise<RedPacket | null> {
  const [row] = await sql.query<RedPacketRow>(
    `SELECT ${packetColumns.join(', ')} FROM RedPacket WHERE id = ? AND seq IS NOT NULL`,
    [id],
  );
  return row ? packetOf(row) : null;
}

/** A packet that its conversation refused, and why. */
export interface Refusal {
  readonly id: bigint;
  readonly senderId: bigint;
  readonly conversationId: bigint;
  readonly faultCode: string | null;
  readonly faultMessage: string | null;
}

export async function refusalOf(sql: SqlReader, id: bigint): Promise<Refusal> {
  const [row] = await sql.query<Refusal>(
    'SELECT id, senderId, conversationId, faultCode, faultMessage FROM RedPacket' +
      ' WHERE id = ? AND seq IS NULL',
    [id],
  );
  return present(row, 'what was returned was refused');
}

/** A message, whoever asks: for its sender, who may have been removed since. */
export async function messageAt(
  sql: SqlReader,
  conversationId: bigint,
  seq: number,
): Promise<Message | null> {
  const [row] = await sql.query<MessageRow>(
    `SELECT ${messageColumns.join(', ')} FROM Message WHERE conversationId = ? AND seq = ?`,
    [conversationId, seq],
  );
  return row ? messageOf(row) : null;
}

/** Every claim of a packet, first come first. */
export async function storedClaimsOf(sql: SqlReader, redPacketId: bigint): Promise<StoredClaim[]> {
  const rows = await sql.query<ClaimRow>(
    `SELECT ${claimColumns.join(', ')} FROM RedPacketClaim WHERE redPacketId = ? ORDER BY shareNo`,
    [redPacketId],
  );
  return rows.map(storedClaimOf);
}

/** The claims of packets, first come first. @param userId whose alone; null: everybody's. */
export async function claimsOfPackets(
  shards: ShardMap,
  packets: readonly RedPacket[],
  userId: bigint | null,
): Promise<Claim[]> {
  const byId = new Map(packets.map((packet) => [packet.id, packet]));
  const own = userId === null ? '' : ' AND userId = ?';
  const read = await readPerShard(
    shards,
    [...byId.keys()],
    (id) => id,
    async ({ sql }, ofShard) => {
      const pages = chunks(ofShard, keysPerStatement).map((page) =>
        sql.query<ClaimRow>(
          `SELECT ${claimColumns.join(', ')} FROM RedPacketClaim` +
            ` WHERE redPacketId IN (${marks(page.length)})${own} ORDER BY redPacketId, shareNo`,
          userId === null ? page : [...page, userId],
        ),
      );
      return (await Promise.all(pages)).flat();
    },
  );
  return read.flat().flatMap((row) => {
    const packet = byId.get(row.redPacketId);
    // What was claimed since the packet was read is not part of what it shows.
    if (!packet || row.shareNo >= packet.claimedCount) return [];
    return [claimOf(storedClaimOf(row), packet)];
  });
}
