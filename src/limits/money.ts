import { second } from './units.ts';

/** Of wallets, red packets and what moves between them. */
export const moneyLimits = {
  /**
   * What a wallet holds at most after money came from outside. What is claimed or comes back is never refused, and a client's
   * numbers are exact to twice as much.
   */
  toppedUpBalanceMax: 2 ** 52,
  /** Bookings of a shard's wallets that may wait for a transaction; one more is UNAVAILABLE. */
  bookingsQueueMax: 4_096,
  /** Bookings that one transaction takes. */
  bookingsBatchMax: 256,
  /** Claims of a shard's red packets that may wait for a transaction; one more is UNAVAILABLE. */
  claimsQueueMax: 8_192,
  /** Claims that one transaction takes. */
  claimsBatchMax: 256,
  /** How long a booking or a claim may be put off because another node holds its wallet or red packet, before it is UNAVAILABLE. */
  moneyDeferMaxMs: 5 * second,
  /** Transfers that a node sees to at a time; more wait in their table. */
  transfersUnderwayMax: 4_096,
  /** Transfers that are looked up at a time. */
  transfersPageMax: 256,
  /** How often transfers are looked for that nobody sees to. */
  transfersPollMs: 1 * second,
  /** How often the arrivals since are noted in one transaction. */
  arrivalsFlushMs: 200,
  /** How long the answer to a claim waits for the credit. */
  creditWaitMs: 2 * second,
  /** How often red packets are looked for whose time is over. */
  expiryPollMs: 1 * second,
  /** Red packets whose time is over that are looked up at a time. */
  expiriesPageMax: 256,
  /** MessageChanged for a red packet: at most one in this time. */
  redPacketCoalesceMs: 1 * second,
  /** Red packets whose new state is told at a time. */
  redPacketNoticesBatchMax: 256,
  /** How far apart rounds of telling a shard's wallets' entries begin at least. */
  walletNoticesApartMs: 50,
  /** Wallets whose entries are told at a time. */
  walletNoticesBatchMax: 256,
  /** How often untold entries and states are looked for that nobody was woken for. */
  moneyNoticesPollMs: 10 * second,
  /** Red packets, exhausted or expired, that a node remembers; the claims of each at most as many as its shares. */
  closedRedPacketsKept: 2_000,
  /** Members of all these that a node remembers where it is alone: else it asks the shard whether somebody is one. */
  closedRedPacketsMembersKept: 500_000,
};
