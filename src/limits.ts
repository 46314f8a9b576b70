import { assert } from './lib/assert.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;

const table = {
  // Writing
  /** Drafts that one transaction of the group-commit writer takes. */
  writerBatchDraftsMax: 128,
  /** Drafts that may wait for a shard's writer; one more is UNAVAILABLE. */
  writerQueueDraftsMax: 4_096,
  /** A queue where drafts wait longer for so long stands; one that would wait for more than half of it there is UNAVAILABLE. */
  writerWaitMaxMs: second / 2,
  /** How long a draft may be put off because another node holds its conversation, before it is UNAVAILABLE. */
  writerDeferMaxMs: 5 * second,
  /** Members of a group. */
  groupMembersMax: 100_000,
  /** Calls that may wait for the thread that owns an SQLite file; one more is UNAVAILABLE. */
  sqliteQueueCallsMax: 8_192,
  /** Reads (markRead) that may wait for a shard's next transaction, one more is UNAVAILABLE; and those that one takes. */
  readsQueueMax: 4_096,
  readsBatchMax: 256,

  // Money
  /** Bookings of a shard's wallets that may wait for a transaction, one more is UNAVAILABLE; and those that one takes. */
  bookingsQueueMax: 4_096,
  bookingsBatchMax: 256,
  /** Claims of a shard's red packets that may wait for a transaction, one more is UNAVAILABLE; and those that one takes. */
  claimsQueueMax: 8_192,
  claimsBatchMax: 256,
  /** Transfers that a node sees to at a time, more wait in their table; and those that are looked up at a time. */
  transfersUnderwayMax: 4_096,
  transfersPageMax: 256,
  /** How often transfers are looked for that nobody sees to. */
  transfersPollMs: 1 * second,
  /** How often the arrivals since are noted in one transaction. */
  arrivalsFlushMs: 200,
  /** How long the answer to a claim waits for the credit. */
  creditWaitMs: 2 * second,
  /** How often red packets are looked for whose time is over, and how many at a time. */
  expiryPollMs: 1 * second,
  expiriesPageMax: 256,
  /** MessageChanged for a red packet: at most one in this time. */
  redPacketCoalesceMs: 1 * second,
  /** Red packets whose new state is told at a time. */
  redPacketNoticesBatchMax: 256,
  /** How far apart rounds of telling a shard's wallets' entries begin at least, and wallets of one round's statement. */
  walletNoticesApartMs: 50,
  walletNoticesBatchMax: 256,
  /** How often untold entries and states are looked for that nobody was woken for. */
  moneyNoticesPollMs: 10 * second,
  /** Red packets, exhausted or expired, that a node remembers; the claims of each at most as many as its shares. */
  closedRedPacketsKept: 2_000,
  /** And how many members of all these, where it is alone: else it asks the shard whether somebody is one. */
  closedRedPacketsMembersKept: 500_000,
  /** A greeting, and the reason of a top-up, in code points. */
  greetingCharsMax: 128,
  topUpReasonCharsMax: 256,

  // Inbox log and outbox
  /** Events that a user's log keeps at least. */
  inboxLogEventsKept: 2_000,
  /** Older entries do not count on reading, and an older cursor meets InboxReset. */
  inboxLogAgeMaxMs: 7 * day,
  /** Events that a replay reads at a time. */
  inboxReplayPageEvents: 200,
  /** What `viewer.inbox(first:)` may ask for. */
  inboxPullEventsMax: 1_000,
  /** Stretches of events that wait for a shard's inbox logs; one more waits with its outbox row. */
  appendQueueJobsMax: 8_192,
  /** Stretches of events that one transaction appends. */
  appendBatchJobsMax: 512,
  /** Users and conversations of which a shard's appender remembers where their logs and marks are; others it reads. */
  appendUsersKept: 100_000,
  appendConversationsKept: 50_000,
  /** Committed rows that wait in memory for a shard's logs; beyond it they are read from the outbox again. */
  laneQueueRowsMax: 32,
  /** Rows that a lane takes at a time. */
  laneBatchRowsMax: 32,
  /** How long the row of a commit whose outcome is unknown is looked for. */
  laneDoubtMs: 10 * second,
  /** Members of all conversations whose lists a node keeps. */
  memberListsUsersMax: 500_000,
  /** Read positions that are told at a time. */
  readNoticesBatchMax: 500,
  /** How often untold reads are looked for that nobody was woken for. */
  readNoticesPollMs: 10 * second,
  /** While very many read logs again, or large groups, or count their readers: how far apart shared statements are. */
  gatheredReadsApartMs: 120,
  /** What one of them asks for, but for one reader who has more; and who may wait for the next: one more is UNAVAILABLE. */
  gatheredReadsKeysMax: 4_000,
  gatheredReadsAsksMax: 20_000,
  /** Live events that wait for one subscription while it reads the log; beyond it they are read from there, too. */
  streamQueueEventsMax: 256,
  /** How often quiet inboxes are looked for. */
  heartbeatTickMs: 5 * second,
  /** How often an open inbox tells that its log is still read. */
  inboxTouchMs: 60 * minute,
  /** How often the outbox rows done since are marked in one statement. */
  outboxDoneFlushMs: 200,
  /** How long a done row is kept before it is deleted. */
  outboxKeptDoneMs: 60 * second,
  /** How old an undone row is before a relay takes it from whoever had it. */
  relayAgeMs: 3 * second,
  /** How often a relay looks for such rows. */
  relayPollMs: 1 * second,
  /** What every "since" asks for beyond what it needs: times are taken before commits. */
  sinceOverlapMs: 10 * second,

  // Pages and calls
  /** What a page of messages holds where neither first nor last is given. */
  pageDefaultMessages: 50,
  /** What first and last may ask for. */
  pageMessagesMax: 200,
  /** Entries of a change log that a page looks through. */
  pageChangesScannedMax: 5_000,
  /** Ids in one call. */
  idsPerCallMax: 1_000,
  /** Conversations that a user may be a member of. */
  membershipsPerUserMax: 5_000,

  // Content
  /** A text message, as UTF-8. */
  textBytesMax: 16_384,
  /** The data of a custom message, its UTF-8 as JSON. */
  customBytesMax: 16_384,
  /** Levels to which custom data nests. */
  customDepthMax: 32,
  /** The type of a custom message, in code points. */
  customTypeCharsMax: 64,

  // Names
  /** Access tokens whose MAC a node has checked and remembers; the oldest are checked again. */
  accessTokensKeptMax: 20_000,
  /** Profiles that a node keeps, and for how long: what another node changes shows that late where this one was not told. */
  profilesKeptMax: 100_000,
  profilesKeptMs: 30 * second,
  /** A display name, in code points. */
  displayNameCharsMax: 64,
  /** A group's title, in code points. */
  titleCharsMax: 128,
  /** A device's id and its name, in code points. */
  deviceCharsMax: 128,
  /** A clientMessageId or clientRequestId, in code points. */
  clientIdCharsMax: 64,
  /** A password, in code points: the least, and the most. */
  passwordCharsMin: 8,
  passwordCharsMax: 256,

  // Connections
  /** What may wait for one connection before it is closed with 4603. */
  connectionQueueBytesMax: 1 * mebibyte,
  /** How long half of that may wait while nothing is taken, before it is closed with 4603 as well. */
  connectionStallMs: 10 * second,
  /** What answers to a connection's own requests may wait for it before it is closed with 4603. */
  connectionAnswerBytesMax: 16 * mebibyte,
  /** How long a socket may take to close after it was told to. */
  socketCloseTimeoutMs: 5 * second,
  /** Operations open on one connection at a time. */
  subscriptionsPerConnectionMax: 100,
  /** The id that a client gives an operation: each of its events carries it. */
  operationIdCharsMax: 128,
  /** One frame from a client. */
  frameBytesMax: 64 * kibibyte,
  /** The body of one HTTP request. */
  httpBodyBytesMax: 256 * kibibyte,
  /** How long a socket may stay without connection_init. */
  connectionInitTimeoutMs: 3 * second,
  /** A connection that has been silent so long is pinged, and closed if it stays silent. */
  heartbeatQuietMs: 30 * second,
  /** Within how long one draining node closes its connections. */
  drainMs: 10 * second,
  /** The slices in which it does so. */
  drainSliceMs: 250,

  // Nodes
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
  /** Users of a gate who look at their logs at a time, where something may have been missed; and how far apart such times are. */
  recheckUsersPerSlice: 100,
  recheckSliceMs: 20,
  /** How long news of a conversation wait for those before them, which other nodes tell; and how many. */
  newsHeldMs: 100,
  newsHeldMax: 64,
  /** News that wait to be told to other nodes; beyond it these find them when they look. */
  newsWaitingMax: 4_096,
  /** What a node has to say to all others waits so long where it could not be said; and how much waits, the oldest is let go. */
  announcementsRetryMs: 1 * second,
  announcementsUnsaidMax: 1_000,
  /** News with more text than that leave their messages out, and are read where they are wanted. */
  newsCharsMax: 1 * mebibyte,
  /** How long a follower waits for other nodes to tell this one, before it begins all the same. */
  newsReadyMs: 1 * second,
  /** How often the heads of followed conversations are read, for a last event that was lost. */
  followedPollMs: 5 * second,

  // Live events
  /** How long one typing notice holds. */
  typingTtlMs: 6 * second,
  /** How long after the last socket closed a user is told to be offline. */
  offlineDelayMs: 5 * second,
  /** ReadAdvanced: at most one per member and conversation in this time. */
  readCoalesceMs: 1 * second,
  /** ConversationAdvanced: at most one per conversation in this time. */
  advancedCoalesceMs: 1 * second,
  /** How often each node asks every shard which sessions were revoked. */
  revocationPollMs: 1 * second,

  // Documents
  /** Levels of a document, its fragments spread. */
  documentDepthMax: 16,
  /** Tokens of a document. */
  documentTokensMax: 4_000,
  /** Aliases and repeated fields of a document, its fragments spread. */
  documentAliasesMax: 100,
  /** Directives of a document, its fragments spread. */
  documentDirectivesMax: 50,
  /** What a document may cost: fields, times the size of the pages they stand in. */
  documentCostMax: 200_000,
  /** Operations that a document may hold, of which a request names one. */
  documentOperationsMax: 50,
  /** A document, in UTF-16 units. */
  documentCharsMax: 65_536,
  /** Levels to which the variables of a request nest. */
  variablesDepthMax: 48,
  /** Values in the variables of a request, lists and objects counted with what is in them. */
  variablesValuesMax: 10_000,

  // Budgets
  /** Signed-in connections of one user. */
  connectionsPerUserMax: 100,
  /** Live sessions of one user; a sign-in beyond it displaces the oldest. */
  sessionsPerUserMax: 100,
  /** Sockets that have not been initialised yet. */
  pendingInitsMax: 4_096,
  /** Logins of one user name that may fail in an hour, wherever they come from. */
  failedLoginsPerHourMax: 100,
  /** Refreshes from one address in a minute. */
  refreshesPerMinuteMax: 6_000,
  /** For how long a session may save operations up, to spend them at once. */
  operationsSavedMs: 2 * second,
  /** Sessions and addresses whose budgets are kept; beyond it the one longest unheard of starts anew. */
  budgetsKept: 100_000,
  /** The head of a request must have come within this. */
  httpHeadersTimeoutMs: 10 * second,
  /** A whole request must have come within this; its answer may take longer, a stream for ever. */
  httpRequestTimeoutMs: 30 * second,
  /** How long the reader of an answer may take nothing. */
  httpIdleTimeoutMs: 60 * second,
};

