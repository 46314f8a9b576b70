import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { checkText } from '../../lib/text.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { SqlTransaction, Statement } from '../../storage/sql.ts';
import type { Viewer } from '../session/session.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { Users } from '../user/user.ts';
import { BookingBatch, lockFreeWallets, type Booking as NewEntry } from './booking.ts';
import { Books } from './books.ts';
import { entriesBetween, entryByCause, entryByNo, entryPage, walletOf } from './entries.ts';
import type { TopUp, Wallet, WalletEntry, WalletEntryPage } from './model.ts';

export { entriesBetween, type EntryRange } from './entries.ts';
export type { TopUp, Wallet, WalletEntry, WalletEntryKind, WalletEntryPage } from './model.ts';

export interface WalletsDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly users: Pick<Users, 'byIds'>;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Called after a commit that left entries to be told in `UntoldWallet` of that shard. Must not throw. */
  readonly onEntries: (shardIndex: number) => void;
}

/** Money that leaves a wallet. */
export interface Payment {
  readonly userId: bigint;
  /** Positive. */
  readonly amount: bigint;
  /** The same cause is the same payment. */
  readonly cause: string;
  readonly redPacketId: bigint;
  /** What is written in the same transaction, where the payment is new. */
  readonly beside: readonly Statement[];
}

/** An entry, and whether it was there already. */
export interface Booking {
  readonly entry: WalletEntry;
  readonly isDuplicate: boolean;
}

/**
 * The wallets of users. A wallet is there from the beginning, empty; only its entries change its balance, and each has a cause
 * of its own, so nothing is booked twice. The balance that a wallet holds and that after its newest entry are compared in every
 * transaction that adds to it.
 */
export class Wallets implements Lifecycle {
  readonly #deps: WalletsDeps;
  readonly #books: Books;

  constructor(deps: WalletsDeps) {
    this.#deps = deps;
    this.#books = new Books(deps);
  }

  start(): Promise<void> {
    return this.#books.start();
  }

  stop(graceMs: number): Promise<void> {
    return this.#books.stop(graceMs);
  }

  /** The viewer's own. One statement. */
  mine({ userId }: Viewer): Promise<Wallet> {
    return walletOf(this.#deps.shards.of(userId).sql, userId);
  }

  /**
   * A page of the viewer's entries, newest first; one statement. `hasNextPage` and `hasPreviousPage` say exactly whether there
   * are older and newer ones.
   * @param page.after a cursor as `entryCursor` gave it.
   * @throws {Fault} INVALID_ARGUMENT for a cursor that is none, or a size out of bounds.
   */
  entries(
    { userId }: Viewer,
    page: { readonly first: number; readonly after: string | null },
  ): Promise<WalletEntryPage> {
    return entryPage(this.#deps.shards.of(userId).sql, userId, page);
  }

  /** Where an entry stands in `entries`: its number, in decimal. */
  entryCursor({ entryNo }: WalletEntry): string {
    return String(entryNo);
  }

  /** One of the viewer's own entries; null where there is none. One statement. */
  entry({ userId }: Viewer, entryNo: number): Promise<WalletEntry | null> {
    return entryByNo(this.#deps.shards.of(userId).sql, userId, entryNo);
  }

  /** The viewer's own entries of those numbers, both included. One statement. */
  entriesBetween(
    { userId }: Pick<Viewer, 'userId'>,
    firstEntryNo: number,
    lastEntryNo: number,
  ): Promise<WalletEntry[]> {
    const { sql } = this.#deps.shards.of(userId);
    return entriesBetween(sql, [{ userId, firstEntryNo, lastEntryNo }]);
  }

  /**
   * Puts money into circulation: the only way in. Whether the caller may is not asked here. Durable when it answers, and idempotent
   * by (user, key): again it answers the first entry.
   * @throws {Fault} INVALID_ARGUMENT for an amount that is no safe positive integer, a key or a reason out of form; NOT_FOUND for
   *   an unknown user, or one of another app than `appId` (null: any); IDEMPOTENCY_CONFLICT where the key was used with another
   *   amount or reason; FAILED_PRECONDITION where the balance would be beyond `toppedUpBalanceMax`; UNAVAILABLE
   */
  async topUp({ userId, amount, key, reason }: TopUp, appId: string | null): Promise<Booking> {
    if (amount <= 0n || amount > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new Fault('INVALID_ARGUMENT', 'amount must be a safe positive integer');
    }
    checkText('key', key, { min: 1, max: limits.clientIdCharsMax });
    checkText('reason', reason, { min: 1, max: limits.topUpReasonCharsMax });
    const user = (await this.#deps.users.byIds([userId])).get(userId);
    if (!user || (appId !== null && user.appId !== appId)) {
      throw new Fault('NOT_FOUND', 'There is no such user.');
    }
    const booked = await this.#books.submit({
      userId,
      kind: 'TOP_UP',
      amount,
      cause: `top-up:${key}`,
      redPacketId: null,
      reason,
      beside: [],
    });
    if (booked.entry.amount !== amount || booked.reason !== reason) {
      throw new Fault('IDEMPOTENCY_CONFLICT', 'This key was used for another top-up.');
    }
    return booked;
  }

  /**
   * Takes money out of a wallet for a red packet. Durable when it answers, idempotent by cause: again it answers the first entry,
   * and writes nothing beside it.
   * @throws {Fault} FAILED_PRECONDITION where the balance does not reach; UNAVAILABLE
   */
  pay({ userId, amount, cause, redPacketId, beside }: Payment): Promise<Booking> {
    return this.#books.submit({
      userId,
      kind: 'RED_PACKET_SENT',
      amount: -amount,
      cause,
      redPacketId,
      reason: null,
      beside,
    });
  }

