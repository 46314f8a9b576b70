import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Rate, RateStore } from './rates.ts';

/** Counts by a limiter for each rate, made when it is first asked for: wherever the limiters keep what they count. */
export class LimiterRates implements RateStore {
  readonly #make: (rate: Rate) => RateLimiterAbstract;
  readonly #limiters = new Map<Rate, RateLimiterAbstract>();

  constructor(make: (rate: Rate) => RateLimiterAbstract) {
    this.#make = make;
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

  #of(rate: Rate): RateLimiterAbstract {
    const known = this.#limiters.get(rate);
    if (known) return known;
    const made = this.#make(rate);
    this.#limiters.set(rate, made);
    return made;
  }
}
