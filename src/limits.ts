import { assert } from './lib/assert.ts';
import { inboxLimits } from './limits/inboxes.ts';
import { moneyLimits } from './limits/money.ts';
import { nodeLimits } from './limits/nodes.ts';
import { kibibyte, mebibyte, second } from './limits/units.ts';
import { writingLimits } from './limits/writing.ts';

/** What anybody may send or ask for, and how often: all of what holds hostile input is here. */
const clientLimits = {
  // Pages and calls
  /** What a page of messages holds where neither first nor last is given. */
  pageDefaultMessages: 50,
  /** What first and last may ask for. */
  pageMessagesMax: 200,
  /** Entries of a change log that a page looks through. */
  pageChangesScannedMax: 5_000,
  /** What `viewer.inbox(first:)` may ask for. */
  inboxPullEventsMax: 1_000,
  /** Ids in one call. */
  idsPerCallMax: 1_000,
  /** Conversations that a user may be a member of. */
  membershipsPerUserMax: 5_000,
  /** Members of a group. */
  groupMembersMax: 100_000,

  // Content
  /** A text message, as UTF-8. */
  textBytesMax: 16_384,
  /** The data of a custom message, its UTF-8 as JSON. */
  customBytesMax: 16_384,
  /** Levels to which custom data nests. */
  customDepthMax: 32,
  /** The type of a custom message, in code points. */
  customTypeCharsMax: 64,
  /** The greeting of a red packet, in code points. */
  greetingCharsMax: 128,
  /** The reason of a top-up, in code points. */
  topUpReasonCharsMax: 256,

  // Names
  /** A display name, in code points. */
  displayNameCharsMax: 64,
  /** A group's title, in code points. */
  titleCharsMax: 128,
  /** A device's id and its name, in code points. */
  deviceCharsMax: 128,
  /** A clientMessageId or clientRequestId, in code points. */
  clientIdCharsMax: 64,
  /** The shortest password, in code points. */
  passwordCharsMin: 8,
  /** The longest password, in code points. */
  passwordCharsMax: 256,

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
  /** The head of a request must have come within this. */
  httpHeadersTimeoutMs: 10 * second,
  /** A whole request must have come within this; its answer may take longer, a stream for ever. */
  httpRequestTimeoutMs: 30 * second,
  /** How long the reader of an answer may take nothing. */
  httpIdleTimeoutMs: 60 * second,
  /** How long a socket may stay without connection_init. */
  connectionInitTimeoutMs: 3 * second,
  /** A connection that has been silent so long is pinged, and closed if it stays silent. */
  heartbeatQuietMs: 30 * second,
  /** Within how long one draining node closes its connections. */
  drainMs: 10 * second,
  /** The slices in which it does so. */
  drainSliceMs: 250,

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

  // Live events
  /** How long one typing notice holds. */
  typingTtlMs: 6 * second,
  /** How long after the last socket closed a user is told to be offline. */
  offlineDelayMs: 5 * second,
  /** ReadAdvanced: at most one per member and conversation in this time. */
  readCoalesceMs: 1 * second,
  /** ConversationAdvanced: at most one per conversation in this time. */
  advancedCoalesceMs: 1 * second,
};

/** Every limit of policy, its unit last in its name, by subject: those of our own work in limits/. What an operator may set is in config.ts. */
export const limits = Object.freeze({
  ...clientLimits,
  ...writingLimits,
  ...moneyLimits,
  ...inboxLimits,
  ...nodeLimits,
});

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
