import type { ClaimResult } from './claim-batch.ts';
import type { StoredClaim } from './claim-rows.ts';
import type { RedPacket } from './model.ts';

/** A packet that nobody can claim of any more, and what everybody took of it. */
export interface ClosedPacket {
  readonly packet: RedPacket;
  readonly senderMayClaim: boolean;
  readonly claims: readonly StoredClaim[];
  /** Of those who claimed, whose credit is known to be there. */
  readonly credited: readonly bigint[];
}

interface Kept {
  readonly packet: RedPacket;
  readonly senderMayClaim: boolean;
  readonly claims: ReadonlyMap<bigint, StoredClaim>;
  /** Whose credit is known to be there: it will be for ever. */
  readonly credited: Set<bigint>;
  readonly audience: Audience;
}

/** Who was seen to be a member of a conversation, from which seq on, and has not ceased to be one since. */
interface Audience {
  readonly joinedSeqs: Map<bigint, number>;
  /** Its packets that are kept. */
  packets: number;
}

export interface Member {
  readonly userId: bigint;
  readonly joinedSeq: number;
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
  readonly #byId = new Map<bigint, Kept>();
  /** By conversation. */
  readonly #audiences = new Map<bigint, Audience>();
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

  /** Whether a packet of that conversation is kept, and so its members are admitted. */
  hasAudience(conversationId: bigint): boolean {
    return this.#audiences.has(conversationId);
  }

  /** To be taken before memberships are read that are to be admitted. */
  get moment(): Moment {
    return { endings: this.#endingsForgotten + this.#endings.length };
  }

  put({ packet, senderMayClaim, claims, credited }: ClosedPacket): void {
    if (this.#byId.has(packet.id)) return;
    const { conversationId } = packet;
    const audience = this.#audiences.get(conversationId) ?? { joinedSeqs: new Map(), packets: 0 };
    audience.packets += 1;
    this.#audiences.set(conversationId, audience);
    const byUser = new Map(claims.map((claim) => [claim.userId, claim]));
    this.#byId.set(packet.id, {
      packet,
      senderMayClaim,
      claims: byUser,
      credited: new Set(credited),
      audience,
    });
    this.#forgetOldest();
  }

  /** Somebody's credit was seen to be there. */
  credited(id: bigint, userId: bigint): void {
    const closed = this.#byId.get(id);
    if (closed?.claims.has(userId)) closed.credited.add(userId);
  }

  /** Those who were seen to be members of a conversation, at some time since that moment. */
  admit(conversationId: bigint, members: readonly Member[], moment: Moment): void {
    const audience = this.#audiences.get(conversationId);
    if (!audience || moment.endings < this.#endingsForgotten) return;
    const { joinedSeqs } = audience;
    const ended = new Set(
      this.#endings
        .slice(moment.endings - this.#endingsForgotten)
        .filter((ending) => ending.conversationId === conversationId)
        .map(({ userId }) => userId),
    );
    const before = joinedSeqs.size;
    for (const { userId, joinedSeq } of members) {
      if (!ended.has(userId)) joinedSeqs.set(userId, joinedSeq);
    }
    this.#memberCount += joinedSeqs.size - before;
    this.#forgetOldest();
  }

  /** What somebody is answered who was admitted; null where the shard must be asked. */
  answer(id: bigint, userId: bigint): ClaimResult | null {
    const closed = this.#byId.get(id);
    return closed && mayClaim(closed, userId) ? this.answerMember(id, userId) : null;
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
    if (this.#audiences.get(conversationId)?.joinedSeqs.delete(userId)) this.#memberCount -= 1;
  }

  #forgetOldest(): void {
    for (const [id, { packet, audience }] of this.#byId) {
      const isFull = this.#byId.size > this.#packetsMax || this.#memberCount > this.#membersMax;
      if (!isFull) return;
      this.#byId.delete(id);
      audience.packets -= 1;
      if (audience.packets > 0) continue;
      this.#audiences.delete(packet.conversationId);
      this.#memberCount -= audience.joinedSeqs.size;
    }
  }
}

/** As the shard would say: whoever was admitted, sees its message, and may have of it. */
function mayClaim({ packet, senderMayClaim, audience }: Kept, userId: bigint): boolean {
  const joinedSeq = audience.joinedSeqs.get(userId);
  if (joinedSeq === undefined || joinedSeq > packet.seq) return false;
  const { recipientId, senderId } = packet;
  if (recipientId !== null && recipientId !== userId) return false;
  return senderMayClaim || userId !== senderId;
}
