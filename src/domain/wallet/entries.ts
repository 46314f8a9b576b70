import { Fault } from '../../lib/fault.ts';
import { limits } from '../../limits.ts';
import type { Sql } from '../../storage/sql.ts';
import { entryColumns, entryOf } from './entry-rows.ts';
import type { EntryRow } from './entry-rows.ts';
import type { Wallet, WalletEntry, WalletEntryPage } from './model.ts';

const select = `SELECT ${entryColumns.join(', ')} FROM WalletEntry`;
/** Entries of one SELECT. */
const rangesPerStatement = 200;

/** A stretch of a wallet's entries, both ends included. */
export interface EntryRange {
  readonly userId: bigint;
  readonly firstEntryNo: number;
  readonly lastEntryNo: number;
}

export async function walletOf(sql: Sql, userId: bigint): Promise<Wallet> {
  const text = 'SELECT balance FROM Wallet WHERE userId = ?';
  const [row] = await sql.query<{ balance: bigint }>(text, [userId]);
  return { userId, balance: row?.balance ?? 0n };
}

/** @throws {Fault} INVALID_ARGUMENT */
export async function entryPage(
  sql: Sql,
  userId: bigint,
  { first, after }: { readonly first: number; readonly after: string | null },
): Promise<WalletEntryPage> {
  if (!Number.isInteger(first) || first < 0 || first > limits.pageMessagesMax) {
    throw new Fault('INVALID_ARGUMENT', `first must be 0 to ${limits.pageMessagesMax}`);
  }
  const before = after === null ? null : decodeCursor(after);
  // One older, to know that there is one, and the newest number of all.
  const rows = await sql.query<EntryRow & { newestNo: number }>(
    `SELECT ${entryColumns.map((column) => `e.${column}`).join(', ')}, w.entryNo AS newestNo` +
      ' FROM Wallet w JOIN WalletEntry e ON e.userId = w.userId' +
      ' WHERE w.userId = ? AND e.entryNo < ? ORDER BY e.entryNo DESC LIMIT ?',
    [userId, before ?? 2 ** 31 - 1, first + 1],
  );
  const entries = rows.slice(0, first).map(entryOf);
  const hasPreviousPage = before !== null && (rows[0]?.newestNo ?? before) >= before;
  return { entries, hasNextPage: rows.length > first, hasPreviousPage };
}

export async function entryByNo(
  sql: Sql,
  userId: bigint,
  entryNo: number,
): Promise<WalletEntry | null> {
  const text = `${select} WHERE userId = ? AND entryNo = ?`;
  const [row] = await sql.query<EntryRow>(text, [userId, entryNo]);
  return row ? entryOf(row) : null;
}

export async function entryByCause(
  sql: Sql,
  userId: bigint,
  cause: string,
): Promise<WalletEntry | null> {
  const text = `${select} WHERE userId = ? AND cause = ?`;
  const [row] = await sql.query<EntryRow>(text, [userId, Buffer.from(cause)]);
  return row ? entryOf(row) : null;
}

/** The entries of some stretches, in no order that means anything. At most so many statements as pages of stretches. */
export async function entriesBetween(
  sql: Sql,
  ranges: readonly EntryRange[],
): Promise<WalletEntry[]> {
  const entries: WalletEntry[] = [];
  for (let at = 0; at < ranges.length; at += rangesPerStatement) {
    const page = ranges.slice(at, at + rangesPerStatement);
    const terms = page.map(() => '(userId = ? AND entryNo BETWEEN ? AND ?)').join(' OR ');
    const rows = await sql.query<EntryRow>(
      `${select} WHERE ${terms}`,
      page.flatMap(({ userId, firstEntryNo, lastEntryNo }) => [userId, firstEntryNo, lastEntryNo]),
    );
    entries.push(...rows.map(entryOf));
  }
  return entries;
}

/** @throws {Fault} INVALID_ARGUMENT */
function decodeCursor(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) >= 2 ** 31) {
    throw new Fault('INVALID_ARGUMENT', 'after is no cursor of this list');
  }
  return Number(text);
}
