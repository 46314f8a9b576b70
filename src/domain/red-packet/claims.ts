import { present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { Gathered } from '../../lib/gathered.ts';
import { slotOf, type IdSource } from '../../lib/id.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { limits } from '../../limits.ts';
import { GroupCommit, type Settled } from '../../storage/group-commit.ts';
import { pairsOf } from '../../storage/pairs.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { SqlError } from '../../storage/sql.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { Wallets } from '../wallet/wallet.ts';
import { ClaimBatch, type ClaimJob, type ClaimResult } from './claim-batch.ts';
import { allWhoMayClaim, mayClaim } from './claim-load.ts';
import { ClosedPackets } from './closed-packets.ts';
import type { StoredClaim } from './claim-rows.ts';
import type { RedPacket } from './model.ts';
import { storedClaimsOf } from './reads.ts';

export interface ClaimsDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** No other node ends memberships. */
  readonly isAlone: boolean;
  readonly wallets: Pick<Wallets, 'receiveIn' | 'tell'>;
  /** Told what has left packets of a shard for another one, after the commit. Must not throw. */
  readonly onTransfers: (transfers: readonly Transfer[]) => Promise<unknown>;
  /** Called after a commit that left states to be told in `UntoldRedPacket` of that shard. Must not throw. */
  readonly onChanged: (shardIndex: number) => void;
}

/** How often a batch is begun anew because an id of it was drawn elsewhere. */
const strikesMax = 3;

/** Somebody who comes when a packet is known to be closed, on a node that is not told of all memberships that end. */
interface LateClaim {
  readonly redPacketId: bigint;
  readonly userId: bigint;
}

/** Members of one conversation that are admitted at once when a packet closes; others when they ask. */
const membersReadMax = 5_000;

/** The one writer of packets that are there: the claims of a shard that arrive together are one transaction. */
export class Claims implements Lifecycle {
  readonly #deps: ClaimsDeps;
  readonly #writers = new Map<number, GroupCommit<ClaimJob, ClaimResult>>();
  readonly #closed: ClosedPackets;
  /** By shard: whether somebody may claim at all. */
  readonly #rights = new Map<number, Gathered<LateClaim, boolean>>();
  readonly #remembering = new Map<bigint, Promise<void>>();

