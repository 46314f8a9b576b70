import { assert, present } from '../../lib/assert.ts';
import type { Sql } from '../../storage/sql.ts';

/** What a shard's tables say at one moment: amounts in minor units, and how many rows are wrong by themselves. */
export interface Sums {
  readonly wallets: bigint;
  readonly entries: bigint;
  readonly issued: bigint;
  /** Entries that took money out of a wallet; negative. */
  readonly sent: bigint;
  /** Entries by which transfers arrived in a wallet. */
  readonly arrived: bigint;
  readonly packetTotals: bigint;
  readonly claimed: bigint;
  readonly refunded: bigint;
  readonly sends: bigint;
  readonly claims: bigint;
  readonly refunds: bigint;
  readonly entryCount: bigint;
  readonly packetCount: bigint;
  readonly transferCount: bigint;
  readonly wrongWallets: bigint;
  readonly wrongClaims: bigint;
}

const sum = (what: string, from: string): string =>
  `(SELECT COALESCE(SUM(${what}), 0) FROM ${from})`;
const count = (from: string): string => `(SELECT COUNT(*) FROM ${from})`;

const columns: Readonly<Record<keyof Sums, string>> = {
  wallets: sum('balance', 'Wallet'),
  entries: sum('amount', 'WalletEntry'),
  issued: sum('amount', 'WalletEntry WHERE kind = 0'),
  sent: sum('amount', 'WalletEntry WHERE kind = 1'),
  arrived: sum('amount', 'WalletEntry WHERE kind >= 2'),
  packetTotals: sum('total', 'RedPacket'),
  claimed: sum('claimedTotal', 'RedPacket'),
  refunded: sum('refundedTotal', 'RedPacket'),
  sends: sum('amount', 'Transfer WHERE kind = 0'),
  claims: sum('amount', 'Transfer WHERE kind = 1'),
  refunds: sum('amount', 'Transfer WHERE kind >= 2'),
  entryCount: count('WalletEntry'),
  packetCount: count('RedPacket'),
  transferCount: count('Transfer'),
  wrongWallets: count(
    'Wallet w LEFT JOIN WalletEntry e ON e.userId = w.userId AND e.entryNo = w.entryNo' +
      ' WHERE w.balance < 0 OR e.balance IS NULL OR e.balance <> w.balance',
  ),
  wrongClaims: count(
    'RedPacketClaim c LEFT JOIN Transfer t ON t.id = c.transferId' +
      ' WHERE t.id IS NULL OR t.kind <> 1 OR t.amount <> c.amount OR t.userId <> c.userId' +
      ' OR t.redPacketId <> c.redPacketId',
  ),
};

/** One statement, so one moment: writers go on meanwhile. */
const statement = `SELECT ${Object.entries(columns)
  .map(([name, text]) => `${text} AS ${name}`)
  .join(', ')}`;

export async function sumsOf(sql: Sql): Promise<Sums> {
  const [row] = await sql.query<Sums>(statement);
  const sums = present(row, 'a row of sums');
  for (const value of Object.values(sums)) assert(typeof value === 'bigint', 'sums are exact');
  return sums;
}

/** What does not fit together within a shard, at that moment. */
export function problemsOf(sums: Sums, shardIndex: number): string[] {
  const facts: readonly (readonly [boolean, string])[] = [
    [sums.wallets === sums.entries, 'balances are not what the entries sum to'],
    [sums.sent === -sums.sends, 'what left wallets is not what was sent off'],
    [sums.claimed === sums.claims, 'what packets gave away is not what was sent off'],
    [sums.refunded === sums.refunds, 'what packets gave back is not what was sent off'],
    [sums.wrongWallets === 0n, `${sums.wrongWallets} wallets differ from their newest entry`],
    [sums.wrongClaims === 0n, `${sums.wrongClaims} claims have no transfer of their own`],
  ];
  return facts.filter(([holds]) => !holds).map(([, text]) => `shard ${shardIndex}: ${text}`);
}
