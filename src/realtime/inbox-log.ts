import { randomBytes } from 'node:crypto';
import type { Cursor } from '../domain/inbox/inbox.ts';
import { present } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { GroupCommit } from '../storage/group-commit.ts';
import { chunks, readPerShard } from '../storage/per-shard.ts';
import type { Shard, Shards } from '../storage/shards.ts';
import { marks, SqlError } from '../storage/sql.ts';
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
  open(userId: bigint): Promise<LogHead> {
    return this.opening(userId).opened;
  }

  /**
   * As `open`, step by step: what is read once `taken` resolves is as new as that head; whoever is told the head waits
   * for `opened`, so that the log is kept for them. Where the head is there, `taken` is one round trip.
   */
  opening(userId: bigint): { taken: Promise<LogHead>; opened: Promise<LogHead> } {
    const { clock, limits } = this.#deps;
    const taken = this.#take(userId);
    const opened = taken.then(async (head) => {
      // Most of the time it was looked at lately.
      const isFresh = Number(head.lastSeenAtMs) > clock.now() - limits.inboxTouchMs;
      if (!isFresh) await this.touch([userId]);
      return head;
    });
    return { taken, opened };
  }

  async #take(userId: bigint): Promise<LogHead> {
    const known = (await this.heads([userId])).get(userId);
    if (known) return known;
    const made: LogHead = {
      userId,
      epoch: randomBytes(8).readBigUInt64BE() >> 1n,
      lastOffset: 0n,
      trimmedOffset: 0n,
      lastSeenAtMs: BigInt(this.#deps.clock.now()),
    };
    const shard = this.#deps.shards.of(userId);
    try {
      await shard.sql.execute(
        'INSERT INTO InboxHead (userId, epoch, trimmedOffset, lastSeenAtMs) VALUES (?, ?, ?, ?)',
        [userId, made.epoch, made.trimmedOffset, made.lastSeenAtMs],
      );
      // The appender may remember that there was none.
      this.#memories.get(shard)?.forget([userId]);
      return made;
    } catch (error) {
      const isThere = error instanceof SqlError && error.kind === 'unique';
      if (!isThere) throw error;
      // Somebody else has made it meanwhile.
      return present(
        (await this.heads([userId])).get(userId),
        'a head stays when it was just made',
      );
    }
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
