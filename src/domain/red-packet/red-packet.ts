import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { IdSource } from '../../lib/id.ts';
import { startInOrder, type Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import type { limits as allLimits } from '../../limits.ts';
import type { Shards } from '../../storage/shards.ts';
import type { Statement } from '../../storage/sql.ts';
import type { Conversations } from '../conversation/conversation.ts';
import type { Viewer } from '../session/session.ts';
import type { TimelineWriter } from '../timeline/timeline.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { Wallets } from '../wallet/wallet.ts';
import type { ClaimResult } from './claim-batch.ts';
import { claimOf } from './claim-rows.ts';
import { Claims } from './claims.ts';
import { Expiry } from './expiry.ts';
import type {
  Claim,
  ClaimAnswer,
  RedPacket,
  RedPacketRules,
  SendRedPacketInput,
  SentRedPacket,
} from './model.ts';
import { claimsOfPackets, packetById, refusalOf, visiblePackets } from './reads.ts';
import { Relay } from './relay.ts';
import { noteReturned } from './send-rows.ts';
import { Sends } from './sends.ts';
import { stateNotices } from './state-notices.ts';

export type {
  Claim,
  ClaimAnswer,
  ClaimStatus,
  RedPacket,
  RedPacketKind,
  RedPacketRules,
  RedPacketState,
  SendRedPacketInput,
  SentRedPacket,
} from './model.ts';

export interface RedPacketsDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly conversations: Pick<Conversations, 'enterOrFault' | 'membersOf'>;
  readonly timelines: TimelineWriter;
  readonly wallets: Pick<
    Wallets,
    'pay' | 'receive' | 'receiveIn' | 'lockFree' | 'tell' | 'hasReceived'
  >;
  readonly rulesOf: (appId: string) => RedPacketRules;
  /** No other node ends memberships: all are told by `membershipEnded`. */
  readonly isAlone: boolean;
  readonly limits: Pick<
    typeof allLimits,
    | 'creditWaitMs'
    | 'redPacketCoalesceMs'
    | 'expiryPollMs'
    | 'arrivalsFlushMs'
    | 'transfersPollMs'
    | 'relayAgeMs'
  >;
}

/**
 * Red packets: money that a member puts into a conversation and others take out of it. No money is made or lost on the way, whatever
 * dies in between: it moves by transfers, each of which is seen to until it has arrived, and arrives once.
 */
export class RedPackets implements Lifecycle {
  readonly #deps: RedPacketsDeps;
  readonly #claims: Claims;
  readonly #relay: Relay;
  readonly #sends: Sends;
  readonly #parts: readonly Lifecycle[];
  #stop: ((graceMs: number) => Promise<void>) | null = null;