  constructor(deps: ClaimsDeps) {
    this.#deps = deps;
    this.#closed = new ClosedPackets({
      packetsMax: limits.closedRedPacketsKept,
      membersMax: limits.closedRedPacketsMembersKept,
    });
  }

  async start(): Promise<void> {
    for (const shard of this.#deps.shards.all) {
      const writer = new GroupCommit<ClaimJob, ClaimResult>({
        run: (jobs) => this.#run(shard, jobs),
        // None is ever deferred.
        keyOf: ({ redPacketId }) => redPacketId,
        batchMax: limits.claimsBatchMax,
        queueMax: limits.claimsQueueMax,
        deferMaxMs: 0,
      });
      this.#writers.set(shard.index, writer);
      const rights = new Gathered<LateClaim, boolean>({
        answer: (asks) => whoMay(shard, asks),
        weightOf: () => 1,
        weightMax: limits.claimsBatchMax,
        apartMs: 0,
        asksMax: limits.claimsQueueMax,
      });
      this.#rights.set(shard.index, rights);
    }
    await Promise.resolve();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop(graceMs)));
    await Promise.all(this.#remembering.values());
  }

  /** @throws {Fault} NOT_FOUND; FORBIDDEN; UNAVAILABLE */
  async claim(redPacketId: bigint, userId: bigint): Promise<ClaimResult> {
    const known = this.#deps.isAlone
      ? this.#closed.answer(redPacketId, userId)
      : await this.#answerMember({ redPacketId, userId });
    return known ?? this.#submit({ kind: 'claim', redPacketId, userId });
  }

  /** That a packet is closed it knows; whether they may know of it, the shard says: one statement for all who ask meanwhile. */
  async #answerMember(late: LateClaim): Promise<ClaimResult | null> {
    const { redPacketId, userId } = late;
    if (!this.#closed.has(redPacketId)) return null;
    const { index } = this.#deps.shards.of(redPacketId);
    const isLetIn = await present(this.#rights.get(index), 'claims were not started').ask(late);
    // Who is not let in the writer tells why.
    return isLetIn ? this.#closed.answerMember(redPacketId, userId) : null;
  }

  /** Closes a packet whose time is over; of one that is closed, or whose time is not over, nothing changes. @throws {Fault} */
  async expire(redPacketId: bigint): Promise<void> {
    await this.#submit({ kind: 'expire', redPacketId });
  }

  /** Says that a claim's credit was seen to be there. */
  credited({ redPacketId, userId }: StoredClaim): void {
    this.#closed.credited(redPacketId, userId);
  }

  membershipEnded(conversationId: bigint, userId: bigint): void {
    this.#closed.membershipEnded(conversationId, userId);
  }

  #submit(job: ClaimJob): Promise<ClaimResult> {
    const { index } = this.#deps.shards.of(job.redPacketId);
    return present(this.#writers.get(index), 'claims were not started').submit(job);
  }

  async #run(shard: Shard, jobs: readonly ClaimJob[]): Promise<Settled<ClaimResult>[]> {
    for (let strikes = 0; ; strikes += 1) {
      try {
        return await this.#commit(shard, jobs);
      } catch (error) {
        const isStrike = error instanceof SqlError && error.kind === 'unique';
        if (!isStrike || strikes === strikesMax) throw error;
      }
    }
  }

  async #commit(shard: Shard, jobs: readonly ClaimJob[]): Promise<Settled<ClaimResult>[]> {
    const { shards, clock, failpoints, ids, wallets, onTransfers } = this.#deps;
    const { moment } = this.#closed;
    const batch = new ClaimBatch(shard.sql, jobs, {
      nowMs: clock.now(),
      failpoints,
      newId: (redPacketId) => ids.next(slotOf(redPacketId)),
      isHere: (userId) => shards.of(userId) === shard,
    });
    const outcomes = await shard.sql
      .transaction(async (tx) => {
        await batch.load(tx);
        const decided = batch.decide();
        const entries = await wallets.receiveIn(tx, shard, batch.arriving);
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
    if (!batch.isEmpty) {
      void onTransfers(batch.leaving);
      this.#tell(shard.index);
    }
    for (const packet of batch.closed) {
      if (this.#closed.has(packet.id)) {
        if (this.#deps.isAlone) this.#closed.admit(packet.id, batch.admitted(packet.id), moment);
      } else this.#remember(shard, packet);
    }
    return outcomes;
  }

  #tell(shardIndex: number): void {
    this.#deps.onChanged(shardIndex);
    this.#deps.wallets.tell(shardIndex);
  }

  /** In nobody's way: until it is done the shard is asked. */
  #remember(shard: Shard, packet: RedPacket): void {
    if (this.#remembering.has(packet.id)) return;
    const remembering = this.#read(shard, packet)
      .catch(() => undefined)
      .finally(() => this.#remembering.delete(packet.id));
    this.#remembering.set(packet.id, remembering);
  }

  async #read(shard: Shard, packet: RedPacket): Promise<void> {
    const { moment } = this.#closed;
    const [claims, members] = await Promise.all([
      storedClaimsOf(shard.sql, packet.id),
      this.#deps.isAlone ? allWhoMayClaim(shard.sql, packet.id, membersReadMax) : [],
    ]);
    const isHere = ({ userId }: StoredClaim): boolean => this.#deps.shards.of(userId) === shard;
    const credited = claims.filter(isHere).map(({ userId }) => userId);
    this.#closed.put(packet, claims, credited);
    this.#closed.admit(packet.id, members, moment);
  }
}

/** In the order of who asks. */
async function whoMay({ sql }: Shard, asks: readonly LateClaim[]): Promise<boolean[]> {
  const may = await mayClaim(
    sql,
    pairsOf(asks, ({ redPacketId, userId }) => [redPacketId, userId]),
  );
  const letIn = new Set(may.map(keyOf));
  return asks.map((ask) => letIn.has(keyOf(ask)));
}

function keyOf({ redPacketId, userId }: LateClaim): string {
  return `${redPacketId} ${userId}`;
}
