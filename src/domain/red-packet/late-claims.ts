import { present } from '../../lib/assert.ts';
import { Gathered } from '../../lib/gathered.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { limits } from '../../limits.ts';
import { pairsOf } from '../../storage/pairs.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { ClaimResult } from './claim-batch.ts';
import { mayClaim, someMembers, type Claimer, type LockedPacket } from './claim-load.ts';
import type { StoredClaim } from './claim-rows.ts';
import { ClosedPackets, type Moment } from './closed-packets.ts';
import { storedClaimsOf } from './reads.ts';

export interface LateClaimsDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  /** No other node ends memberships. */
  readonly isAlone: boolean;
}

interface LateClaim {
  readonly redPacketId: bigint;
  readonly userId: bigint;
}

/** Members of one conversation that are admitted at once when its first packet closes; others when they ask. */
const membersReadMax = 5_000;

/** Answers who comes too late, of packets that this node has seen closed. */
export class LateClaims implements Lifecycle {
  readonly #deps: LateClaimsDeps;
  readonly #closed = new ClosedPackets({
    packetsMax: limits.closedRedPacketsKept,
    membersMax: limits.closedRedPacketsMembersKept,
  });
  /** By shard: whether somebody may claim at all. */
  readonly #rights = new Map<number, Gathered<LateClaim, boolean>>();
  /** What is being read, by packet or conversation. */
  readonly #reading = new Map<bigint, Promise<void>>();

  constructor(deps: LateClaimsDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    for (const shard of this.#deps.shards.all) {
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

  async stop(): Promise<void> {
    await Promise.all(this.#reading.values());
  }

  /** To be taken before claimers are read whom `seen` is told. */
  get moment(): Moment {
    return this.#closed.moment;
  }

  /** What somebody is answered from memory alone; null: they are not known to be too late, or not to be a member. */
  answerAtOnce(redPacketId: bigint, userId: bigint): ClaimResult | null {
    return this.#deps.isAlone ? this.#closed.answer(redPacketId, userId) : null;
  }

  /**
   * The same where other nodes end memberships: that a packet is closed is known, whether somebody may know of it the shard
   * says, by one statement for all who ask meanwhile. Who may not is told why by the writer.
   */
  async answer(redPacketId: bigint, userId: bigint): Promise<ClaimResult | null> {
    if (this.#deps.isAlone || !this.#closed.has(redPacketId)) return null;
    const { index } = this.#deps.shards.of(redPacketId);
    const rights = present(this.#rights.get(index), 'claims were not started');
    const isLetIn = await rights.ask({ redPacketId, userId });
    return isLetIn ? this.#closed.answerMember(redPacketId, userId) : null;
  }

  /** A packet was closed. @param claims all that it ever had. */
  closed(shard: Shard, { packet, senderMayClaim }: LockedPacket, claims: StoredClaim[]): void {
    const { conversationId } = packet;
    const areMembersKnown = this.#closed.hasAudience(conversationId);
    const isHere = ({ userId }: StoredClaim): boolean => this.#deps.shards.of(userId) === shard;
    const credited = claims.filter(isHere).map(({ userId }) => userId);
    this.#closed.put({ packet, senderMayClaim, claims, credited });
    if (areMembersKnown || !this.#deps.isAlone) return;
    const { moment } = this.#closed;
    this.#inNobodysWay(conversationId, async () => {
      const members = await someMembers(shard.sql, conversationId, membersReadMax);
      this.#closed.admit(conversationId, members, moment);
    });
  }

  /** A packet was seen closed. @param claimers members who have asked for it, read at some time since that moment. */
  seen(shard: Shard, locked: LockedPacket, claimers: readonly Claimer[], moment: Moment): void {
    const { id, conversationId } = locked.packet;
    if (this.#closed.has(id)) {
      if (this.#deps.isAlone) this.#closed.admit(conversationId, claimers, moment);
      return;
    }
    this.#inNobodysWay(id, async () => {
      this.closed(shard, locked, await storedClaimsOf(shard.sql, id));
    });
  }

  /** A claim's credit was seen to be there. */
  credited({ redPacketId, userId }: StoredClaim): void {
    this.#closed.credited(redPacketId, userId);
  }

  membershipEnded(conversationId: bigint, userId: bigint): void {
    this.#closed.membershipEnded(conversationId, userId);
  }

  /** Until it is done, and where it fails, the shard is asked. @param about nothing is read twice at a time. */
  #inNobodysWay(about: bigint, read: () => Promise<void>): void {
    if (this.#reading.has(about)) return;
    const reading = read()
      .catch(() => undefined)
      .finally(() => this.#reading.delete(about));
    this.#reading.set(about, reading);
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
