import type { ClaimResult } from './claim-batch.ts';
import type { StoredClaim } from './claim-rows.ts';
import type { RedPacket } from './model.ts';

interface ClosedPacket {
  readonly packet: RedPacket;
  readonly claims: ReadonlyMap<bigint, StoredClaim>;
  /** Whose credit is known to be there: it will be for ever. */
  readonly credited: Set<bigint>;
  /** Who was seen to be a member that may claim, and has not ceased to be one since. */
  readonly members: Set<bigint>;
}

/** When memberships were read that are to be admitted. */
export interface Moment {
  readonly endings: number;
}

interface Ending {
  readonly conversationId: bigint;
  readonly userId: bigint;
}

/** Endings of memberships that are remembered: enough for as long as a statement takes. */
const endingsKept = 1_000;

/**
 * The packets that this node has seen exhausted or expired, so that who comes too late costs no statement: a closed packet never
 * changes any more. Memberships do. A node that is alone tells this memory of all that end, so those whom it has admitted are
 * answered at once; where other nodes may end some, the shard is asked whether somebody may claim, and `answerMember` says the rest.
 *
 * Bounded in packets and in members; the one longest not asked for is forgotten first.
 */
export class ClosedPackets {
  readonly #packetsMax: number;
  readonly #membersMax: number;
  readonly #byId = new Map<bigint, ClosedPacket>();
  #memberCount = 0;
  #endings: Ending[] = [];
  #endingsForgotten = 0;

  constructor(options: { readonly packetsMax: number; readonly membersMax: number }) {
    this.#packetsMax = options.packetsMax;
    this.#membersMax = options.membersMax;
  }

  has(id: bigint): boolean {
    return this.#byId.has(id);
  }

  /** To be taken before memberships are read that are to be admitted. */
  get moment(): Moment {
    return { endings: this.#endingsForgotten + this.#endings.length };
  }

  /** @param credited of those who claimed, whose credit is known to be there. */
  put(packet: RedPacket, claims: readonly StoredClaim[], credited: readonly bigint[]): void {
    if (this.#byId.has(packet.id)) return;
    const byUser = new Map(claims.map((claim) => [claim.userId, claim]));
    const closed = {
      packet,
      claims: byUser,
      credited: new Set(credited),
      members: new Set<bigint>(),
    };
    this.#byId.set(packet.id, closed);
    this.#forgetOldest();
  }

  /** Somebody's credit was seen to be there. */
  credited(id: bigint, userId: bigint): void {
    const closed = this.#byId.get(id);
    if (closed?.claims.has(userId)) closed.credited.add(userId);
  }

  /** Those who were seen to be members that may claim, at some time since that moment. */
  admit(id: bigint, userIds: readonly bigint[], moment: Moment): void {
    const closed = this.#byId.get(id);
    if (!closed || moment.endings < this.#endingsForgotten) return;
    const { members, packet } = closed;
    const ended = new Set(
      this.#endings
        .slice(moment.endings - this.#endingsForgotten)
        .filter(({ conversationId }) => conversationId === packet.conversationId)
        .map(({ userId }) => userId),
    );
    const before = members.size;
    for (const userId of userIds) if (!ended.has(userId)) members.add(userId);
    this.#memberCount += members.size - before;
    this.#forgetOldest();
  }

  /** What somebody is answered who was admitted; null where the shard must be asked. */
  answer(id: bigint, userId: bigint): ClaimResult | null {
    return this.#byId.get(id)?.members.has(userId) ? this.answerMember(id, userId) : null;
  }

  /** What somebody is answered who is known to be a member that may claim; null where the packet is not known any more. */
  answerMember(id: bigint, userId: bigint): ClaimResult | null {
    const closed = this.#byId.get(id);
    if (!closed) return null;
    // The last one asked for is the last one forgotten.
    this.#byId.delete(id);
    this.#byId.set(id, closed);
    const { packet, claims, credited } = closed;
    const claim = claims.get(userId) ?? null;
    const isCredited = credited.has(userId);
    if (claim) return { status: 'ALREADY_CLAIMED', claim, packet, isCredited };
    const status = packet.state === 'EXPIRED' ? 'EXPIRED' : 'EXHAUSTED';
    return { status, claim: null, packet, isCredited };
  }

  membershipEnded(conversationId: bigint, userId: bigint): void {
    this.#endings.push({ conversationId, userId });
    if (this.#endings.length > 2 * endingsKept) {
      this.#endings = this.#endings.slice(endingsKept);
      this.#endingsForgotten += endingsKept;
    }
    for (const { packet, members } of this.#byId.values()) {
      if (packet.conversationId !== conversationId) continue;
      if (members.delete(userId)) this.#memberCount -= 1;
    }
  }

  #forgetOldest(): void {
    for (const [id, { members }] of this.#byId) {
      const isFull = this.#byId.size > this.#packetsMax || this.#memberCount > this.#membersMax;
      if (!isFull) return;
      this.#byId.delete(id);
      this.#memberCount -= members.size;
    }
  }
}