/** Every limit of policy, its unit last in its name. What an operator may set is in config.ts. */
export const limits: Readonly<typeof table> = Object.freeze(table);

assert(limits.pageDefaultMessages <= limits.pageMessagesMax, 'a default page is a page');
assert(
  limits.inboxReplayPageEvents <= limits.inboxPullEventsMax &&
    limits.inboxPullEventsMax <= limits.inboxLogEventsKept,
  'a page of the inbox is no longer than what the log keeps',
);
assert(
  limits.writerBatchDraftsMax <= limits.writerQueueDraftsMax,
  'what one batch takes may wait for it',
);
assert(
  Math.max(limits.textBytesMax, limits.customBytesMax) * 2 <= limits.frameBytesMax,
  'the longest content fits a frame, escaped and with its document',
);
assert(
  limits.frameBytesMax <= limits.httpBodyBytesMax,
  'what goes over a socket goes over HTTP as well',
);
assert(
  limits.frameBytesMax <= limits.connectionQueueBytesMax,
  'a connection may be owed more than one frame',
);
assert(
  limits.customDepthMax + 8 <= limits.variablesDepthMax,
  'the deepest content fits the variables of a request',
);
assert(limits.idsPerCallMax * 2 <= limits.variablesValuesMax, 'the longest list of ids does, too');
assert(limits.outboxDoneFlushMs < limits.relayAgeMs, 'no relay takes what is only not yet marked');
assert(limits.outboxKeptDoneMs > limits.sinceOverlapMs, 'a done row outlives every overlap');
assert(limits.drainSliceMs < limits.drainMs, 'a drain has several slices');
assert(limits.passwordCharsMin < limits.passwordCharsMax, 'some password is allowed');
