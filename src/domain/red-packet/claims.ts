import { present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { slotOf, type IdSource } from '../../lib/id.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { limits } from '../../limits.ts';
import { GroupCommit, type Settled } from '../../storage/group-commit.ts';
import { Patience } from '../../storage/patience.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { SqlError } from '../../storage/sql.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { Wallets } from '../wallet/wallet.ts';
import { ClaimBatch, type ClaimJob, type ClaimResult } from './claim-batch.ts';
import type { StoredClaim } from './claim-rows.ts';
import { LateClaims } from './late-claims.ts';
import { storedClaimsOf } from './reads.ts';

export interface ClaimsDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** No other node ends memberships. */
  readonly isAlone: boolean;
  readonly wallets: Pick<Wallets, 'receiveIn' | 'lockFree' | 'tell'>;
  /** Told what has left packets of a shard for another one, after the commit. Must not throw. */
  readonly onTransfers: (transfers: readonly Transfer[]) => Promise<unknown>;
  /** Called after a commit that left states to be told in `UntoldRedPacket` of that shard. Must not throw. */
  readonly onChanged: (shardIndex: number) => void;
}

/** How often a batch is begun anew because an id of it was drawn elsewhere. */
const strikesMax = 3;

/** The one writer of packets that are there: the claims of a shard that arrive together are one transaction. */
export class Claims implements Lifecycle {
  readonly #deps: ClaimsDeps;
  readonly #writers = new Map<number, GroupCommit<ClaimJob, ClaimResult>>();
  readonly #late: LateClaims;

  constructor(deps: ClaimsDeps) {
    this.#deps = deps;
    this.#late = new LateClaims(deps);
  }

  async start(): Promise<void> {
    for (const shard of this.#deps.shards.all) {
      const patience = new Patience();
      const writer = new GroupCommit<ClaimJob, ClaimResult>({
        run: (jobs) => this.#run(shard, jobs, patience),
        keyOf: ({ redPacketId }) => redPacketId,
        batchMax: limits.claimsBatchMax,
        queueMax: limits.claimsQueueMax,
        deferMaxMs: limits.moneyDeferMaxMs,
      });
      this.#writers.set(shard.index, writer);
    }
    await this.#late.start();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop(graceMs)));
    await this.#late.stop();
  }

  /** @throws {Fault} NOT_FOUND; FORBIDDEN; UNAVAILABLE */
  async claim(redPacketId: bigint, userId: bigint): Promise<ClaimResult> {
    const known =
      this.#late.answerAtOnce(redPacketId, userId) ??
      (await this.#late.answer(redPacketId, userId));
    return known ?? this.#submit({ kind: 'claim', redPacketId, userId });
  }

  /** Closes a packet whose time is over; of one that is closed, or whose time is not over, nothing changes. @throws {Fault} */
  async expire(redPacketId: bigint): Promise<void> {
    await this.#submit({ kind: 'expire', redPacketId });
  }

  /** Says that a claim's credit was seen to be there. */
  credited(claim: StoredClaim): void {
    this.#late.credited(claim);
  }

  membershipEnded(conversationId: bigint, userId: bigint): void {
    this.#late.membershipEnded(conversationId, userId);
  }

  #submit(job: ClaimJob): Promise<ClaimResult> {
    const { index } = this.#deps.shards.of(job.redPacketId);
    return present(this.#writers.get(index), 'claims were not started').submit(job);
  }

  async #run(
    shard: Shard,
    jobs: readonly ClaimJob[],
    patience: Patience,
  ): Promise<Settled<ClaimResult>[]> {
    // Who waited while it closed needs no transaction.
    const known = jobs.map((job) =>
      job.kind === 'claim' ? this.#late.answerAtOnce(job.redPacketId, job.userId) : null,
    );
    const open = jobs.filter((_job, index) => known[index] === null);
    const settled =
      open.length === 0
        ? []
        : await patience.within((passesOver) =>
            this.#decide(shard, open, passesOver ? patience : null),
          );
    let at = 0;
    return known.map((result) =>
      result ? { kind: 'done', result } : present(settled[at++], 'each job is settled'),
    );
  }

  /** @param lost patience that is lost, where what others hold is passed over. */
  async #decide(
    shard: Shard,
    jobs: readonly ClaimJob[],
    lost: Patience | null,
  ): Promise<Settled<ClaimResult>[]> {
    for (let strikes = 0; ; strikes += 1) {
      try {
        return await this.#commit(shard, jobs, lost);
      } catch (error) {
        const isStrike = error instanceof SqlError && error.kind === 'unique';
        if (!isStrike || strikes === strikesMax) throw error;
      }
    }
  }

  async #commit(
    shard: Shard,
    jobs: readonly ClaimJob[],
    lost: Patience | null,
  ): Promise<Settled<ClaimResult>[]> {
    const { shards, clock, failpoints, ids, wallets, onTransfers } = this.#deps;
    const { moment } = this.#late;
    const batch = new ClaimBatch(shard.sql, jobs, {
      nowMs: clock.now(),
      failpoints,
      newId: (redPacketId) => ids.next(slotOf(redPacketId)),
      isHere: (userId) => shards.of(userId) === shard,
      lockFree: lost ? (tx, userIds) => wallets.lockFree(tx, shard, userIds) : null,
    });
    let earlier: StoredClaim[] = [];
    const outcomes = await shard.sql
      .transaction(async (tx) => {
        await batch.load(tx);
        const decided = batch.decide();
        const [entries, ...claims] = await Promise.all([
          wallets.receiveIn(tx, shard, batch.arriving),
          ...batch.closing.map(({ packet }) => storedClaimsOf(tx, packet.id)),
        ]);
        earlier = claims.flat();
        // On another connection, so on SQLite it would wait for ever.
        if (failpoints.hasBug('credit-before-claim')) await onTransfers(batch.leaving);
        failpoints.reach('before-claim');
        if (!batch.isEmpty) await tx.finish([...batch.statements(), ...entries]);
        return decided;
      })
      .catch((error: unknown) => {
        // Perhaps it was committed all the same: what it did is found in its table.
        if (error instanceof SqlError && error.kind === 'connection') this.#tell(shard.index);
        throw error;
      });
    failpoints.reach('after-claim');
    lost?.passedOver(batch.held);
    if (!batch.isEmpty) {
      void onTransfers(batch.leaving);
      this.#tell(shard.index);
    }
    for (const locked of batch.closing) {
      const { id } = locked.packet;
      const before = earlier.filter(({ redPacketId }) => redPacketId === id);
      this.#late.closed(shard, locked, [...before, ...batch.granted(id)]);
    }
    for (const locked of batch.closed) {
      this.#late.seen(shard, locked, batch.claimers(locked.packet.id), moment);
    }
    return outcomes;
  }

  #tell(shardIndex: number): void {
    this.#deps.onChanged(shardIndex);
    this.#deps.wallets.tell(shardIndex);
  }
}
