import { chunks } from '../../lib/chunks.ts';
import { pairsCondition, type Pairs } from '../../storage/pairs.ts';
import { marks, type Sql, type SqlReader, type SqlTransaction } from '../../storage/sql.ts';
import { claimColumns, storedClaimOf } from './claim-rows.ts';
import type { ClaimRow, StoredClaim } from './claim-rows.ts';
import type { RedPacket } from './model.ts';
import { packetColumns, packetOf } from './packet-rows.ts';
import type { RedPacketRow } from './packet-rows.ts';

type LockedRow = RedPacketRow & { readonly shares: string; readonly senderMayClaim: boolean };

/** A packet while a batch decides about it. Its shares leave it only as claims. */
export interface LockedPacket {
  packet: RedPacket;
  readonly shares: readonly bigint[];
  readonly senderMayClaim: boolean;
}

/** Who may see a packet's message, from which seq on. */
export interface Claimer {
  readonly redPacketId: bigint;
  readonly userId: bigint;
  readonly joinedSeq: number;
}

const fromPacketsFor =
  'FROM RedPacket p JOIN Member m ON m.conversationId = p.conversationId' +
  ' WHERE m.isListed = 1 AND m.joinedSeq <= p.seq' +
  ' AND (p.recipientId IS NULL OR m.userId = p.recipientId)' +
  ' AND (p.senderMayClaim = 1 OR m.userId <> p.senderId)';

/**
 * Locks packets that were posted, and reads them with their shares.
 * @param ids in order.
 * @param passesOver those that others hold are not waited for.
 */
export async function lockPackets(
  tx: SqlTransaction,
  sql: Sql,
  ids: readonly bigint[],
  passesOver: boolean,
): Promise<LockedPacket[]> {
  const lock = passesOver ? sql.dialect.forUpdateSkipLocked : sql.dialect.forUpdate;
  const pages = chunks(ids, 500).map((page) =>
    tx.query<LockedRow>(
      `SELECT ${packetColumns.join(', ')}, shares, senderMayClaim FROM RedPacket` +
        ` WHERE id IN (${marks(page.length)}) AND seq IS NOT NULL ORDER BY id${lock}`,
      page,
    ),
  );
  return (await Promise.all(pages)).flat().map((row) => ({
    packet: packetOf(row),
    shares: (JSON.parse(row.shares) as number[]).map(BigInt),
    senderMayClaim: row.senderMayClaim,
  }));
}

/** The members among those who want a share. */
export async function loadClaimers(reader: SqlReader, pairs: Pairs<bigint>): Promise<Claimer[]> {
  if (pairs.size === 0) return [];
  const { text, params } = pairsCondition(['p.id', 'm.userId'], pairs);
  return reader.query<Claimer>(
    'SELECT p.id AS redPacketId, m.userId, m.joinedSeq FROM RedPacket p' +
      ` JOIN Member m ON m.conversationId = p.conversationId AND m.isListed = 1 WHERE ${text}`,
    params,
  );
}

/** Of those who want a share, who may claim at all: members who see the packet's message, and whom it is for. */
export async function mayClaim(reader: SqlReader, pairs: Pairs<bigint>): Promise<Claimer[]> {
  const { text, params } = pairsCondition(['p.id', 'm.userId'], pairs);
  return reader.query<Claimer>(
    `SELECT p.id AS redPacketId, m.userId, m.joinedSeq ${fromPacketsFor} AND ${text}`,
    params,
  );
}

/** Members of a conversation, up to so many. */
export function someMembers(
  reader: SqlReader,
  conversationId: bigint,
  most: number,
): Promise<Omit<Claimer, 'redPacketId'>[]> {
  return reader.query(
    'SELECT userId, joinedSeq FROM Member WHERE conversationId = ? AND isListed = 1 LIMIT ?',
    [conversationId, most],
  );
}

/** What those who want a share have taken already. */
export async function loadClaims(tx: SqlTransaction, pairs: Pairs<bigint>): Promise<StoredClaim[]> {
  if (pairs.size === 0) return [];
  const { text, params } = pairsCondition(['redPacketId', 'userId'], pairs);
  const rows = await tx.query<ClaimRow>(
    `SELECT ${claimColumns.join(', ')} FROM RedPacketClaim WHERE ${text}`,
    params,
  );
  return rows.map(storedClaimOf);
}
