import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import type { InboxLog } from '../../src/realtime/inbox/inbox-log.ts';
import { appendRead, appendStretches } from '../../src/realtime/inbox/append-scripts.redis.ts';
import { openLogs, readLog } from '../../src/realtime/inbox/inbox-scripts.redis.ts';
import { gatesKey, staysKey } from '../../src/realtime/nodes/stays.lua.ts';
import { routeOf } from '../../src/realtime/nodes/stays.ts';
import { plainScript, type LuaScript } from '../../src/storage/lua.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import {
  anyId,
  entriesOf,
  jobOf,
  openRedisLog,
  placeOf,
  stretchOf,
  type OpenRedisLog,
} from '../support/inbox-logs.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { redisAvailable } from '../support/machine.ts';

const kept = 20;

type Promises = Readonly<Record<string, (opened: OpenRedisLog) => Promise<boolean>>>;

function added(conversationId: bigint, firstSeq: number, count: number) {
  return { kind: 'added', conversationId, firstSeq, count } as const;
}

/** Appends messages of which each is an event of its own, from an eventNo on that is their seq. */
function append(log: InboxLog, id: bigint, firstSeq: number, count: number, users: bigint[]) {
  const to = users.map((userId) => [userId, 1] as const);
  const stretch = stretchOf(id, firstSeq, [{ event: added(id, firstSeq, count), to }]);
  return log.append(placeOf(log), jobOf(stretch));
}

async function person({ log }: OpenRedisLog): Promise<bigint> {
  const userId = anyId();
  await log.open(userId);
  return userId;
}

/** A read of somebody's, as the members until `membersEventNo` may know of it. */
function read(log: InboxLog, id: bigint, readSeq: number, to: bigint, membersEventNo = 1) {
  const event = { kind: 'read', conversationId: id, userId: to, readSeq } as const;
  const recipients = [{ userId: to, joinedSeq: 1, joinedEventNo: 1 }];
  const telling = { messages: new Map(), regimes: new Map() };
  const more = { membersEventNo, isWhole: false, atMs: 1, recipients, telling };
  return log.append(placeOf(log), { kind: 'read', event, ...more });
}