  constructor(deps: RedPacketsDeps) {
    this.#deps = deps;
    const notices = stateNotices({ ...deps, coalesceMs: deps.limits.redPacketCoalesceMs });
    this.#relay = new Relay({ ...deps, deliver: (transfer) => this.#deliver(transfer) });
    this.#claims = new Claims({
      ...deps,
      onTransfers: (transfers) =>
        Promise.allSettled(transfers.map((transfer) => this.#relay.seeTo(transfer))),
      onChanged: (shardIndex) => notices.wake(shardIndex),
    });
    this.#sends = new Sends({
      ...deps,
      seeTo: (transfer, deliver) => this.#relay.seeTo(transfer, deliver),
    });
    const expiry = new Expiry({
      ...deps,
      expire: (id) => this.#claims.expire(id),
      pollMs: deps.limits.expiryPollMs,
    });
    this.#parts = [this.#relay, notices, this.#claims, expiry];
  }

  /** Begins with what an earlier run left underway, untold or open beyond its time. */
  async start(): Promise<void> {
    this.#stop = await startInOrder(this.#parts);
  }

  /** What has not arrived by then stays underway for the next start. */
  async stop(graceMs: number): Promise<void> {
    const stop = this.#stop;
    this.#stop = null;
    await stop?.(graceMs);
  }

  /**
   * Debits the viewer's wallet and posts a message whose content is the packet: both or neither, over two shards. Where the conversation
   * refuses after the debit, the money comes back by an entry of its own, and the fault is thrown. Idempotent by
   * (viewer, conversation, clientMessageId): a retry gets the outcome of the first call, whatever became of the viewer since.
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND for the conversation, or a recipient who is no member; FAILED_PRECONDITION where
   *   the balance does not reach, or between two it is to be for the sender; IDEMPOTENCY_CONFLICT where the key was used for
   *   anything else; UNAVAILABLE where the outcome is not known yet: retry with the same key.
   */
  send(viewer: Viewer, input: SendRedPacketInput): Promise<SentRedPacket> {
    return this.#sends.send(viewer, input);
  }

  /**
   * Takes the next share for the viewer, at most one per user and packet. Durable when it answers; the credit follows, and the
   * answer waits for it 2 s at most. Claims that arrive together share a transaction; a packet that is exhausted or expired is
   * answered from memory.
   * @throws {Fault} NOT_FOUND where the viewer may not see its message; FORBIDDEN where the packet is for another one, or is the
   *   viewer's own in a direct conversation; UNAVAILABLE
   */
  async claim({ userId }: Viewer, redPacketId: bigint): Promise<ClaimAnswer> {
    const result = await this.#claims.claim(redPacketId, userId);
    const { status, claim, packet } = result;
    if (!claim) return { status, claim: null, creditPending: false, redPacket: packet };
    const creditPending = !(await this.#isCredited(result, userId));
    // Else its last state may have been told while the credit was waited for, and this would show an older one after it.
    const redPacket = result.isCredited ? packet : await this.#asItIsNow(packet);
    return { status, claim: claimOf(claim, redPacket), creditPending, redPacket };
  }

  /** Those whose message the viewer may see, by id. One statement a shard. */
  async byIds({ userId }: Viewer, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, RedPacket>> {
    const packets = await visiblePackets(this.#deps.shards, userId, ids);
    return new Map(packets.map((packet) => [packet.id, packet]));
  }

  /**
   * The claims of packets, by packet id, first come first; a packet without claims is not in it. Whoever has a RedPacket may
   * see them. One statement a shard.
   */
  async claims(packets: readonly RedPacket[]): Promise<ReadonlyMap<bigint, readonly Claim[]>> {
    const byPacket = new Map<bigint, Claim[]>();
    for (const claim of await claimsOfPackets(this.#deps.shards, packets, null)) {
      const known = byPacket.get(claim.redPacketId);
      if (known) known.push(claim);
      else byPacket.set(claim.redPacketId, [claim]);
    }
    return byPacket;
  }

  /** The viewer's own claims of packets, by packet id. One statement a shard. */
  async claimsOf(
    { userId }: Viewer,
    packets: readonly RedPacket[],
  ): Promise<ReadonlyMap<bigint, Claim>> {
    const claims = await claimsOfPackets(this.#deps.shards, packets, userId);
    return new Map(claims.map((claim) => [claim.redPacketId, claim]));
  }

  /** Says that somebody is no member any more: from here on no memory of this node answers them. */
  membershipEnded(conversationId: bigint, userId: bigint): void {
    this.#claims.membershipEnded(conversationId, userId);
  }

  /** Whether a claim's credit is there, or comes within the time that an answer may wait for it. */
  async #isCredited({ status, claim, isCredited }: ClaimResult, userId: bigint): Promise<boolean> {
    if (!claim || isCredited) return true;
    const { transferId } = claim;
    const arrival = this.#relay.arrivalOf(transferId);
    if (arrival) return arrivesWithin(arrival, this.#deps.limits.creditWaitMs);
    if (status === 'CLAIMED') return false;
    const isThere = await this.#deps.wallets.hasReceived({ id: transferId, userId });
    if (isThere) this.#claims.credited(claim);
    return isThere;
  }

  /** Where the shard does not say so, as it was: the claim is made all the same. */
  async #asItIsNow(packet: RedPacket): Promise<RedPacket> {
    if (packet.state !== 'OPEN') return packet;
    const { sql } = this.#deps.shards.of(packet.id);
    return (await packetById(sql, packet.id).catch(() => null)) ?? packet;
  }

  async #deliver(transfer: Transfer): Promise<readonly Statement[]> {
    const { shards, wallets } = this.#deps;
    if (transfer.kind === 'SEND') return this.#sends.resume(transfer);
    if (transfer.kind !== 'RETURN') {
      await wallets.receive(transfer);
      return [];
    }
    const { sql } = shards.of(transfer.redPacketId);
    await wallets.receive(transfer, [noteReturned(await refusalOf(sql, transfer.redPacketId))]);
    return [];
  }
}

async function arrivesWithin(arrival: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const arrived = arrival.then(
    () => true,
    () => false,
  );
  const isThere = await Promise.race([arrived, late]);
  clearTimeout(timer);
  return isThere;
}
