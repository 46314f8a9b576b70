import { assert, present } from '../../lib/assert.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { Fault } from '../../lib/fault.ts';
import type { Settled } from '../../storage/group-commit.ts';
import { insertRows } from '../../storage/inserts.ts';
import { pairsOf } from '../../storage/pairs.ts';
import type { Sql, SqlTransaction, Statement } from '../../storage/sql.ts';
import { departures, type Transfer } from '../transfer/transfer.ts';
import { findHeld, nothingHeld, type LockFree } from './claim-held.ts';
import { loadClaims, loadClaimers, lockPackets } from './claim-load.ts';
import type { Claimer, LockedPacket } from './claim-load.ts';
import { claimColumns, claimValues, type StoredClaim } from './claim-rows.ts';
import { close } from './close.ts';
import type { ClaimStatus, RedPacket } from './model.ts';
import { updatePacket, versionOf } from './packet-rows.ts';

/** What somebody wants of a packet: the next share, or that its time is seen to be over. */
export type ClaimJob =
  | { readonly kind: 'claim'; readonly redPacketId: bigint; readonly userId: bigint }
  | { readonly kind: 'expire'; readonly redPacketId: bigint };

export interface ClaimResult {
  readonly status: ClaimStatus;
  readonly claim: StoredClaim | null;
  readonly packet: RedPacket;
  /** The claim's credit is known to be there; otherwise it may be. */
  readonly isCredited: boolean;
}

export interface ClaimBatchDeps {
  readonly nowMs: number;
  readonly failpoints: Failpoints;
  /** A new id on the slot of what it is for. */
  newId(redPacketId: bigint): bigint;
  /** Whether a user's wallet is of the packets' shard. */
  readonly isHere: (userId: bigint) => boolean;
  /** Null: what others hold is waited for; else it is passed over, and what asks for it deferred. */
  readonly lockFree: LockFree | null;
}

type ClaimOnly = Extract<ClaimJob, { kind: 'claim' }>;

/** What claims do to the packets of a shard, decided in memory under the packets' locks. */
export class ClaimBatch {
  readonly #sql: Sql;
  readonly #jobs: readonly ClaimJob[];
  readonly #deps: ClaimBatchDeps;
  readonly #packets = new Map<bigint, LockedPacket>();
  /** Those who are members, by packet and user. */
  readonly #claimers = new Map<string, Claimer>();
  readonly #claims = new Map<string, StoredClaim>();
  #held = nothingHeld;
  readonly #fresh: StoredClaim[] = [];
  readonly #touched = new Set<LockedPacket>();
  /** What leaves the packets by this batch, for wallets elsewhere. */
  readonly leaving: Transfer[] = [];
  /** The same, for wallets of this shard: it arrives in the same transaction. */
  readonly arriving: Transfer[] = [];

  constructor(sql: Sql, jobs: readonly ClaimJob[], deps: ClaimBatchDeps) {
    this.#sql = sql;
    this.#jobs = jobs;
    this.#deps = deps;
  }

  get isEmpty(): boolean {
    return this.#touched.size === 0;
  }