/** What the scripts promise, each with how it is seen. */
const promises: Promises = {
  'nothing is written in an epoch that has ended': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    const before = await append(opened.log, id, 1, 1, [ann]);
    await opened.buckets.all[0]?.call('FLUSHALL');
    return (await append(opened.log, id, 2, 1, [ann])).epoch !== before.epoch;
  },
  'what is missing before is missed': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    await append(opened.log, id, 1, 1, [ann]);
    const { behind } = await append(opened.log, id, 3, 1, [ann]);
    return behind.has(id) && (await entriesOf(opened.log, ann)).length === 1;
  },
  'where nothing is known of a conversation something may be missing': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    const { behind } = await append(opened.log, id, 7, 1, [ann]);
    return behind.has(id) && (await entriesOf(opened.log, ann)).length === 0;
  },
  'what is told again is appended once': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    for (const _time of [1, 2]) await append(opened.log, id, 1, 3, [ann]);
    return (await entriesOf(opened.log, ann)).join() === '3 added 1+3';
  },
  'of a run of which the beginning is there the end is appended': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    await append(opened.log, id, 1, 3, [ann]);
    await append(opened.log, id, 1, 5, [ann]);
    return (await entriesOf(opened.log, ann)).join() === '3 added 1+3,5 added 4+2';
  },
  'a run begins where its reader joined': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    const stretch = stretchOf(id, 1, [{ event: added(id, 1, 5), to: [[ann, 3]] }]);
    await opened.log.append(placeOf(opened.log), jobOf(stretch));
    return (await entriesOf(opened.log, ann)).join() === '3 added 3+3';
  },
  'offsets are 1, 2, 3': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    for (const seq of [1, 2, 3]) await append(opened.log, id, seq, 1, [ann]);
    const all = (await entriesOf(opened.log, ann)).map((entry) => entry.split(' ')[0]);
    return all.join() === '1,2,3';
  },
  'reading goes on after the cursor': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    for (const seq of [1, 2, 3]) await append(opened.log, id, seq, 1, [ann]);
    return (await entriesOf(opened.log, ann, 1n)).join() === '2 added 2+1,3 added 3+1';
  },
  'resuming goes on after the cursor': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    for (const seq of [1, 2, 3]) await append(opened.log, id, seq, 1, [ann]);
    const { epoch } = await opened.log.open(ann);
    const { entries } = await opened.log.resume(ann, { epoch, offset: 1n });
    return entries.map(({ lastOffset }) => lastOffset).join() === '2,3';
  },
  'nothing of another log is resumed': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    await append(opened.log, id, 1, 1, [ann]);
    const { epoch } = await opened.log.open(ann);
    const { entries } = await opened.log.resume(ann, { epoch: epoch + 1n, offset: 0n });
    return entries.length === 0;
  },
  'so many events are kept': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    for (let seq = 1; seq <= 2 * kept; seq += 1) await append(opened.log, id, seq, 1, [ann]);
    return (await entriesOf(opened.log, ann)).length >= kept;
  },
  'one publish for a gate that lives and has a reader, none for another': async (opened) => {
    const [ann, bob, id] = [await person(opened), await person(opened), anyId()];
    const [bucket] = opened.buckets.all;
    await bucket?.call('HSET', staysKey, routeOf(ann), '<here.1><dead.1>');
    await bucket?.call('HSET', staysKey, routeOf(bob), '<here.1>');
    await bucket?.call('ZADD', gatesKey, 1e15, 'here.1', 1, 'dead.1', 1e15, 'idle.1');
    const before = await publishes(opened);
    await append(opened.log, id, 1, 3, [ann, bob]);
    return (await publishes(opened)) - before === 1;
  },
  'what cannot be appended is told to nobody': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    const [bucket] = opened.buckets.all;
    await bucket?.call('HSET', staysKey, routeOf(ann), '<here.1>');
    await bucket?.call('ZADD', gatesKey, 1e15, 'here.1');
    await bucket?.call('SET', `fim:l:${String(bucket.epoch)}:${ann}`, 'no stream');
    const before = await publishes(opened);
    const isRefused = await append(opened.log, id, 1, 1, [ann]).then(
      () => false,
      () => true,
    );
    return isRefused && (await publishes(opened)) === before;
  },
  'what was on its way when the link broke is not said again': async ({ redis, buckets }) => {
    await using proxy = await FaultProxy.start(redis.port);
    const own = new RedisBuckets([`redis://127.0.0.1:${proxy.port}`], {
      log: createLogger({ level: 'silent' }),
      limits,
    });
    await own.start();
    const [bucket] = own.all;
    const key = `key-${anyId()}`;
    const isCut = proxy.cutAt(key, 'up', { passes: false });
    const isDone = bucket?.call('INCR', key).then(
      () => true,
      () => false,
    );
    await isCut;
    await vi.waitUntil(() => bucket?.isUp, { timeout: 10_000 });
    // Longer than a connection takes to come back.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const left = await buckets.all[0]?.call('GET', key);
    await own.stop();
    return left === null && !(await isDone);
  },
  'a read is told once': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    await append(opened.log, id, 1, 3, [ann]);
    for (const seq of [2, 2, 1]) await read(opened.log, id, seq, ann);
    return (await entriesOf(opened.log, ann)).join() === '3 added 1+3,4 read 2';
  },
  'a read waits for members that its teller does not know': async (opened) => {
    const [ann, id] = [await person(opened), anyId()];
    const to = [[ann, 1]] as const;
    const stretch = stretchOf(id, 1, [{ event: added(id, 1, 3), to }], 3);
    await opened.log.append(placeOf(opened.log), jobOf(stretch));
    return (await read(opened.log, id, 2, ann)).isStale;
  },
};

async function publishes({ buckets }: OpenRedisLog): Promise<number> {
  const text = String(await buckets.all[0]?.call('INFO', 'commandstats'));
  return Number(/cmdstat_publish:calls=(\d+)/.exec(text)?.[1] ?? 0);
}

/** The promises that do not hold. @param names of all of them. */
async function broken(names = Object.keys(promises)): Promise<string[]> {
  // Nobody but the scripts shall see that Redis was emptied.
  await using opened = await openRedisLog({ inboxLogEventsKept: kept, redisEpochPollMs: 600_000 });
  const found: string[] = [];
  for (const [promise, isKept] of Object.entries(promises)) {
    if (names.includes(promise) && !(await isKept(opened).catch(() => false))) found.push(promise);
  }
  return found;
}

