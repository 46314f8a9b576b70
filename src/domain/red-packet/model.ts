import type { Message } from '../timeline/timeline.ts';

/** Amounts are whole minor units, bigint; ids are bigint, times ms since 1970. */

/** Random shares, or equal ones. */
export type RedPacketKind = 'LUCKY' | 'EQUAL';
/** EXHAUSTED: every share is claimed. EXPIRED: its time was over first, and what was left went back. */
export type RedPacketState = 'OPEN' | 'EXHAUSTED' | 'EXPIRED';
/** What a claim is answered with. */
export type ClaimStatus = 'CLAIMED' | 'ALREADY_CLAIMED' | 'EXHAUSTED' | 'EXPIRED';

/**
 * A red packet as whoever sees its message may know it: its shares are in it only as far as they are claimed. At any time
 * claimedTotal + refundedTotal + what is left = total.
 */
export interface RedPacket {
  readonly id: bigint;
  readonly conversationId: bigint;
  /** Of its message. */
  readonly seq: number;
  readonly senderId: bigint;
  readonly kind: RedPacketKind;
  readonly state: RedPacketState;
  /** May be empty. */
  readonly greeting: string;
  readonly total: bigint;
  readonly count: number;
  readonly claimedCount: number;
  readonly claimedTotal: bigint;
  readonly refundedTotal: bigint;
  /** Who alone may claim; null: any member. */
  readonly recipientId: bigint | null;
  /** Of the best claim, once the packet is closed; null: there is none, or the shares are equal. */
  readonly bestShareNo: number | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** A share that somebody took. */
export interface Claim {
  readonly redPacketId: bigint;
  readonly userId: bigint;
  /** 0, 1, 2 …: in the order of claims. */
  readonly shareNo: number;
  readonly amount: bigint;
  readonly claimedAtMs: number;
  /** Largest share of a LUCKY packet, the earliest on a tie; false until the packet is exhausted or expired. */
  readonly isBest: boolean;
}

/** What an app allows. Amounts in minor units. */
export interface RedPacketRules {
  /** What a share may be worth at most. */
  readonly shareMax: number;
  readonly countMax: number;
  /** How long a packet is open. */
  readonly ttlMs: number;
}

/** What a client asks to be sent; the same clientMessageId is the same packet. */
export interface SendRedPacketInput {
  readonly conversationId: bigint;
  readonly clientMessageId: string;
  readonly kind: RedPacketKind;
  readonly total: bigint;
  readonly count: number;
  readonly greeting: string | null;
  readonly recipientId: bigint | null;
}

/** What a send is answered with. */
export interface SentRedPacket {
  readonly message: Message;
  readonly redPacket: RedPacket;
  readonly isDuplicate: boolean;
}

/** What a claim is answered with: losing is an answer. */
export interface ClaimAnswer {
  readonly status: ClaimStatus;
  /** With CLAIMED the viewer's share, with ALREADY_CLAIMED that of the first time; else null. */
  readonly claim: Claim | null;
  /** The share is the viewer's, its wallet entry is still on its way. */
  readonly creditPending: boolean;
  /** As it is after the claim, or newer. */
  readonly redPacket: RedPacket;
}
