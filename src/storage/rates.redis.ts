import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Redis } from 'ioredis';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { startPulse } from './pulse.redis.ts';
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
  readonly #limiters = new Map<Rate, RateLimiterRedis>();
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

  async take(rate: Rate, key: string): Promise<number> {
    try {
      await this.#of(rate).consume(key);
      return 0;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
      throw refusal;
    }
  }

  async giveBack(rate: Rate, key: string): Promise<void> {
    await this.#of(rate).reward(key);
  }

  #of(rate: Rate): RateLimiterRedis {
    const known = this.#limiters.get(rate);
    if (known) return known;
    const { name, points, perSeconds } = rate;
    const made = new RateLimiterRedis({
      storeClient: this.#client,
      keyPrefix: `fim:rate:${name}`,
      points,
      duration: perSeconds,
    });
    this.#limiters.set(rate, made);
    return made;
  }
}
