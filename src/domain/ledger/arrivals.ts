import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import { marks } from '../../storage/sql.ts';
import type { Shard } from '../../storage/shards.ts';

interface EntryRow {
  readonly userId: bigint;
  readonly entryNo: number;
  readonly kind: number;
  readonly amount: bigint;
  readonly balance: bigint;
  readonly cause: Uint8Array;
  readonly redPacketId: bigint | null;
}

interface SourceRow {
  readonly id: bigint;
  readonly kind: number;
  readonly userId: bigint;
  readonly redPacketId: bigint;
  readonly amount: bigint;
}

const rowsPerPage = 1_000;
const topUpKind = 0;
const sentKind = 1;

/**
 * Walks through all entries of a shard, oldest first within a wallet: each continues the one before, and each that came by a transfer has one, that was
 * sent before the entry was read, of the same amount. Entries are never altered, so it does not matter that others are added.
 */
export async function checkEntries(shards: ShardMap, shard: Shard): Promise<string[]> {
  const problems: string[] = [];
  let before: EntryRow = { ...nobody };
  for (;;) {
    const rows = await shard.sql.query<EntryRow>(
      'SELECT userId, entryNo, kind, amount, balance, cause, redPacketId FROM WalletEntry' +
        ' WHERE userId > ? OR (userId = ? AND entryNo > ?) ORDER BY userId, entryNo LIMIT ?',
      [before.userId, before.userId, before.entryNo, rowsPerPage],
    );
    for (const row of rows) {
      if (!continues(before, row)) problems.push(`${nameOf(row)} does not continue the one before`);
      before = row;
    }
    problems.push(...(await checkSources(shards, rows)));
    if (rows.length < rowsPerPage) return problems;
  }
}

const nobody: EntryRow = {
  userId: 0n,
  entryNo: 0,
  kind: 0,
  amount: 0n,
  balance: 0n,
  cause: new Uint8Array(),
  redPacketId: null,
};

function continues(before: EntryRow, row: EntryRow): boolean {
  const isFirst = before.userId !== row.userId;
  const [entryNo, balance] = isFirst ? [0, 0n] : [before.entryNo, before.balance];
  const isRightWay = row.kind === sentKind ? row.amount < 0n : row.amount > 0n;
  return (
    isRightWay &&
    row.entryNo === entryNo + 1 &&
    row.balance === balance + row.amount &&
    row.balance >= 0n
  );
}

async function checkSources(shards: ShardMap, rows: readonly EntryRow[]): Promise<string[]> {
  const arrived = rows.filter(({ kind }) => kind !== topUpKind && kind !== sentKind);
  const named = arrived.map((row) => ({ row, transferId: transferOf(row) }));
  const ids = named.flatMap(({ transferId }) => (transferId === null ? [] : [transferId]));
  const found = await readPerShard(
    shards,
    ids,
    (id) => id,
    ({ sql }, wanted) =>
      sql.query<SourceRow>(
        `SELECT id, kind, userId, redPacketId, amount FROM Transfer WHERE id IN (${marks(wanted.length)})`,
        wanted,
      ),
  );
  const sources = new Map(found.flat().map((source) => [source.id, source]));
  return named.flatMap(({ row, transferId }) => {
    const source = transferId === null ? undefined : sources.get(transferId);
    if (!source) return [`${nameOf(row)} came from nowhere`];
    // A claim arrives as a claim; what is given back, for whatever reason, as a refund.
    const isKind = source.kind === 1 ? row.kind === 2 : source.kind > 1 && row.kind === 3;
    const isIts = source.userId === row.userId && source.redPacketId === row.redPacketId;
    return isKind && isIts && source.amount === row.amount
      ? []
      : [`${nameOf(row)} is not what was sent`];
  });
}

/** What `Wallets.receive` has as cause. */
function transferOf({ cause }: EntryRow): bigint | null {
  const id = /^transfer:(\d{1,19})$/.exec(Buffer.from(cause).toString())?.[1];
  return id === undefined ? null : BigInt(id);
}

function nameOf({ userId, entryNo }: EntryRow): string {
  return `entry ${entryNo} of wallet ${userId}`;
}
