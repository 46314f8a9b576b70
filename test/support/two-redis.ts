import { afterAll, beforeAll } from 'vitest';
import { redisAvailable } from './machine.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** Two Redis for the tests of a file, none where there is no binary, and what stops before them. */
export interface TwoRedis {
  readonly all: readonly TestRedis[];
  /** Stopped in the order in which they came. */
  readonly stops: (() => Promise<void>)[];
}

/** To be called once by a file, outside its tests. */
export function twoRedis(): TwoRedis {
  const all: TestRedis[] = [];
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    if (redisAvailable()) all.push(await startRedis(), await startRedis());
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
    for (const redis of all) await redis.stop();
  });
  return { all, stops };
}
