import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/fault.ts';
import { chunks } from '../../lib/chunks.ts';
import { limits } from '../../limits.ts';
import type { Settled } from '../../storage/group-commit.ts';
import { insertRows } from '../../storage/inserts.ts';
import { heldOf } from '../../storage/patience.ts';
import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import { marks } from '../../storage/sql.ts';
import type { Sql, SqlTransaction, Statement } from '../../storage/sql.ts';
import { entryColumns, entryValues, storedOf } from './entry-rows.ts';
import type { EntryRow, StoredEntry } from './entry-rows.ts';
import type { WalletEntryKind } from './model.ts';

/** A change of a wallet that somebody asks for. */
export interface Booking {
  readonly userId: bigint;
  readonly kind: WalletEntryKind;
  /** Negative where money leaves. */
  readonly amount: bigint;
  /** The same cause is the same entry. */
  readonly cause: string;
  readonly redPacketId: bigint | null;
  readonly reason: string | null;
  /** What is written in the same transaction, where this is new. */
  readonly beside: readonly Statement[];
}

export interface Booked extends StoredEntry {
  /** The cause had made its entry before. */
  readonly isDuplicate: boolean;
}

interface WalletState {
  readonly userId: bigint;
  balance: bigint;
  entryNo: number;
  readonly isNew: boolean;
}

interface WalletRow {
  readonly userId: bigint;
  readonly balance: bigint;
  readonly entryNo: number;
  /** The balance after the newest entry. */
  readonly entryBalance: bigint | null;
}

/** Keys of one SELECT. */
const keysPerStatement = 400;
const walletKey = { table: 'Wallet', key: 'userId' };
const toppedUpBalanceMax = BigInt(limits.toppedUpBalanceMax);

/** What bookings do to the wallets of a shard, decided in memory under the wallets' locks. */
export class BookingBatch {
  readonly #sql: Sql;
  readonly #bookings: readonly Booking[];
  readonly #nowMs: number;
  readonly #areCausesNew: boolean;
  readonly #passesOver: boolean;
  #held: ReadonlySet<bigint> = new Set();
  readonly #wallets = new Map<bigint, WalletState>();
  readonly #known = new Map<string, StoredEntry>();
  readonly #fresh: StoredEntry[] = [];
  readonly #beside: Statement[] = [];

  /**
   * @param options.areCausesNew none of them can have made an entry before: where one has, its key strikes.
   * @param options.passesOver wallets that others hold are not waited for: what is for them is deferred.
   */
  constructor(
    sql: Sql,
    bookings: readonly Booking[],
    options: {
      readonly nowMs: number;
      readonly areCausesNew?: boolean;
      readonly passesOver?: boolean;
    },
  ) {
    this.#sql = sql;
    this.#bookings = bookings;
    this.#nowMs = options.nowMs;
    this.#areCausesNew = options.areCausesNew ?? false;
    this.#passesOver = options.passesOver ?? false;
  }

  get isEmpty(): boolean {
    return this.#fresh.length === 0;
  }

  /** Whose wallets were passed over. */
  get held(): ReadonlySet<bigint> {
    return this.#held;
  }

