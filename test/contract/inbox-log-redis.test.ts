import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { noFailpoints } from '../../src/lib/failpoint.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { RedisBroker } from '../../src/realtime/nodes/broker.redis.ts';
import { decodeGateText, type GateText } from '../../src/realtime/inbox/gate-text.ts';
import { RedisInboxLog } from '../../src/realtime/inbox/inbox-log.redis.ts';
import { gatesKey, staysKey } from '../../src/realtime/nodes/stays.lua.ts';
import { Stays } from '../../src/realtime/nodes/stays.redis.ts';
import { gateChannel, routeOf } from '../../src/realtime/nodes/stays.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import type { Message } from '../../src/domain/timeline/timeline.ts';
import {
  anyId,
  entriesOf,
  jobOf,
  openRedisLog,
  placeOf,
  stretchOf,
  type OpenRedisLog,
} from '../support/inbox-logs.ts';
import { redisAvailable } from '../support/machine.ts';
import { startRedis } from '../support/redis.ts';

const log = createLogger({ level: 'silent' });

function added(conversationId: bigint, firstSeq: number, count: number) {
  return { kind: 'added', conversationId, firstSeq, count } as const;
}

function message(conversationId: bigint, seq: number): Message {
  return {
    conversationId,
    seq,
    senderId: 5n,
    clientMessageId: `m${seq}`,
    content: { kind: 'TEXT', text: `"${seq}" \n ☃ \\` },
    createdAtMs: 1_700_000_000_000,
    editedAtMs: null,
    recalledAtMs: null,
    changeSeq: 0,
    replyToSeq: null,
  };
}

/** A gate with its ears open. */
async function gateOf(opened: OpenRedisLog, gate: string) {
  const broker = new RedisBroker({ url: opened.redis.url, log, limits });
  await broker.start();
  const stays = new Stays({ buckets: opened.buckets, gate, clock: opened.clock, log, limits });
  await stays.start();
  const heard: GateText[] = [];
  await broker.subscribe(gateChannel(gate), (text) => heard.push(decodeGateText(text))).ready;
  return {
    heard,
    come: (userId: bigint) => stays.set(routeOf(userId), true, 0),
    async [Symbol.asyncDispose]() {
      await stays.stop();
      await broker.stop();
    },
  };
}

async function epochAfter(opened: OpenRedisLog, act: () => Promise<unknown>): Promise<bigint> {
  const { buckets } = opened;
  const before = buckets.epoch;
  await act();
  await expect.poll(() => buckets.isUp && buckets.epoch !== before, { timeout: 20_000 }).toBe(true);
  return buckets.epoch ?? 0n;
}

test.skipIf(!redisAvailable())('says where something is missing, and appends it not', async () => {
  await using opened = await openRedisLog();
  const [ann, one, other] = [anyId(), anyId(), anyId()];
  await opened.log.open(ann);
  const to = [[ann, 1]] as const;
  const place = placeOf(opened.log);
  const later = stretchOf(one, 3, [{ event: added(one, 3, 1), to }]);
  const last = stretchOf(one, 4, [{ event: added(one, 4, 1), to }]);
  const others = stretchOf(other, 1, [{ event: added(other, 1, 1), to }]);
  const { behind } = await opened.log.append(place, jobOf(later, others, last));
  expect([...behind]).toEqual([one]);
  expect(await entriesOf(opened.log, ann)).toEqual(['1 added 1+1']);
  // What was missing is found, with the rest of it again.
  const first = { ...stretchOf(one, 2, [{ event: added(one, 2, 1), to }]), isWhole: true };
  const again = await opened.log.append(place, jobOf(first, later, last));
  expect(again.behind.size).toBe(0);
  expect(await entriesOf(opened.log, ann, 1n)).toEqual([
    '2 added 2+1',
    '3 added 3+1',
    '4 added 4+1',
  ]);
  // Whoever was slower finds it done.
  expect((await opened.log.append(place, jobOf(first, later))).behind.size).toBe(0);
  expect(await entriesOf(opened.log, ann)).toHaveLength(4);
});

test.skipIf(!redisAvailable())(
  'publishes once to each gate that has a member, and to no other',
  async () => {
    await using opened = await openRedisLog();
    await using here = await gateOf(opened, 'here.1');
    await using there = await gateOf(opened, 'there.1');
    await using nobody = await gateOf(opened, 'nobody.1');
    const users = Array.from({ length: 6 }, () => anyId());
    const [ann, bob, cat, dan, late, stranger] = users as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    for (const userId of users) await opened.log.open(userId);
    for (const userId of [ann, bob, late]) await here.come(userId);
    await there.come(cat);
    await there.come(ann);
    await nobody.come(stranger);
    // A gate whose lease has ended, and that nobody has swept yet.
    const [bucket] = opened.buckets.all;
    await bucket?.call('HSET', staysKey, routeOf(dan), '<dead.1>');
    await bucket?.call('ZADD', gatesKey, 1, 'dead.1');
    const id = anyId();
    const to = [ann, bob, cat, dan].map((userId) => [userId, 1] as const);
    const stretch = stretchOf(id, 1, [
      { event: { kind: 'conversation', conversationId: id }, to },
      { event: added(id, 1, 3), to: [...to, [late, 3]] },
    ]);
    const messages = new Map([1, 2, 3].map((seq) => [`${id} ${seq}`, message(id, seq)]));
    const regimes = new Map([[id, { isLarge: true, crossing: { lastSeq: 2, changeSeq: 1 } }]]);
    const publishes = await publishCount(opened);
    await opened.log.append(placeOf(opened.log), {
      kind: 'events',
      stretches: [stretch],
      telling: { messages, regimes },
    });
    await expect.poll(() => here.heard.length + there.heard.length).toBe(2);
    expect((await publishCount(opened)) - publishes).toBe(2);
    expect(nobody.heard).toEqual([]);
    const [text] = here.heard;
    expect(text?.telling).toEqual({ messages, regimes });
    const told = text?.appended.map(({ userId, entry }) => [userId, entry.lastOffset, entry.event]);
    expect(told).toEqual([
      [ann, 1n, { kind: 'conversation', conversationId: id }],
      [bob, 1n, { kind: 'conversation', conversationId: id }],
      [ann, 4n, added(id, 1, 3)],
      [bob, 4n, added(id, 1, 3)],
      [late, 1n, added(id, 3, 1)],
    ]);
    expect(text?.appended[0]?.epoch).toBe((await opened.log.open(ann)).epoch);
    expect(there.heard[0]?.appended.map(({ userId }) => userId)).toEqual([ann, cat, ann, cat]);
  },
);

