import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate, RateStore } from './rates.ts';

/** Counts in the memory of this process: for one node, and anew with each start. */
export class MemoryRates implements RateStore {
  readonly #limiters = new Map<Rate, RateLimiterMemory>();

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

  #of(rate: Rate): RateLimiterMemory {
    const known = this.#limiters.get(rate);
    if (known) return known;
    const { name, points, perSeconds } = rate;
    const made = new RateLimiterMemory({ keyPrefix: name, points, duration: perSeconds });
    this.#limiters.set(rate, made);
    return made;
  }
}