  /** The packets and wallets that were passed over, by id. */
  get held(): readonly bigint[] {
    return [...this.#held.packets, ...this.#held.wallets];
  }

  /** Those that nobody can claim of any more. */
  get closed(): LockedPacket[] {
    return closedOf(this.#packets.values());
  }

  /** Those of them that could be claimed of before. */
  get closing(): LockedPacket[] {
    return closedOf(this.#touched);
  }

  /** What it gives of a packet. */
  granted(redPacketId: bigint): StoredClaim[] {
    return this.#fresh.filter((claim) => claim.redPacketId === redPacketId);
  }

  /** Who of those who asked for a packet are members, whether or not they may have of it. */
  claimers(redPacketId: bigint): Claimer[] {
    return [...this.#claimers.values()].filter((claimer) => claimer.redPacketId === redPacketId);
  }

  /** One round trip: the statements run in this order, so the rest is read under the packets' locks. */
  async load(tx: SqlTransaction): Promise<void> {
    const { lockFree, isHere } = this.#deps;
    const ids = [...new Set(this.#jobs.map(({ redPacketId }) => redPacketId))];
    ids.sort((a, b) => (a < b ? -1 : 1));
    const wanted = this.#jobs.filter((job): job is ClaimOnly => job.kind === 'claim');
    const pairs = pairsOf(wanted, ({ redPacketId, userId }) => [redPacketId, userId]);
    const [packets, claimers, claims] = await Promise.all([
      lockPackets(tx, this.#sql, ids, lockFree !== null),
      loadClaimers(tx, pairs),
      loadClaims(tx, pairs),
    ]);
    for (const locked of packets) this.#packets.set(locked.packet.id, locked);
    for (const claimer of claimers) this.#claimers.set(keyOf(claimer), claimer);
    for (const claim of claims) this.#claims.set(keyOf(claim), claim);
    if (!lockFree) return;
    const asked = { packetIds: ids, userIds: wanted.map(({ userId }) => userId) };
    this.#held = await findHeld(tx, this.#packets, asked, { isHere, lockFree });
  }

  decide(): Settled<ClaimResult>[] {
    return this.#jobs.map((job) => {
      try {
        const locked = this.#packets.get(job.redPacketId);
        if (this.#isHeld(job, locked)) return { kind: 'deferred' };
        if (job.kind === 'claim') return { kind: 'done', result: this.#claim(job, locked) };
        if (!locked) throw noSuchPacket();
        this.#expireIfDue(locked);
        return { kind: 'done', result: lost('EXPIRED', locked.packet) };
      } catch (error) {
        if (error instanceof Fault) return { kind: 'refused', fault: error };
        throw error;
      }
    });
  }

  statements(): Statement[] {
    const { dialect } = this.#sql;
    const touched = [...this.#touched].map(({ packet }) => packet);
    return [
      ...insertRows('RedPacketClaim', claimColumns, this.#fresh.map(claimValues)),
      ...touched.map(updatePacket),
      ...departures(this.leaving, this.arriving),
      ...insertRows(
        'UntoldRedPacket',
        ['redPacketId', 'conversationId', 'seq', 'version'],
        touched.map((packet) => [packet.id, packet.conversationId, packet.seq, versionOf(packet)]),
        dialect.upsert(['redPacketId'], `version = ${dialect.incoming('version')}`),
      ),
    ];
  }

  /** Whether a packet, or a wallet that money may go to, was passed over. */
  #isHeld(job: ClaimJob, locked: LockedPacket | undefined): boolean {
    const { packets, wallets } = this.#held;
    if (!locked) return packets.has(job.redPacketId);
    if (job.kind === 'claim' && wallets.has(job.userId)) return true;
    return this.#isDue(locked) && wallets.has(locked.packet.senderId);
  }

  #claim(job: ClaimOnly, locked: LockedPacket | undefined): ClaimResult {
    if (!locked || !this.#sees(job)) throw noSuchPacket();
    const { recipientId, senderId } = locked.packet;
    if (recipientId !== null && recipientId !== job.userId) {
      throw new Fault('FORBIDDEN', 'This red packet is for another member.');
    }
    if (job.userId === senderId && !locked.senderMayClaim) {
      throw new Fault('FORBIDDEN', 'This red packet is for the other side.');
    }
    const before = this.#claims.get(keyOf(job));
    const isCredited = this.#deps.isHere(job.userId);
    if (before) {
      return { status: 'ALREADY_CLAIMED', claim: before, packet: locked.packet, isCredited };
    }
    this.#expireIfDue(locked);
    const { state } = locked.packet;
    if (state !== 'OPEN') return lost(state, locked.packet);
    const claim = this.#grant(job, locked);
    return { status: 'CLAIMED', claim, packet: locked.packet, isCredited };
  }

  #grant({ redPacketId, userId }: ClaimOnly, locked: LockedPacket): StoredClaim {
    const { packet, shares } = locked;
    const shareNo = packet.claimedCount;
    const isReused = this.#deps.failpoints.hasBug('share-reused');
    const amount = present(shares[isReused ? 0 : shareNo], 'an open packet has a share left');
    const transferId = this.#deps.newId(redPacketId);
    const claimedAtMs = Math.max(this.#deps.nowMs, packet.createdAtMs);
    const claim = { redPacketId, userId, shareNo, amount, claimedAtMs, transferId };
    const claimedCount = shareNo + 1;
    const claimedTotal = packet.claimedTotal + amount;
    const isLast = claimedCount === packet.count;
    assert(!isLast || claimedTotal === packet.total, 'the shares are the total');
    locked.packet = { ...packet, claimedCount, claimedTotal };
    if (isLast) close(locked, 'EXHAUSTED');
    this.#send('CLAIM', transferId, locked.packet, userId, amount);
    this.#claims.set(keyOf(claim), claim);
    this.#fresh.push(claim);
    this.#touched.add(locked);
    return claim;
  }

  #isDue({ packet }: LockedPacket): boolean {
    return packet.state === 'OPEN' && this.#deps.nowMs >= packet.expiresAtMs;
  }

  /** Its time being over, what is left goes back: once, since it is not open any more. */
  #expireIfDue(locked: LockedPacket): void {
    if (!this.#isDue(locked)) return;
    const { packet } = locked;
    const { failpoints } = this.#deps;
    const isRaced = failpoints.hasBug('expiry-races-claim');
    const refundedTotal = packet.total - (isRaced ? 0n : packet.claimedTotal);
    locked.packet = { ...packet, refundedTotal };
    close(locked, 'EXPIRED');
    for (let left = failpoints.hasBug('refund-twice') ? 2 : 1; left > 0; left -= 1) {
      const transferId = this.#deps.newId(packet.id);
      this.#send('REFUND', transferId, locked.packet, packet.senderId, refundedTotal);
    }
    this.#touched.add(locked);
  }

  #send(
    kind: 'CLAIM' | 'REFUND',
    id: bigint,
    packet: RedPacket,
    userId: bigint,
    amount: bigint,
  ): void {
    const createdAtMs = this.#deps.nowMs;
    const transfers = this.#deps.isHere(userId) ? this.arriving : this.leaving;
    transfers.push({ id, kind, redPacketId: packet.id, userId, amount, createdAtMs });
  }

  #sees(job: ClaimOnly): boolean {
    const joinedSeq = this.#claimers.get(keyOf(job))?.joinedSeq;
    const seq = this.#packets.get(job.redPacketId)?.packet.seq;
    return joinedSeq !== undefined && seq !== undefined && seq >= joinedSeq;
  }
}

function closedOf(locked: Iterable<LockedPacket>): LockedPacket[] {
  return [...locked].filter(({ packet }) => packet.state !== 'OPEN');
}

function lost(status: 'EXHAUSTED' | 'EXPIRED', packet: RedPacket): ClaimResult {
  return { status, claim: null, packet, isCredited: false };
}

/** Unknown and forbidden look the same. */
export function noSuchPacket(): Fault {
  return new Fault('NOT_FOUND', 'There is no such red packet.');
}

function keyOf({ redPacketId, userId }: { redPacketId: bigint; userId: bigint }): string {
  return `${redPacketId} ${userId}`;
}
