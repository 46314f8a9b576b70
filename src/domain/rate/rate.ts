import type { Apps } from '../app/app.ts';
import { Fault } from '../../lib/fault.ts';
import type { Logger } from '../../lib/log.ts';
import { MemoryRates } from '../../storage/rates.memory.ts';
import type { Rate, RateStore } from '../../storage/rates.ts';

/**
 * What is counted: per whom, over which time, and what holds while the counts cannot be had. Who signs in is refused
 * then (closed), since a password may be tried without end where nobody counts; who sends is let through (open). Who renews a
 * session is counted by this node meanwhile (here): else an outage longer than an access token lives would end the sends.
 */
export const rateTable = {
  register: { per: 'address', seconds: 3_600, whenLost: 'closed', counts: 'all' },
  login: { per: 'address', seconds: 3_600, whenLost: 'closed', counts: 'all' },
  failedLogin: { per: 'username', seconds: 3_600, whenLost: 'closed', counts: 'wrong' },
  refresh: { per: 'address', seconds: 60, whenLost: 'here', counts: 'all' },
  send: { per: 'user', seconds: 60, whenLost: 'open', counts: 'all' },
} as const satisfies Readonly<Record<string, RateRule>>;

/** One line of the table. */
export interface RateRule {
  readonly per: 'address' | 'username' | 'user';
  readonly seconds: number;
  readonly whenLost: 'closed' | 'here' | 'open';
  /** `wrong`: only what ends as UNAUTHENTICATED. */
  readonly counts: 'all' | 'wrong';
}

/** A line of the table, by its name. */
export type RateName = keyof typeof rateTable;

/** How often each may be done in its time; 0: as often as one likes. */
export type RatePoints = Readonly<Record<RateName, number>>;

export interface RatesDeps {
  readonly store: RateStore;
  readonly points: RatePoints;
  readonly apps: Pick<Apps, 'has'>;
  readonly log: Logger;
}

/** While the counts are lost: about the time that such a store takes to come back. */
const lostRetryAfterMs = 2_000;

/** How often people may do what is dear, or worth guessing. */
export class Rates {
  readonly #deps: RatesDeps;
  readonly #rates: Readonly<Record<RateName, Rate>>;
  /** While the counts are lost. */
  readonly #own = new MemoryRates();

  constructor(deps: RatesDeps) {
    this.#deps = deps;
    const rateOf = (name: RateName): Rate => ({
      name,
      points: deps.points[name],
      perSeconds: rateTable[name].seconds,
    });
    this.#rates = {
      register: rateOf('register'),
      login: rateOf('login'),
      failedLogin: rateOf('failedLogin'),
      refresh: rateOf('refresh'),
      send: rateOf('send'),
    };
  }

  /**
   * Whose count somebody at an address has in an app: what people of one app do there takes nothing from those of another. Of what
   * is none, it is the address': whoever makes names up counts all the same.
   */
  addressIn(appId: string, address: string): string {
    return this.#deps.apps.has(appId) ? `${appId} ${address}` : address;
  }

  /**
   * Does what is counted, where it may still be done. It counts from its beginning, so that many at once are no way around;
   * of what counts only where it is wrong, what ends otherwise is given back.
   * @param key whose count it is: an address, a user, a user name of an app.
   * @throws {Fault} RATE_LIMITED with `retryAfterMs`; UNAVAILABLE where the counts are lost and nobody may pass then; what
   *   the work throws.
   */
  async within<T>(name: RateName, key: string, work: () => Promise<T> | T): Promise<T> {
    if (this.#rates[name].points === 0) return work();
    const waitMs = await this.#take(name, key);
    if (waitMs > 0) {
      throw new Fault('RATE_LIMITED', 'Too often: try again later', { retryAfterMs: waitMs });
    }
    if (rateTable[name].counts === 'all') return work();
    try {
      const result = await work();
      await this.#giveBack(name, key);
      return result;
    } catch (error) {
      const isWrong = error instanceof Fault && error.code === 'UNAUTHENTICATED';
      if (!isWrong) await this.#giveBack(name, key);
      throw error;
    }
  }

  async #take(name: RateName, key: string): Promise<number> {
    try {
      return await this.#deps.store.take(this.#rates[name], key);
    } catch (error) {
      const { whenLost } = rateTable[name];
      this.#deps.log.error({ err: error, rate: name, whenLost }, 'rates.lost');
      if (whenLost === 'open') return 0;
      if (whenLost === 'here') return this.#own.take(this.#rates[name], key);
      throw new Fault('UNAVAILABLE', 'It cannot be told whether this is too often', {
        retryAfterMs: lostRetryAfterMs,
        cause: error,
      });
    }
  }

  async #giveBack(name: RateName, key: string): Promise<void> {
    try {
      await this.#deps.store.giveBack(this.#rates[name], key);
    } catch (error) {
      this.#deps.log.error({ err: error, rate: name }, 'rates.lost');
    }
  }
}