async function publishCount({ buckets }: OpenRedisLog): Promise<number> {
  const text = String(await buckets.all[0]?.call('INFO', 'commandstats'));
  return Number(/cmdstat_publish:calls=(\d+)/.exec(text)?.[1] ?? 0);
}

test.skipIf(!redisAvailable())(
  'begins anew where Redis was emptied: under another epoch, with other logs',
  async () => {
    await using opened = await openRedisLog();
    const [ann, id] = [anyId(), anyId()];
    const before = await opened.log.open(ann);
    const stretch = stretchOf(id, 1, [{ event: added(id, 1, 1), to: [[ann, 1]] }]);
    const place = placeOf(opened.log);
    const first = await opened.log.append(place, jobOf(stretch));
    // With the node looking on, and without.
    const epoch = await epochAfter(
      opened,
      () => opened.buckets.all[0]?.call('FLUSHALL') ?? never(),
    );
    expect(epoch).not.toBe(first.epoch);
    expect((await opened.log.heads([ann])).size).toBe(0);
    const after = await opened.log.open(ann);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await opened.log.read(ann, { epoch: before.epoch, offset: 0n }, 10)).toEqual([]);
    await opened.buckets.all[0]?.call('FLUSHALL');
    const third = await opened.log.append(place, jobOf(stretch));
    expect(third.epoch).not.toBe(epoch);
  },
);

function never(): Promise<never> {
  return Promise.reject(new Error('no bucket'));
}

test.skipIf(!redisAvailable())(
  'begins anew where Redis was started again, with or without what it had',
  async () => {
    await using opened = await openRedisLog({ redisAnswerMs: 500 });
    const ann = anyId();
    await opened.log.open(ann);
    await epochAfter(opened, async () => {
      await opened.redis.kill9();
      await expect.poll(() => opened.buckets.isUp).toBe(false);
      await expect(opened.log.open(ann)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await opened.redis.start();
    });
    expect((await opened.log.heads([ann])).size).toBe(0);
  },
);

test.skipIf(!redisAvailable())(
  'begins anew where a replica has taken over, whatever that knows',
  async () => {
    await using opened = await openRedisLog();
    await said(opened.redis.port, 'CONFIG SET repl-diskless-sync-delay 0');
    await using replica = await startRedis(['--replicaof', '127.0.0.1', String(opened.redis.port)]);
    const [ann, id] = [anyId(), anyId()];
    const before = await opened.log.open(ann);
    const to = [[ann, 1]] as const;
    const append = (seq: number) =>
      opened.log.append(
        placeOf(opened.log),
        jobOf(stretchOf(id, seq, [{ event: added(id, seq, 1), to }])),
      );
    await append(1);
    const known = String(opened.buckets.epoch);
    await expect
      .poll(() => said(replica.port, 'HGET fim:epoch name'), { timeout: 10_000 })
      .toContain(known);
    const deps = { log, limits: { ...limits, redisEpochPollMs: 50 } };
    const moved = new RedisBuckets([replica.url], deps);
    await moved.start();
    // A replica is not written to.
    expect(moved.isUp).toBe(false);
    await said(replica.port, 'REPLICAOF NO ONE');
    await expect.poll(() => moved.isUp, { timeout: 10_000 }).toBe(true);
    expect(moved.epoch).not.toBe(opened.buckets.epoch);
    const there = new RedisInboxLog({
      buckets: moved,
      clock: opened.clock,
      failpoints: noFailpoints,
      limits,
    });
    expect((await there.open(ann)).epoch).not.toBe(before.epoch);
    await moved.stop();
  },
);

test.skipIf(!redisAvailable())(
  'is dropped, entries and all, when nobody says for long that they read it',
  async () => {
    await using opened = await openRedisLog({ inboxLogAgeMaxMs: 300, inboxTouchMs: 50 });
    const [ann, bob, id] = [anyId(), anyId(), anyId()];
    const before = await opened.log.open(ann);
    const bobs = await opened.log.open(bob);
    const to = [ann, bob].map((userId) => [userId, 1] as const);
    await opened.log.append(
      placeOf(opened.log),
      jobOf(stretchOf(id, 1, [{ event: added(id, 1, 1), to }])),
    );
    for (let touched = 0; touched < 8; touched += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await opened.log.touch([bob]);
    }
    expect((await opened.log.open(bob)).epoch).toBe(bobs.epoch);
    expect(await entriesOf(opened.log, bob)).toEqual(['1 added 1+1']);
    expect((await opened.log.heads([ann])).size).toBe(0);
    expect((await opened.log.open(ann)).epoch).not.toBe(before.epoch);
    expect(await entriesOf(opened.log, ann)).toEqual([]);
  },
);

/** What a Redis answers to one command. */
function said(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once('error', reject);
  });
}