  /**
   * Books a transfer that has arrived. Durable when it answers, idempotent by the transfer's id: again it answers the first entry,
   * and writes nothing beside it.
   * @throws {Fault} UNAVAILABLE
   */
  receive(transfer: Transfer, beside: readonly Statement[] = []): Promise<Booking> {
    return this.#books.submit(this.#arrivalOf(transfer, beside));
  }

  /**
   * Books transfers in the transaction that sends them, where source and destination are of one shard: they are never
   * underway. Locks the wallets, and reads them in one round trip.
   * @param transfers with new ids, to wallets of that shard.
   * @returns what is to be written in the same transaction; after its commit `tell` is to be called.
   */
  async receiveIn(
    tx: SqlTransaction,
    { sql }: Pick<Shard, 'sql'>,
    transfers: readonly Transfer[],
  ): Promise<Statement[]> {
    if (transfers.length === 0) return [];
    const bookings = transfers.map((transfer) => this.#arrivalOf(transfer, []));
    const nowMs = this.#deps.clock.now();
    const batch = new BookingBatch(sql, bookings, { nowMs, areCausesNew: true });
    await batch.load(tx);
    for (const decided of batch.decide()) {
      assert(decided.kind === 'done', 'what arrives is never refused');
    }
    return batch.statements();
  }

  /**
   * For who must not wait in `receiveIn`: locks those wallets of a shard that nobody holds, in a transaction.
   * @returns whose others hold.
   */
  lockFree(
    tx: SqlTransaction,
    { sql }: Pick<Shard, 'sql'>,
    userIds: readonly bigint[],
  ): Promise<ReadonlySet<bigint>> {
    return lockFreeWallets(tx, sql, userIds);
  }

  /** Says that entries of a shard's wallets were committed: their users are told. Must not throw. */
  tell(shardIndex: number): void {
    this.#deps.onEntries(shardIndex);
  }

  #arrivalOf(
    { id, kind, userId, amount, redPacketId }: Transfer,
    beside: readonly Statement[],
  ): NewEntry {
    return {
      userId,
      kind: kind === 'CLAIM' ? 'RED_PACKET_CLAIMED' : 'RED_PACKET_REFUNDED',
      amount,
      cause: this.#deps.failpoints.hasBug('effect-twice')
        ? `${kind}:${id}:${this.#deps.clock.now()}`
        : arrivalCause(id),
      redPacketId,
      reason: null,
      beside,
    };
  }

  /** Whether a transfer's entry is there. One statement. */
  async hasReceived({ id, userId }: Pick<Transfer, 'id' | 'userId'>): Promise<boolean> {
    const { sql } = this.#deps.shards.of(userId);
    return (await entryByCause(sql, userId, arrivalCause(id))) !== null;
  }
}

/** What a transfer's entry has as its cause. */
function arrivalCause(transferId: bigint): string {
  return `transfer:${transferId}`;
}
