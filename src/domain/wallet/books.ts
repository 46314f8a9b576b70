import { present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { limits } from '../../limits.ts';
import { GroupCommit, type Settled } from '../../storage/group-commit.ts';
import { Patience } from '../../storage/patience.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { SqlError } from '../../storage/sql.ts';
import { BookingBatch, type Booked, type Booking } from './booking.ts';

export interface BooksDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Called after a commit that left entries to be told in `UntoldWallet` of that shard. Must not throw. */
  readonly onEntries: (shardIndex: number) => void;
}

/** How often a batch is begun anew because another node made a wallet or an entry of it first. */
const strikesMax = 3;

/** The one writer of wallets: those bookings of a shard that arrive together are one transaction. */
export class Books implements Lifecycle {
  readonly #deps: BooksDeps;
  readonly #writers = new Map<number, GroupCommit<Booking, Booked>>();

  constructor(deps: BooksDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    for (const shard of this.#deps.shards.all) {
      const patience = new Patience();
      const writer = new GroupCommit<Booking, Booked>({
        run: (bookings) =>
          patience.within((passesOver) => this.#run(shard, bookings, passesOver ? patience : null)),
        keyOf: ({ userId }) => userId,
        batchMax: limits.bookingsBatchMax,
        queueMax: limits.bookingsQueueMax,
        deferMaxMs: limits.moneyDeferMaxMs,
      });
      this.#writers.set(shard.index, writer);
    }
    await Promise.resolve();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop(graceMs)));
  }

  /** @throws {Fault} FAILED_PRECONDITION where the balance does not reach; UNAVAILABLE */
  submit(booking: Booking): Promise<Booked> {
    const { index } = this.#deps.shards.of(booking.userId);
    return present(this.#writers.get(index), 'the books were not opened').submit(booking);
  }

  /** @param lost patience that is lost, where wallets that others hold are passed over. */
  async #run(
    shard: Shard,
    bookings: readonly Booking[],
    lost: Patience | null,
  ): Promise<Settled<Booked>[]> {
    for (let strikes = 0; ; strikes += 1) {
      try {
        return await this.#commit(shard, bookings, lost);
      } catch (error) {
        const isStrike = error instanceof SqlError && error.kind === 'unique';
        if (!isStrike || strikes === strikesMax) throw error;
      }
    }
  }

  async #commit(
    shard: Shard,
    bookings: readonly Booking[],
    lost: Patience | null,
  ): Promise<Settled<Booked>[]> {
    const { clock, failpoints, onEntries } = this.#deps;
    const options = { nowMs: clock.now(), passesOver: lost !== null };
    const batch = new BookingBatch(shard.sql, bookings, options);
    const outcomes = await shard.sql
      .transaction(async (tx) => {
        await batch.load(tx);
        const decided = batch.decide();
        failpoints.reach('before-booking');
        if (!batch.isEmpty) await tx.finish(batch.statements());
        return decided;
      })
      .catch((error: unknown) => {
        // Perhaps it was committed all the same: what it did is found in its table.
        if (error instanceof SqlError && error.kind === 'connection') onEntries(shard.index);
        throw error;
      });
    failpoints.reach('after-booking');
    lost?.passedOver(batch.held);
    if (!batch.isEmpty) onEntries(shard.index);
    return outcomes;
  }
}
