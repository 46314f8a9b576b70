import { randomBytes } from 'node:crypto';
import type { Cursor } from '../../domain/inbox/inbox.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { GroupCommit } from '../../storage/group-commit.ts';
import { readPerShard } from '../../storage/per-shard.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { marks, SqlError } from '../../storage/sql.ts';
import { present } from '../../lib/assert.ts';
import { chunks } from '../../lib/chunks.ts';
import { AppendMemory } from './append-memory.ts';
import { appendJobs, type Decided } from './inbox-append.ts';
import type { AppendJob, Appended, AppendOutcome, Telling } from './append-job.ts';
import type { InboxLog, LogPlace, Resumed } from './inbox-log.ts';
import { headColumns, type LogHead } from './log-head.ts';
import { entryColumns, entryOf } from './log-entry.ts';
import type { EntryRow, LogEntry } from './log-entry.ts';

export interface SqlInboxLogDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Told when appends to a shard's logs succeed again: what was appended meanwhile may not have been delivered. */
  readonly onRecovered: (shard: Shard) => void;
  /** Called after each commit, in the order of the jobs, with what each put into which logs. Must not throw. */
  readonly deliver: (appended: readonly Appended[], telling: Telling) => void;
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
/** One process takes all rows to a place in their order. */
const nothingBehind: ReadonlySet<bigint> = new Set();

/**
 * The inbox logs of all users, in tables on their shards: for one node, and safe over its restarts.
 *
 * Per user: an epoch, and offsets 1, 2, 3, … A user without a head is passed over; a head is made when somebody begins to
 * read. Appends of one shard share transactions, one at a time, so each user's offsets are told in order.
 */
export class SqlInboxLog implements InboxLog {
  readonly #deps: SqlInboxLogDeps;
  /** Shards whose last append failed: it may have been committed all the same, and was delivered to nobody. */
  readonly #failed = new Set<Shard>();
  readonly #memories = new Map<Shard, AppendMemory>();
  readonly #appenders = new Map<Shard, GroupCommit<AppendJob, Decided>>();

  constructor(deps: SqlInboxLogDeps) {
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
      const appender = new GroupCommit<AppendJob, Decided>({
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

  get places(): readonly Shard[] {
    return this.#deps.shards.all;
  }

  placeOf(userId: bigint): Shard {
    return this.#deps.shards.of(userId);
  }

  async append({ index }: LogPlace, job: AppendJob): Promise<AppendOutcome> {
    const shard = present(this.places[index], 'a place is a shard');
    const appender = this.#appenders.get(shard);
    if (!appender) throw new Error('the inbox log was not started');
    try {
      const { isStale } = await appender.submit(job);
      if (this.#failed.delete(shard)) this.#deps.onRecovered(shard);
      return { isStale, behind: nothingBehind, epoch: 0n };
    } catch (error) {
      this.#failed.add(shard);
      throw error;
    }
  }

  open(userId: bigint): Promise<LogHead> {
    return this.opening(userId).opened;
  }

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

  async resume(
    userId: bigint,
    after: Pick<Cursor, 'epoch' | 'offset'>,
    entriesMax: number,
  ): Promise<Resumed> {
    const head = await this.open(userId);
    const hasMore = head.epoch === after.epoch && head.lastOffset > after.offset;
    return { head, entries: hasMore ? await this.read(userId, after, entriesMax) : [] };
  }

  /** One statement a shard. */
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

  async read(
    userId: bigint,
    { epoch, offset }: Pick<Cursor, 'epoch' | 'offset'>,
    entriesMax: number,
  ): Promise<LogEntry[]> {
    const { sql } = this.#deps.shards.of(userId);
    const rows = await sql.query<EntryRow>(
      `SELECT ${entryColumns.join(', ')} FROM InboxEntry` +
        ' WHERE userId = ? AND lastOffset > ?' +
        ' AND EXISTS (SELECT 1 FROM InboxHead WHERE userId = ? AND epoch = ?)' +
        ' ORDER BY lastOffset LIMIT ?',
      [userId, offset, userId, epoch, entriesMax],
    );
    return rows.map(entryOf);
  }
}
