import { randomBytes } from 'node:crypto';
import type { Cursor } from '../domain/inbox/inbox.ts';
import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { GroupCommit } from '../storage/group-commit.ts';
import { chunks, readPerShard } from '../storage/per-shard.ts';
import type { Shard, Shards } from '../storage/shards.ts';
import { marks } from '../storage/sql.ts';
import { AppendMemory } from './append-memory.ts';
import { appendJobs } from './inbox-append.ts';
import type { AppendJob, AppendOutcome } from './append-job.ts';
import { entryColumns, entryOf } from './log-entry.ts';
import type { EntryRow, LogEntry } from './log-entry.ts';
import { headColumns } from './log-head.ts';
import type { LogHead } from './log-head.ts';

export interface InboxLogDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Told when appends to a shard's logs succeed again: what was appended meanwhile may not have been delivered. */
  readonly onRecovered: (shard: Shard) => void;
  readonly limits: {
    readonly inboxLogEventsKept: number;
    readonly inboxLogAgeMaxMs: number;
    readonly inboxTouchMs: number;
    readonly appendQueueJobsMax: number;
    readonly appendBatchJobsMax: number;
    readonly appendUsersKept: number;
    readonly appendConversationsKept: number;
  };
}

const usersPerStatement = 500;

/**
 * The inbox logs of all users, in tables on their shards: for one node, and safe over its restarts.
 *
 * Per user: an epoch, and offsets 1, 2, 3, … A user without a head is passed over; a head is made when somebody begins to
 * read. Appends of one shard share transactions, one at a time, so each user's offsets are told in order.
 */
export class InboxLog implements Lifecycle {
  readonly #deps: InboxLogDeps;
  /** Shards whose last append failed: it may have been committed all the same, and was delivered to nobody. */
  readonly #failed = new Set<Shard>();
  readonly #memories = new Map<Shard, AppendMemory>();
  readonly #appenders = new Map<Shard, GroupCommit<AppendJob, AppendOutcome>>();

  constructor(deps: InboxLogDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { shards, limits } = this.#deps;
    for (const shard of shards.all) {
      const memory = new AppendMemory({
        usersMax: limits.appendUsersKept,
        conversationsMax: limits.appendConversationsKept,
      });
      this.#memories.set(shard, memory);
      const appender = new GroupCommit<AppendJob, AppendOutcome>({
        run: (jobs) => appendJobs(shard, memory, jobs, this.#deps),
        // None is ever deferred.
        keyOf: () => 'append',
        batchMax: limits.appendBatchJobsMax,
        queueMax: limits.appendQueueJobsMax,
        deferMaxMs: 0,
      });
      this.#appenders.set(shard, appender);
    }
    await Promise.resolve();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#appenders.values()].map((appender) => appender.stop(graceMs)));
  }

  /**
   * Appends what happened to the logs of those of its recipients who live on this shard, in one transaction with the watermarks:
   * what was appended before is passed over, so repeating a job does no harm.
   */
  async append(shard: Shard, job: AppendJob): Promise<AppendOutcome> {
    const appender = this.#appenders.get(shard);
    if (!appender) throw new Error('the inbox log was not started');
    try {
      const outcome = await appender.submit(job);
      if (this.#failed.delete(shard)) this.#deps.onRecovered(shard);
      return outcome;
    } catch (error) {
      this.#failed.add(shard);
      throw error;
    }
  }

  /**
   * The head of a user's log, made where it is missing, and a sign that they are still there: a log that nobody
   * reads for as long as it reaches back is dropped.
   */
  async open(userId: bigint): Promise<LogHead> {
    const { clock, limits } = this.#deps;
    const known = (await this.heads([userId])).get(userId);
    // Most of the time it is there, and was looked at lately.
    if (known && Number(known.lastSeenAtMs) > clock.now() - limits.inboxTouchMs) return known;
    await this.#touch(userId, clock.now());
    const head = (await this.heads([userId])).get(userId);
    if (!head) throw new Error('an inbox head is gone as soon as it was made');
    return head;
  }

  async #touch(userId: bigint, now: number): Promise<void> {
    const shard = this.#deps.shards.of(userId);
    const { sql } = shard;
    const epoch = randomBytes(8).readBigUInt64BE() >> 1n;
    const { dialect } = sql;
    await sql.execute(
      'INSERT INTO InboxHead (userId, epoch, trimmedOffset, lastSeenAtMs) VALUES (?, ?, 0, ?)' +
        dialect.upsert(
          ['userId'],
          `lastSeenAtMs = ${dialect.greatest('InboxHead.lastSeenAtMs', dialect.incoming('lastSeenAtMs'))}`,
        ),
      [userId, epoch, now],
    );
    // It may be new: the appender may remember that there was none.
    this.#memories.get(shard)?.forget([userId]);
  }

  /** The heads that are there: one statement a shard. */
  async heads(userIds: readonly bigint[]): Promise<ReadonlyMap<bigint, LogHead>> {
    const { shards } = this.#deps;
    const rows = await readPerShard(
      shards,
      userIds,
      (id) => id,
      ({ sql }, ids) =>
        sql.query<LogHead>(
          `SELECT ${headColumns} FROM InboxHead WHERE userId IN (${marks(ids.length)})`,
          ids,
        ),
    );
    return new Map(rows.flat().map((head) => [head.userId, head]));
  }

  /**
   * Tells each user's head, or that there is none, as the shards answer: one that does not holds up nobody else's.
   * Rejects where one did not.
   */
  async tellHeads(
    userIds: readonly bigint[],
    tell: (userId: bigint, head: LogHead | undefined) => void,
  ): Promise<void> {
    const { shards } = this.#deps;
    await readPerShard(
      shards,
      userIds,
      (id) => id,
      async (_shard, ofShard) => {
        for (const ids of chunks(ofShard, usersPerStatement)) {
          const heads = await this.heads(ids);
          for (const id of ids) tell(id, heads.get(id));
        }
      },
    );
  }

  /** A sign that these users are still there, where they have a log. */
  async touch(userIds: readonly bigint[]): Promise<void> {
    const now = this.#deps.clock.now();
    await readPerShard(
      this.#deps.shards,
      userIds,
      (id) => id,
      async ({ sql }, ofShard) => {
        for (const ids of chunks(ofShard, usersPerStatement)) {
          const text = `UPDATE InboxHead SET lastSeenAtMs = ? WHERE userId IN (${marks(ids.length)})`;
          await sql.execute(text, [now, ...ids]);
        }
      },
    );
  }

  /** Entries that reach beyond `after`, in order; the first may begin before it. */
  async read(userId: bigint, after: bigint, entriesMax: number): Promise<LogEntry[]> {
    const { sql } = this.#deps.shards.of(userId);
    const rows = await sql.query<EntryRow>(
      `SELECT ${entryColumns.join(', ')} FROM InboxEntry` +
        ' WHERE userId = ? AND lastOffset > ? ORDER BY lastOffset LIMIT ?',
      [userId, after, entriesMax],
    );
    return rows.map(entryOf);
  }
}

/** Whether a log goes on from a cursor without a hole. */
export function reachesBack(
  head: Pick<LogHead, 'epoch' | 'lastOffset' | 'trimmedOffset'>,
  after: Cursor,
  oldestMs: number,
): boolean {
  return (
    after.epoch === head.epoch &&
    after.offset <= head.lastOffset &&
    after.offset >= head.trimmedOffset &&
    after.atMs >= oldestMs
  );
}
