import { RateLimiterMemory } from 'rate-limiter-flexible';
import { LimiterRates } from './rates.limiters.ts';
import type { Rate, RateStore } from './rates.ts';

/** Counts in the memory of this process: for one node, and anew with each start. */
export class MemoryRates implements RateStore {
  readonly #rates = new LimiterRates(
    ({ name, points, perSeconds }) =>
      new RateLimiterMemory({ keyPrefix: name, points, duration: perSeconds }),
  );

  take(rate: Rate, key: string): Promise<number> {
    return this.#rates.take(rate, key);
  }

  giveBack(rate: Rate, key: string): Promise<void> {
    return this.#rates.giveBack(rate, key);
  }
}