  /** One round trip: the statements run in this order, so entries are read under the wallets' locks. */
  async load(tx: SqlTransaction): Promise<void> {
    const { dialect } = this.#sql;
    const lock = this.#passesOver ? dialect.forUpdateSkipLocked : dialect.forUpdate;
    const userIds = [...new Set(this.#bookings.map(({ userId }) => userId))];
    userIds.sort((a, b) => (a < b ? -1 : 1));
    const reads = chunks(userIds, keysPerStatement).map((page) =>
      tx.query<WalletRow>(
        'SELECT w.userId, w.balance, w.entryNo, e.balance AS entryBalance FROM Wallet w' +
          ' LEFT JOIN WalletEntry e ON e.userId = w.userId AND e.entryNo = w.entryNo' +
          ` WHERE w.userId IN (${marks(page.length)}) ORDER BY w.userId${lock}`,
        page,
      ),
    );
    const unsure = this.#areCausesNew ? [] : this.#bookings;
    const lookUps = chunks(unsure, keysPerStatement).map((page) => {
      const keys = pairsOf(page, ({ userId, cause }) => [userId, Buffer.from(cause)]);
      const { text, params } = pairsCondition(['userId', 'cause'], keys);
      const columns = entryColumns.join(', ');
      return tx.query<EntryRow>(`SELECT ${columns} FROM WalletEntry WHERE ${text}`, params);
    });
    const [wallets, entries] = await Promise.all([Promise.all(reads), Promise.all(lookUps)]);
    for (const { userId, balance, entryNo, entryBalance } of wallets.flat()) {
      // Each entry's balance is that of the one before plus its amount: so this is the sum of all.
      assert(balance === entryBalance, `a wallet's balance is not that of its entries: ${userId}`);
      this.#wallets.set(userId, { userId, balance, entryNo, isNew: false });
    }
    if (this.#passesOver) {
      const passedOver = userIds.filter((userId) => !this.#wallets.has(userId));
      this.#held = await heldOf(tx, walletKey, passedOver);
    }
    for (const row of entries.flat()) {
      const stored = storedOf(row);
      this.#known.set(keyOf(stored.entry.userId, stored.cause), stored);
    }
  }

  decide(): Settled<Booked>[] {
    return this.#bookings.map((booking) => this.#decideOne(booking));
  }

  statements(): Statement[] {
    const last = new Map(this.#fresh.map(({ entry }) => [entry.userId, entry]));
    const first = new Map([...this.#fresh].reverse().map(({ entry }) => [entry.userId, entry]));
    const states = [...last.keys()].map((userId) => this.#wallets.get(userId) as WalletState);
    // In one order, or two transactions that make wallets could wait for each other.
    states.sort((a, b) => (a.userId < b.userId ? -1 : 1));
    const rows = (isNew: boolean) =>
      states
        .filter((state) => state.isNew === isNew)
        .map(({ userId, balance, entryNo }) => [userId, balance, entryNo]);
    const { dialect } = this.#sql;
    const columns = ['userId', 'balance', 'entryNo'];
    const set = columns.slice(1).map((column) => `${column} = ${dialect.incoming(column)}`);
    return [
      // Two nodes may both have found no wallet: the second one strikes, and begins anew.
      ...insertRows('Wallet', columns, rows(true)),
      ...insertRows('Wallet', columns, rows(false), dialect.upsert(['userId'], set.join(', '))),
      ...insertRows('WalletEntry', entryColumns, this.#fresh.map(entryValues)),
      ...insertRows(
        'UntoldWallet',
        ['userId', 'firstEntryNo', 'lastEntryNo'],
        [...last].map(([userId, { entryNo }]) => [
          userId,
          first.get(userId)?.entryNo ?? entryNo,
          entryNo,
        ]),
        dialect.upsert(['userId'], `lastEntryNo = ${dialect.incoming('lastEntryNo')}`),
      ),
      ...this.#beside,
    ];
  }

  #decideOne(booking: Booking): Settled<Booked> {
    const { userId, kind, amount, cause, redPacketId, reason } = booking;
    const known = this.#known.get(keyOf(userId, cause));
    if (known) return { kind: 'done', result: { ...known, isDuplicate: true } };
    if (this.#held.has(userId)) return { kind: 'deferred' };
    const wallet = this.#walletOf(userId);
    const balance = wallet.balance + amount;
    if (balance < 0n) return refused('The balance does not reach.');
    if (kind === 'TOP_UP' && balance > toppedUpBalanceMax)
      return refused('The balance would be beyond 2^52.');
    wallet.balance = balance;
    wallet.entryNo += 1;
    const { entryNo } = wallet;
    const createdAtMs = this.#nowMs;
    const entry = { userId, entryNo, kind, amount, balance, redPacketId, createdAtMs };
    const stored = { entry, cause, reason };
    this.#known.set(keyOf(userId, cause), stored);
    this.#fresh.push(stored);
    this.#beside.push(...booking.beside);
    return { kind: 'done', result: { ...stored, isDuplicate: false } };
  }

  #walletOf(userId: bigint): WalletState {
    const known = this.#wallets.get(userId);
    if (known) return known;
    const empty = { userId, balance: 0n, entryNo: 0, isNew: true };
    this.#wallets.set(userId, empty);
    return empty;
  }
}

/** Locks those wallets that nobody holds. @returns whose others hold. */
export async function lockFreeWallets(
  tx: SqlTransaction,
  { dialect }: Pick<Sql, 'dialect'>,
  userIds: readonly bigint[],
): Promise<ReadonlySet<bigint>> {
  const pages = chunks(userIds, keysPerStatement).map((page) =>
    tx.query<{ userId: bigint }>(
      `SELECT userId FROM Wallet WHERE userId IN (${marks(page.length)}) ORDER BY userId${dialect.forUpdateSkipLocked}`,
      page,
    ),
  );
  const free = new Set((await Promise.all(pages)).flat().map(({ userId }) => userId));
  return heldOf(
    tx,
    walletKey,
    userIds.filter((userId) => !free.has(userId)),
  );
}

function keyOf(userId: bigint, cause: string): string {
  return `${userId} ${cause}`;
}

function refused(message: string): Settled<Booked> {
  return { kind: 'refused', fault: new Fault('FAILED_PRECONDITION', message) };
}
