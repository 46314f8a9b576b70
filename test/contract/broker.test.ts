import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { MemoryBroker, type Hub } from '../../src/realtime/nodes/broker.memory.ts';
import { RedisBroker } from '../../src/realtime/nodes/broker.redis.ts';
import type { Broker } from '../../src/realtime/nodes/broker.ts';
import { redisAvailable } from '../support/machine.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'silent' });
const quick = { redisAnswerMs: 500, redisPingMs: 200 };

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(isSo, { timeout: 15_000, interval: 20 }).toBe(true);
}

function suite(makeTwo: () => Promise<readonly [Broker, Broker]>): void {
  test('carries texts from node to node in order, its own included, from ready on', async () => {
    const [one, other] = await makeTwo();
    const heard: string[] = [];
    const own: string[] = [];
    await other.subscribe('a', (text) => heard.push(text)).ready;
    await one.subscribe('a', (text) => own.push(text)).ready;
    const sent = Array.from({ length: 200 }, (_, index) => `text ${index} {"é"}`);
    await Promise.all(sent.map((text) => one.publish('a', text)));
    await one.publish('b', 'elsewhere');
    await until(() => heard.length >= 200 && own.length >= 200);
    expect(heard).toEqual(sent);
    expect(own).toEqual(sent);
  });

  test('several listeners of one channel hear each text once, and nothing after their end', async () => {
    const [one, other] = await makeTwo();
    const heard: string[] = [];
    const first = other.subscribe('c', (text) => heard.push(`1 ${text}`));
    const second = other.subscribe('c', (text) => heard.push(`2 ${text}`));
    await Promise.all([first.ready, second.ready]);
    await one.publish('c', 'x');
    await until(() => heard.length === 2);
    first.end();
    first.end();
    await one.publish('c', 'y');
    await until(() => heard.length === 3);
    second.end();
    const again = other.subscribe('c', (text) => heard.push(`3 ${text}`));
    await again.ready;
    await one.publish('c', 'z');
    await until(() => heard.length === 4);
    expect(heard).toEqual(['1 x', '2 x', '2 y', '3 z']);
  });

  test('knows where others listen, from their ready to their end', async () => {
    const [one, other] = await makeTwo();
    expect(await one.heardElsewhere([])).toEqual(new Set());
    expect(await one.heardElsewhere(['d', 'e'])).toEqual(new Set());
    const subscription = other.subscribe('d', () => undefined);
    await subscription.ready;
    expect(await one.heardElsewhere(['e', 'd'])).toEqual(new Set(['d']));
    subscription.end();
    await until(async () => (await one.heardElsewhere(['d'])).size === 0);
  });

  test('one that stopped hears nothing more', async () => {
    const [one, other] = await makeTwo();
    const heard: string[] = [];
    await other.subscribe('f', (text) => heard.push(text)).ready;
    await other.stop(0);
    await one.publish('f', 'x');
    await sleep(50);
    expect(heard).toEqual([]);
    await until(async () => (await one.heardElsewhere(['f'])).size === 0);
  });
}

describe('the broker in memory', () => {
  suite(() => {
    const hub: Hub = new Map();
    return Promise.resolve([new MemoryBroker(hub), new MemoryBroker(hub)]);
  });
});

describe.skipIf(!redisAvailable())('the broker over Redis', () => {
  let redis: TestRedis;
  const brokers: RedisBroker[] = [];
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  const start = async (): Promise<RedisBroker> => {
    const broker = new RedisBroker({ url: redis.url, log, limits: { ...limits, ...quick } });
    brokers.push(broker);
    await broker.start();
    return broker;
  };

  beforeAll(async () => {
    redis = await startRedis();
    process.on('unhandledRejection', note);
  });
  afterAll(async () => {
    await Promise.all(brokers.map((broker) => broker.stop()));
    await redis.stop();
    await sleep(50);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  suite(async () => [await start(), await start()]);

  test('subscribes once Redis is there, and to all again when it is back, before it says so', async () => {
    const [one, other] = [await start(), await start()];
    const heard: string[] = [];
    await other.subscribe('g', (text) => heard.push(text)).ready;
    let restored = 0;
    other.onRestored(() => {
      restored += 1;
      void one.publish('g', 'after').catch(() => undefined);
    });
    await redis.kill9();
    await until(() => !other.isUp && !one.isUp);
    await expect(one.publish('g', 'lost')).rejects.toThrow();
    await expect(one.heardElsewhere(['g'])).rejects.toThrow();
    let isReady = false;
    const late = other.subscribe('h', (text) => heard.push(text));
    void late.ready.then(() => (isReady = true));
    const never = other.subscribe('i', (text) => heard.push(text));
    never.end();
    await sleep(300);
    expect(isReady).toBe(false);
    await redis.start();
    await until(() => restored === 1 && isReady && one.isUp);
    await one.publish('g', 'again');
    await one.publish('h', 'late');
    await one.publish('i', 'never');
    await until(() => heard.includes('late'));
    expect(heard.filter((text) => text !== 'after')).toEqual(['again', 'late']);
  });

  test('says so as well where Redis is not there yet when it starts', async () => {
    await redis.kill9();
    const broker = await start();
    let restored = 0;
    broker.onRestored(() => (restored += 1));
    const { ready } = broker.subscribe('k', () => undefined);
    await redis.start();
    await ready;
    await until(() => broker.isUp);
    expect(restored).toBe(1);
  });

  test('notices a connection that is silent, and does not wait for it for ever', async () => {
    const [one, other] = [await start(), await start()];
    const heard: string[] = [];
    await other.subscribe('j', (text) => heard.push(text)).ready;
    redis.pause();
    await expect(one.publish('j', 'lost?')).rejects.toThrow();
    await until(() => !other.isUp);
    redis.resume();
    await until(() => other.isUp && one.isUp);
    await one.publish('j', 'x');
    await until(() => heard.includes('x'));
  });

  test('asks again where Redis refuses a subscription', async () => {
    const admin = new Redis(redis.url);
    const broker = await start();
    await admin.acl('SETUSER', 'default', 'resetchannels', '&allowed');
    let isReady = false;
    const refused = broker.subscribe('refused', () => undefined);
    void refused.ready.then(() => (isReady = true));
    await sleep(200);
    expect(isReady).toBe(false);
    await admin.acl('SETUSER', 'default', 'allchannels');
    await refused.ready;
    expect(isReady).toBe(true);
    admin.disconnect();
  });
});
