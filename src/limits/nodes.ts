import { mebibyte, second } from './units.ts';

/** Of a node: what it says to the others and to Redis, and what it remembers. */
export const nodeLimits = {
  /** How often a node asks its Redis for the epoch of what that holds. */
  redisEpochPollMs: 1 * second,
  /** Entries that one call appends to logs, but for a stretch of events that has more: Redis does nothing else meanwhile. */
  redisAppendEntriesMax: 2_000,
  /** Logs that one call opens, and as many entries that it gives of each: Redis does nothing else meanwhile. */
  redisOpeningsMax: 64,
  /** How long Redis may take to answer. */
  redisAnswerMs: 2 * second,
  /** How often a quiet connection to Redis is asked whether it lives. */
  redisPingMs: 2 * second,
  /** How long the routes of a gate hold that has not said that it lives. */
  gateLeaseMs: 6 * second,
  /** How often it says so. */
  gateReportMs: 2 * second,
  /** Users of a gate who look at their logs at a time, where something may have been missed. */
  recheckUsersPerSlice: 100,
  /** How far apart such times are. */
  recheckSliceMs: 20,
  /** Pairs of users whose right to each other's presence is read at a time, but for one user who has more. */
  presencePairsPerRead: 1_000,
  /** How long news of a conversation wait for those before them, which other nodes tell. */
  newsHeldMs: 100,
  /** News of a conversation that wait so. */
  newsHeldMax: 64,
  /** News that wait to be told to other nodes; beyond it these find them when they look. */
  newsWaitingMax: 4_096,
  /** News with more text than that leave their messages out, and are read where they are wanted. */
  newsCharsMax: 1 * mebibyte,
  /** How long a follower waits for other nodes to tell this one, before it begins all the same. */
  newsReadyMs: 1 * second,
  /** How often the heads of followed conversations are read, for a last event that was lost. */
  followedPollMs: 5 * second,
  /** How long what a node has to say to all others waits where it could not be said. */
  announcementsRetryMs: 1 * second,
  /** What waits to be said to all others; beyond it the oldest is let go. */
  announcementsUnsaidMax: 1_000,
  /** How often each node asks every shard which sessions were revoked. */
  revocationPollMs: 1 * second,
  /** Access tokens whose MAC a node has checked and remembers; the oldest are checked again. */
  accessTokensKeptMax: 20_000,
  /** Profiles that a node keeps. */
  profilesKeptMax: 100_000,
  /** How long it keeps one: what another node changes shows that late where this one was not told. */
  profilesKeptMs: 30 * second,
};
