import { present } from '../../lib/assert.ts';
import type { Cursor } from '../../domain/inbox/inbox.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { Fault } from '../../lib/fault.ts';
import { chunks } from '../../lib/chunks.ts';
import type { RedisBuckets } from '../../storage/redis-buckets.ts';
import type { RedisBucket } from '../../storage/redis.ts';
import type { AppendJob, AppendOutcome } from './append-job.ts';
import { partsOf, readArgs, stretchesArgs, type AppendBounds } from './append-text.redis.ts';
import type { InboxLog, LogPlace, Resumed } from './inbox-log.ts';
import { appendRead, appendStretches } from './append-scripts.redis.ts';
import { readHeads, readLog, touchLogs } from './inbox-scripts.redis.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogHead } from './log-head.ts';
import { entryOf, headOf, LogOpenings } from './log-openings.redis.ts';
import type { LogOpeningsDeps, StreamEntry } from './log-openings.redis.ts';

export interface RedisInboxLogDeps {
  readonly buckets: RedisBuckets;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly limits: LogOpeningsDeps['limits'] & {
    readonly inboxLogEventsKept: number;
    readonly inboxLogAgeMaxMs: number;
    readonly redisAppendEntriesMax: number;
  };
}

const usersPerCall = 500;

/**
 * The inbox logs of all users, as streams in Redis: for many nodes, and lost with it. What is in it is described in
 * inbox-scripts.redis.ts.
 *
 * Each call is one script, which Redis runs alone. What was appended is published to the gates of its users by the same
 * script, so each gate hears of each user's offsets in their order.
 */
export class RedisInboxLog implements InboxLog {
  readonly #deps: RedisInboxLogDeps;
  readonly #openings: LogOpenings;

  constructor(deps: RedisInboxLogDeps) {
    this.#deps = deps;
    this.#openings = new LogOpenings({ ...deps, livesMs: this.#livesMs });
  }

  get places(): readonly RedisBucket[] {
    return this.#deps.buckets.all;
  }

  placeOf(userId: bigint): RedisBucket {
    return this.#deps.buckets.of(userId);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async append({ index }: LogPlace, job: AppendJob): Promise<AppendOutcome> {
    const bucket = present(this.places[index], 'a place is a bucket');
    const outcome =
      job.kind === 'read'
        ? await this.#appendRead(bucket, job)
        : await this.#appendAll(bucket, job);
    this.#deps.failpoints.reach('after-append');
    return outcome;
  }

  async open(userId: bigint): Promise<LogHead> {
    return (await this.#openings.open(userId, null)).head;
  }

  resume(userId: bigint, after: Pick<Cursor, 'epoch' | 'offset'>): Promise<Resumed> {
    return this.#openings.open(userId, after);
  }

  opening(userId: bigint): { taken: Promise<LogHead>; opened: Promise<LogHead> } {
    const opened = this.open(userId);
    return { taken: opened, opened };
  }

  async heads(userIds: readonly bigint[]): Promise<ReadonlyMap<bigint, LogHead>> {
    const heads = new Map<bigint, LogHead>();
    await this.tellHeads(userIds, (userId, head) => {
      if (head) heads.set(userId, head);
    });
    return heads;
  }

  async tellHeads(
    userIds: readonly bigint[],
    tell: (userId: bigint, head: LogHead | undefined) => void,
  ): Promise<void> {
    await this.#perBucket(userIds, async (bucket, ids) => {
      const { answer } = await bucket.runInEpoch(readHeads, ids.map(String));
      const heads = answer as readonly unknown[];
      ids.forEach((id, index) => tell(id, headOf(id, heads[index])));
    });
  }

  async touch(userIds: readonly bigint[]): Promise<void> {
    const now = this.#deps.clock.now();
    await this.#perBucket(userIds, async (bucket, ids) => {
      await bucket.runInEpoch(touchLogs, [now, this.#livesMs, ...ids.map(String)]);
    });
  }

  async read(
    userId: bigint,
    { epoch, offset }: Pick<Cursor, 'epoch' | 'offset'>,
    entriesMax: number,
  ): Promise<LogEntry[]> {
    const args = [String(userId), String(epoch), String(offset + 1n), entriesMax] as const;
    const { answer } = await this.placeOf(userId).runInEpoch(readLog, args);
    return (answer as readonly StreamEntry[]).map(entryOf);
  }

  /** How long a log lives that nobody reads: a cursor may be that much younger than the last sign. */
  get #livesMs(): number {
    const { inboxLogAgeMaxMs, inboxTouchMs } = this.#deps.limits;
    return inboxLogAgeMaxMs + 2 * inboxTouchMs;
  }

  get #bounds(): AppendBounds {
    // A conversation's guards outlive what they guard.
    return { kept: this.#deps.limits.inboxLogEventsKept, ttl: 2 * this.#livesMs };
  }

  async #appendAll(
    bucket: RedisBucket,
    job: Extract<AppendJob, { kind: 'events' }>,
  ): Promise<AppendOutcome> {
    const behind = new Set<bigint>();
    let epoch: bigint | null = null;
    for (const part of partsOf(job.stretches, this.#deps.limits.redisAppendEntriesMax)) {
      const next = part.filter(({ conversationId }) => !behind.has(conversationId));
      if (next.length === 0) continue;
      const args = stretchesArgs(next, job, this.#bounds);
      const done = await bucket.runInEpoch(appendStretches, args, job.onlyIn);
      epoch ??= done.epoch;
      // What was appended before it is gone.
      if (epoch !== done.epoch) throw new Fault('UNAVAILABLE', 'The inbox logs began anew.');
      for (const id of done.answer as readonly string[]) behind.add(BigInt(id));
    }
    return { isStale: false, behind, epoch: epoch ?? 0n };
  }

  async #appendRead(
    bucket: RedisBucket,
    job: Extract<AppendJob, { kind: 'read' }>,
  ): Promise<AppendOutcome> {
    const args = readArgs(job, this.#bounds);
    const { epoch, answer } = await bucket.runInEpoch(appendRead, args, job.onlyIn);
    const isBehind = answer === 'behind';
    return {
      isStale: answer === 'stale',
      behind: new Set(isBehind ? [job.event.conversationId] : []),
      epoch,
    };
  }

  async #perBucket(
    userIds: readonly bigint[],
    work: (bucket: RedisBucket, ids: readonly bigint[]) => Promise<void>,
  ): Promise<void> {
    const byBucket = new Map<RedisBucket, bigint[]>();
    for (const id of userIds) {
      const bucket = this.placeOf(id);
      const known = byBucket.get(bucket);
      if (known) known.push(id);
      else byBucket.set(bucket, [id]);
    }
    await Promise.all(
      [...byBucket].map(async ([bucket, ids]) => {
        for (const page of chunks(ids, usersPerCall)) await work(bucket, page);
      }),
    );
  }
}
