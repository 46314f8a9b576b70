import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { staysKey, presenceChannel } from '../../src/realtime/nodes/stays.lua.ts';
import { Stays } from '../../src/realtime/nodes/stays.redis.ts';
import { attendanceOf, routeOf, seatOf } from '../../src/realtime/nodes/stays.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { redisAvailable } from '../support/machine.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'silent' });
const quick = { ...limits, gateLeaseMs: 600, gateReportMs: 100, redisEpochPollMs: 100 };

describe.skipIf(!redisAvailable())('stays of gates in Redis', () => {
  let redis: TestRedis;
  let second: TestRedis;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    [redis, second] = await Promise.all([startRedis(), startRedis()]);
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
    await Promise.all([redis.stop(), second.stop()]);
  });

  async function gate(name: string): Promise<Stays> {
    const buckets = new RedisBuckets([redis.url, second.url], { log, limits: quick });
    const stays = new Stays({ buckets, gate: name, clock: systemClock, log, limits: quick });
    await buckets.start();
    await stays.start();
    const stop = async (): Promise<void> => {
      await stays.stop();
      await buckets.stop();
    };
    stops.push(stop);
    return Object.assign(stays, { stopAll: stop });
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    await expect.poll(isSo, { timeout: 15_000, interval: 20 }).toBe(true);
  }

  test('each says who is at it, and all know who is anywhere; the last word counts', async () => {
    const [one, other] = [await gate('one.1'), await gate('other.1')];
    const all = [1n, 2n, 3n].map(routeOf);
    await Promise.all([
      one.set(routeOf(1n), true, 1),
      one.set(routeOf(2n), true, 1),
      one.set(routeOf(2n), false, 2),
      other.set(routeOf(1n), true, 1),
      other.set(routeOf(2n), true, 1),
      other.set(seatOf(3n), true, 1),
    ]);
    expect(await one.anywhere(all)).toEqual(new Set(all.slice(0, 2)));
    const client = new Redis(redis.url);
    expect(await client.hget(staysKey, 'r2')).toBe('<other.1>');
    client.disconnect();
    await one.set(routeOf(1n), false, 3);
    expect(await other.anywhere(all)).toEqual(new Set(all.slice(0, 2)));
    await other.set(routeOf(1n), false, 3);
    expect(await other.anywhere([...all, seatOf(3n)])).toEqual(new Set([routeOf(2n), seatOf(3n)]));
  });

  test('who comes to the first gate and leaves the last one is told of', async () => {
    const [one, other] = [await gate('one.2'), await gate('other.2')];
    const heard: string[] = [];
    const client = new Redis(redis.url);
    client.on('message', (_channel, text: string) => heard.push(text));
    await client.subscribe(presenceChannel);
    await one.set(attendanceOf(10n), true, 5);
    await one.set(attendanceOf(10n), true, 6);
    await other.set(attendanceOf(10n), true, 7);
    await one.set(attendanceOf(10n), false, 8);
    await one.set(routeOf(10n), true, 8);
    await other.set(attendanceOf(10n), false, 9);
    await until(() => Promise.resolve(heard.length >= 2));
    expect(heard).toEqual(['10 1', '10 0 9']);
    client.disconnect();
  });

  test('what a dead gate had is forgotten once its lease has ended, however much it is', async () => {
    const dead = (await gate('dead.1')) as Stays & { stopAll: () => Promise<void> };
    const seats = Array.from({ length: 700 }, (_, index) => attendanceOf(BigInt(1000 + index)));
    await Promise.all(seats.map((seat) => dead.set(seat, true, 1)));
    const one = await gate('one.3');
    await one.set(seats[0]!, true, 1);
    await dead.stopAll();
    expect((await one.anywhere(seats)).size).toBe(700);
    await until(async () => (await one.anywhere(seats)).size === 1);
    const client = new Redis(redis.url);
    await until(async () => (await client.exists('fim:gate:dead.1')) === 0);
    client.disconnect();
  });

  test('what Redis forgot is said again, and that this happened', async () => {
    const one = await gate('one.4');
    let saidAgain = 0;
    one.onSaidAgain(() => (saidAgain += 1));
    const stays = [routeOf(20n), routeOf(21n)];
    await Promise.all(stays.map((stay) => one.set(stay, true, 1)));
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    await until(async () => (await one.anywhere(stays)).size === 2 && saidAgain > 0);
    await redis.kill9();
    await expect(one.set(routeOf(22n), true, 1)).rejects.toThrow();
    await one.set(routeOf(20n), false, 2).catch(() => undefined);
    await redis.start();
    await until(async () => {
      const found = await one.anywhere([...stays, routeOf(22n)]).catch(() => new Set());
      return found.has(routeOf(21n)) && found.has(routeOf(22n)) && !found.has(routeOf(20n));
    });
  });
});
