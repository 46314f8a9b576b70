import { day, minute, second } from './units.ts';

/** Of the way from a commit into the inbox logs, and out of them. */
export const inboxLimits = {
  /** Events that a user's log keeps at least. */
  inboxLogEventsKept: 2_000,
  /** Older entries do not count on reading, and an older cursor meets InboxReset. */
  inboxLogAgeMaxMs: 7 * day,
  /** Events that a replay reads at a time. */
  inboxReplayPageEvents: 200,
  /** Stretches of events that wait for a shard's inbox logs; one more waits with its outbox row. */
  appendQueueJobsMax: 8_192,
  /** Stretches of events that one transaction appends. */
  appendBatchJobsMax: 512,
  /** Users of whom a shard's appender remembers where their logs are; others it reads. */
  appendUsersKept: 100_000,
  /** Conversations of which a shard's appender remembers where their marks are; others it reads. */
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
  /** What one shared statement asks for, but for one reader who has more. */
  gatheredReadsKeysMax: 4_000,
  /** Who may wait for the next shared statement; one more is UNAVAILABLE. */
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
};
