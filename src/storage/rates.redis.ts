import { RateLimiterRedis } from 'rate-limiter-flexible';
import { Redis } from 'ioredis';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { startPulse } from './pulse.redis.ts';
import { LimiterRates } from './rates.limiters.ts';
import type { Rate, RateStore } from './rates.ts';

export interface RedisRatesDeps {
  readonly url: string;
  readonly limits: { readonly redisAnswerMs: number; readonly redisPingMs: number };
}

/**
 * Counts in a Redis that several nodes share, in keys `fim:rate:<name>:<key>` that end with their time. While Redis is away
 * every call fails at once.
 */
export class RedisRates implements RateStore, Lifecycle {
  readonly #client: Redis;
  readonly #pingMs: number;
  readonly #rates = new LimiterRates(
    ({ name, points, perSeconds }) =>
      new RateLimiterRedis({
        storeClient: this.#client,
        keyPrefix: `fim:rate:${name}`,
        points,
        duration: perSeconds,
      }),
  );
  #endPulse: () => void = () => undefined;

  constructor({ url, limits }: RedisRatesDeps) {
    this.#pingMs = limits.redisPingMs;
    this.#client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      commandTimeout: limits.redisAnswerMs,
      connectTimeout: limits.redisAnswerMs,
      retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    });
    this.#client.on('error', () => undefined);
  }

  async start(): Promise<void> {
    this.#endPulse = startPulse(this.#client, this.#pingMs);
    await this.#client.connect().catch(() => undefined);
  }

  stop(): Promise<void> {
    this.#endPulse();
    this.#client.disconnect();
    return Promise.resolve();
  }

  take(rate: Rate, key: string): Promise<number> {
    return this.#rates.take(rate, key);
  }

  giveBack(rate: Rate, key: string): Promise<void> {
    return this.#rates.giveBack(rate, key);
  }
}