/** Puts a bug into a script while something is done. */
async function withBug<T>(
  script: LuaScript,
  right: string,
  wrong: string,
  work: () => Promise<T>,
): Promise<T> {
  expect(script.text).toContain(right);
  const before = { ...script };
  Object.assign(script, plainScript(script.name, script, script.text.replace(right, wrong)));
  try {
    return await work();
  } finally {
    Object.assign(script, before);
  }
}

describe.skipIf(!redisAvailable())('the scripts of the inbox log', () => {
  test('keep what they promise', async () => {
    expect(await broken()).toEqual([]);
  }, 60_000);

  test.each([
    [
      'epoch ignored',
      appendStretches,
      '~= ARGV[1] then',
      "== '' then",
      'nothing is written in an epoch that has ended',
    ],
    [
      'watermark not compared',
      appendStretches,
      'if behind[s.c] or next < s.f then',
      'if false then',
      'what is missing before is missed',
    ],
    [
      'absent watermark taken as done',
      appendStretches,
      '(s.f == 1 and 1 or 0)',
      's.f',
      'where nothing is known of a conversation something may be missing',
    ],
    [
      'watermark not moved',
      appendStretches,
      'moved[s.c] = true',
      '',
      'what is told again is appended once',
    ],
    [
      'run told from its beginning again',
      appendStretches,
      'local done = next - e.n',
      'local done = 0',
      'of a run of which the beginning is there the end is appended',
    ],
    [
      'run not clipped to joining',
      appendStretches,
      'local hidden = joined - p',
      'local hidden = 0',
      'a run begins where its reader joined',
    ],
    [
      'offset one too far',
      appendStretches,
      'head.o = head.o + count',
      'head.o = head.o + count + 1',
      'offsets are 1, 2, 3',
    ],
    [
      'cursor off by one',
      readLog,
      "ARGV[4] .. '-0'",
      "'(' .. ARGV[4] .. '-0'",
      'reading goes on after the cursor',
    ],
    [
      'resumed off by one',
      openLogs,
      "ARGV[i + 3] .. '-0'",
      "'(' .. ARGV[i + 3] .. '-0'",
      'resuming goes on after the cursor',
    ],
    [
      'resumed whatever the log',
      openLogs,
      'known[1] == ARGV[i + 2] and',
      '',
      'nothing of another log is resumed',
    ],
    [
      'trimmed too far',
      appendStretches,
      'head.t = head.o - kept',
      'head.t = head.o - 5',
      'so many events are kept',
    ],
    [
      'lease of a gate not looked at',
      appendStretches,
      'if lease and tonumber(lease) > now then',
      'if true then',
      'one publish for a gate that lives and has a reader, none for another',
    ],
    [
      'publish before append',
      appendStretches,
      'local function flush(kept)',
      `local function flush(kept)
  for name, gate in pairs(gates) do
    if gate then redis.call('PUBLISH', 'gate:' .. name, '') end
  end`,
      'what cannot be appended is told to nobody',
    ],
    [
      'read position not compared',
      appendRead,
      'if last and tonumber(last) >= job.p then',
      'if false then',
      'a read is told once',
    ],
    [
      'change of members not compared',
      appendRead,
      'if mark.members > job.m then',
      'if false then',
      'a read waits for members that its teller does not know',
    ],
  ] as const)(
    'the planted bug "%s" is seen',
    async (_bug, script, right, wrong, promise) => {
      expect(await withBug(script, right, wrong, broken)).toContain(promise);
    },
    60_000,
  );

  test('the planted bug "unsent commands resent after a restart" is seen', async () => {
    const { connect, disconnect } = Redis.prototype;
    const clients = new Set<Redis>();
    const planted = vi.spyOn(Redis.prototype, 'connect').mockImplementation(function (this: Redis) {
      clients.add(this);
      // As the client is by itself.
      Object.assign(this.options, {
        autoResendUnfulfilledCommands: true,
        maxRetriesPerRequest: 20,
        retryStrategy: () => 20,
      });
      return connect.call(this);
    });
    const kept = vi.spyOn(Redis.prototype, 'disconnect').mockReturnValue(undefined);
    try {
      const promise = 'what was on its way when the link broke is not said again';
      expect(await broken([promise])).toEqual([promise]);
    } finally {
      planted.mockRestore();
      kept.mockRestore();
      for (const client of clients) disconnect.call(client);
    }
  }, 60_000);
});
