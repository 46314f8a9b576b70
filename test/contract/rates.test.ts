import { describe, expect, test } from 'vitest';
import { MemoryRates } from '../../src/storage/rates.memory.ts';
import { RedisRates } from '../../src/storage/rates.redis.ts';
import type { Rate, RateStore } from '../../src/storage/rates.ts';
import { redisAvailable } from '../support/machine.ts';
import { startRedis } from '../support/redis.ts';

const limits = { redisAnswerMs: 500, redisPingMs: 200 };
const rate: Rate = { name: 'word', points: 3, perSeconds: 3 };
const other: Rate = { name: 'another', points: 1, perSeconds: 60 };

async function keepsItsPromises(one: RateStore, same: RateStore): Promise<void> {
  const taken = [one, same, one].map((store) => store.take(rate, 'ann'));
  expect(await Promise.all(taken)).toEqual([0, 0, 0]);
  const waitMs = await same.take(rate, 'ann');
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThanOrEqual(3_000);
  // Keys and rates count for themselves.
  expect(await one.take(rate, 'bob')).toBe(0);
  expect(await one.take(other, 'ann')).toBe(0);
  expect(await one.take(other, 'ann')).toBeGreaterThan(1_000);
  await one.giveBack(other, 'ann');
  await one.giveBack(other, 'ann');
  expect(await same.take(other, 'ann')).toBe(0);
  await expect.poll(() => one.take(rate, 'ann'), { timeout: 10_000 }).toBe(0);
}

describe('rates', () => {
  test('in the memory of a process', async () => {
    const rates = new MemoryRates();
    await keepsItsPromises(rates, rates);
  });

  test.runIf(redisAvailable())('in a Redis that nodes share', async () => {
    await using redis = await startRedis();
    const [one, same] = [0, 1].map(() => new RedisRates({ urls: [redis.url], limits })) as [
      RedisRates,
      RedisRates,
    ];
    await Promise.all([one.start(), same.start()]);
    await keepsItsPromises(one, same);
    await redis.kill9();
    await expect(one.take(rate, 'ann')).rejects.toThrow();
    await redis.start();
    await expect.poll(() => one.take(rate, 'ann').catch(() => -1), { timeout: 10_000 }).toBe(0);
    await Promise.all([one.stop(), same.stop()]);
  });
});
