import { randomBytes } from 'node:crypto';
import { present } from '../../src/lib/assert.ts';
import { noFailpoints } from '../../src/lib/failpoint.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import type { AppendJob, Stretch, Telling } from '../../src/realtime/inbox/append-job.ts';
import type { InboxLog, LogPlace } from '../../src/realtime/inbox/inbox-log.ts';
import { RedisInboxLog } from '../../src/realtime/inbox/inbox-log.redis.ts';
import { SqlInboxLog } from '../../src/realtime/inbox/inbox-log.sql.ts';
import type { LogEvent } from '../../src/realtime/inbox/log-entry.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { StillClock } from './accounts.ts';
import { redisAvailable } from './machine.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { sqlEngines } from './sql-engines.ts';

/** An implementation of the inbox log, for the tests of its port. */
export interface LogKind {
  readonly name: string;
  readonly isHere: () => boolean;
  open(bounds?: Partial<typeof limits>): Promise<OpenLog>;
}

export interface OpenLog extends AsyncDisposable {
  readonly log: InboxLog;
  readonly clock: StillClock;
}

export interface OpenRedisLog extends OpenLog {
  /** The first one. */
  readonly redis: TestRedis;
  readonly all: readonly TestRedis[];
  readonly buckets: RedisBuckets;
  readonly log: RedisInboxLog;
}

/** @param count so many Redis, each with the logs of some users. */
export async function openRedisLog(
  bounds: Partial<typeof limits> = {},
  count = 1,
): Promise<OpenRedisLog> {
  const all = await Promise.all(Array.from({ length: count }, () => startRedis()));
  const own = { ...limits, redisEpochPollMs: 50, ...bounds };
  const clock = new StillClock();
  const buckets = new RedisBuckets(
    all.map(({ url }) => url),
    { log: createLogger({ level: 'silent' }), limits: own },
  );
  await buckets.start();
  const deps = { buckets, clock, failpoints: noFailpoints, limits: own };
  return {
    redis: present(all[0], 'a Redis'),
    all,
    buckets,
    clock,
    log: new RedisInboxLog(deps),
    async [Symbol.asyncDispose]() {
      await buckets.stop();
      await Promise.all(all.map((redis) => redis.stop()));
    },
  };
}

export const logKinds: readonly LogKind[] = [
  ...sqlEngines.map(({ name, isHere, open }) => ({
    name: `tables of ${name}`,
    isHere,
    async open(bounds: Partial<typeof limits> = {}): Promise<OpenLog> {
      const engine = await open();
      const clock = new StillClock();
      const log = new SqlInboxLog({
        shards: engine.shards,
        clock,
        failpoints: noFailpoints,
        limits: { ...limits, ...bounds },
        deliver: () => undefined,
        onRecovered: () => undefined,
      });
      await log.start();
      return {
        log,
        clock,
        async [Symbol.asyncDispose]() {
          await log.stop(0);
          await engine[Symbol.asyncDispose]();
        },
      };
    },
  })),
  { name: 'Redis', isHere: redisAvailable, open: (bounds) => openRedisLog(bounds) },
];

const nothingShown: Telling = { messages: new Map(), regimes: new Map() };

/** An id that nobody has. */
export function anyId(): bigint {
  return randomBytes(8).readBigUInt64BE() >> 2n;
}

export interface Happened {
  readonly event: LogEvent;
  /** Users and their joinedSeq. */
  readonly to: readonly (readonly [userId: bigint, joinedSeq: number])[];
}

/** Events of one conversation from an eventNo on. */
export function stretchOf(
  conversationId: bigint,
  firstEventNo: number,
  happened: readonly Happened[],
  membersEventNo = 1,
): Stretch {
  let eventNo = firstEventNo;
  const events = happened.map(({ event, to }) => {
    const own = eventNo;
    eventNo += event.kind === 'added' ? event.count : 1;
    const recipients = to.map(([userId, joinedSeq]) => ({ userId, joinedSeq }));
    return { eventNo: own, event, recipients };
  });
  const nextEventNo = eventNo;
  return { conversationId, firstEventNo, nextEventNo, membersEventNo, atMs: 1_000, events };
}

/** The job that appends them. */
export function jobOf(...stretches: readonly Stretch[]): AppendJob {
  return { kind: 'events', stretches, telling: nothingShown };
}

export function placeOf(log: InboxLog): LogPlace {
  const [place] = log.places;
  if (!place) throw new Error('no place');
  return place;
}

/** What a log holds: `first-last offset: event`. */
export async function entriesOf(log: InboxLog, userId: bigint, after = 0n): Promise<string[]> {
  const head = await log.open(userId);
  const entries = await log.read(userId, { epoch: head.epoch, offset: after }, 1_000);
  return entries.map(({ event, lastOffset }) => `${lastOffset} ${textOf(event)}`);
}

function textOf(event: LogEvent): string {
  switch (event.kind) {
    case 'added':
      return `added ${event.firstSeq}+${event.count}`;
    case 'changed':
      return `changed ${event.seq} by ${event.changeSeq}`;
    case 'read':
      return `read ${event.readSeq}`;
    case 'wallet':
      return `wallet ${event.entryNo}`;
    case 'conversation':
    case 'removed':
    case 'advanced':
      return event.kind;
  }
}
