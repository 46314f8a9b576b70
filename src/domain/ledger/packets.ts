import type { Shard } from '../../storage/shards.ts';

interface PacketRow {
  readonly id: bigint;
  readonly state: number;
  readonly total: bigint;
  readonly count: number;
  readonly shares: string;
  readonly claimedCount: number;
  readonly claimedTotal: bigint;
  readonly refundedTotal: bigint;
  readonly claims: bigint;
  readonly claimSum: bigint;
}

const rowsPerPage = 500;

/**
 * Walks through all packets of a shard: claimed + refunded + left = total, the shares sum to it, and the claims are the first of
 * them. Each page is one statement, so a packet and its claims are of one moment.
 */
export async function checkPackets({ sql }: Shard): Promise<string[]> {
  const problems: string[] = [];
  for (let afterId = 0n; ;) {
    const rows = await sql.query<PacketRow>(
      'SELECT id, state, total, count, shares, claimedCount, claimedTotal, refundedTotal,' +
        ' (SELECT COUNT(*) FROM RedPacketClaim c WHERE c.redPacketId = p.id) AS claims,' +
        ' (SELECT COALESCE(SUM(amount), 0) FROM RedPacketClaim c WHERE c.redPacketId = p.id) AS claimSum' +
        ' FROM RedPacket p WHERE id > ? ORDER BY id LIMIT ?',
      [afterId, rowsPerPage],
    );
    for (const row of rows) {
      for (const problem of wrongWith(row)) problems.push(`red packet ${row.id}: ${problem}`);
    }
    if (rows.length < rowsPerPage) return problems;
    afterId = rows.at(-1)?.id ?? afterId;
  }
}

const total = (amounts: readonly bigint[]): bigint =>
  amounts.reduce((sum, amount) => sum + amount, 0n);

function wrongWith(row: PacketRow): string[] {
  const shares = (JSON.parse(row.shares) as (string | number)[]).map(BigInt);
  const left = row.total - row.claimedTotal - row.refundedTotal;
  const taken = shares.slice(0, row.claimedCount);
  const isRefused = shares.length === 0;
  const facts: readonly (readonly [boolean, string])[] = [
    [isRefused || shares.length === row.count, 'it has not as many shares as it says'],
    [isRefused || total(shares) === row.total, 'its shares do not sum to its total'],
    [shares.every((share) => share >= 1n), 'a share is worth nothing'],
    [row.claims === BigInt(row.claimedCount), 'it counts other claims than there are'],
    [row.claimSum === row.claimedTotal, 'its claims do not sum to what it says'],
    [total(taken) === row.claimedTotal, 'what was taken are not its first shares'],
    [left >= 0n, 'more left it than was in it'],
    [isRightState(row, left), 'its state is not that of its money'],
  ];
  return facts.filter(([holds]) => !holds).map(([, text]) => text);
}

/** Open: nothing went back, and there is a share left. Exhausted: all are taken. Expired or refused: nothing is left. */
function isRightState(row: PacketRow, left: bigint): boolean {
  if (row.state === 0) return row.refundedTotal === 0n && left > 0n;
  if (row.state === 1) return left === 0n && row.refundedTotal === 0n;
  return left === 0n;
}
