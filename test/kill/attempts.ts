import { TestFault } from '../support/clients.ts';
import type { Result } from '../support/history.ts';

/** What became of a call; its data where it is `ok`. */
export interface Outcome<T> {
  readonly result: Result;
  readonly data: T | null;
}

/** Codes that say for sure that nothing was done, and that clients meet here. */
const refusals = new Set<unknown>(['NOT_FOUND', 'FORBIDDEN', 'FAILED_PRECONDITION']);

/** After that a client takes an answer for lost. */
const patienceMs = 800;

/** Calls of clients who do not wait for ever. */
export class Attempts {
  /** Also those whose answer nobody waits for any more. */
  readonly #underWay = new Set<Promise<unknown>>();

  /**
   * What became of a call, as far as a client knows.
   * @throws where the server answers what it must not answer here.
   */
  async make<T>(call: () => Promise<T>): Promise<Outcome<T>> {
    const outcome = outcomeOf(call);
    const settled = outcome.catch(() => undefined);
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
    let timer: NodeJS.Timeout | undefined;
    const lost = new Promise<Outcome<T>>((resolve) => {
      timer = setTimeout(() => resolve({ result: 'info', data: null }), patienceMs);
    });
    return Promise.race([outcome, lost]).finally(() => clearTimeout(timer));
  }

  /** Resolves when all are answered: the server has to be there. */
  async over(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
}

async function outcomeOf<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: 'ok', data: await call() };
  } catch (error) {
    if (error instanceof TestFault) {
      if (refusals.has(error.code)) return { result: 'fail', data: null };
      if (error.code !== 'UNAVAILABLE') throw error;
    }
    // Cut off, or no answer in JSON: it may have been done or not.
    return { result: 'info', data: null };
  }
}
