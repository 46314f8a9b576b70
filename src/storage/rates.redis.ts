import { createHash } from 'node:crypto';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Redis } from 'ioredis';
import { present } from '../lib/assert.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { connectWithin, redisClient } from './connect.redis.ts';
import { startPulse } from './pulse.redis.ts';
import { LimiterRates } from './rates.limiters.ts';
import type { Rate, RateStore } from './rates.ts';

export interface RedisRatesDeps {
  /** Each keeps some of the keys. */
  readonly urls: readonly string[];
  readonly limits: RedisRateLimits;
}

interface RedisRateLimits {
  readonly redisAnswerMs: number;
  readonly redisPingMs: number;
}

/**
 * Counts in one or several Redis that several nodes share, in keys `fim:rate:<name>:<key>` that end with their time. While
 * one is away every call for its keys fails at once.
 */
export class RedisRates implements RateStore, Lifecycle {
  readonly #all: readonly RatesOfOne[];

  constructor({ urls, limits }: RedisRatesDeps) {
    this.#all = urls.map((url) => new RatesOfOne(url, limits));
  }

  async start(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.start()));
  }

  stop(): Promise<void> {
    for (const one of this.#all) one.stop();
    return Promise.resolve();
  }

  /** Whether the Redis at that place among the URLs can be asked. */
  isUp(index: number): boolean {
    return present(this.#all[index], 'a place among the URLs').isUp;
  }

  take(rate: Rate, key: string): Promise<number> {
    return this.#of(key).rates.take(rate, key);
  }

  giveBack(rate: Rate, key: string): Promise<void> {
    return this.#of(key).rates.giveBack(rate, key);
  }

  #of(key: string): RatesOfOne {
    const hash = createHash('sha1').update(key).digest().readUInt32BE();
    return present(this.#all[hash % this.#all.length], 'a key is counted somewhere');
  }
}

class RatesOfOne {
  readonly rates: LimiterRates;
  readonly #client: Redis;
  readonly #limits: RedisRateLimits;
  #endPulse: () => void = () => undefined;

  constructor(url: string, limits: RedisRateLimits) {
    const storeClient = redisClient(url, { answerMs: limits.redisAnswerMs, comesBack: true });
    storeClient.on('error', () => undefined);
    this.#client = storeClient;
    this.#limits = limits;
    this.rates = new LimiterRates(
      ({ name, points, perSeconds }) =>
        new RateLimiterRedis({
          storeClient,
          keyPrefix: `fim:rate:${name}`,
          points,
          duration: perSeconds,
        }),
    );
  }

  get isUp(): boolean {
    return this.#client.status === 'ready';
  }

  async start(): Promise<void> {
    const { redisAnswerMs, redisPingMs } = this.#limits;
    this.#endPulse = startPulse(this.#client, redisPingMs);
    await connectWithin(this.#client, redisAnswerMs).catch(() => undefined);
  }

  stop(): void {
    this.#endPulse();
    this.#client.disconnect();
  }
}
