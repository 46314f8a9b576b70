import { assert } from '../lib/assert.ts';
import { Fault } from '../lib/fault.ts';

/** How long a caller who found the queue full had better wait, in ms. */
const retryAfterMs = 500;

/**
 * Lets at most `places` callers in at a time, the others wait in order, at most `waitingMax` of
 * them.
 */
export class Turnstile {
  readonly #waitingMax: number;
  readonly #waiting: ((leave: () => void) => void)[] = [];
  #head = 0;
  #free: number;

  constructor(options: { places: number; waitingMax: number }) {
    this.#free = options.places;
    this.#waitingMax = options.waitingMax;
  }

  /** Callers that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  /**
   * Waits for a place. What it resolves to gives the place back, and must be called exactly once.
   * @throws {Fault} UNAVAILABLE when too many wait already.
   */
  enter(): Promise<() => void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(this.#exit());
    }
    if (this.waiting >= this.#waitingMax) {
      return Promise.reject(
        new Fault('UNAVAILABLE', 'The database has too much to do.', { retryAfterMs }),
      );
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #exit(): () => void {
    let isInside = true;
    return () => {
      assert(isInside, 'a place is given back once');
      isInside = false;
      const next = this.#waiting[this.#head];
      if (!next) {
        this.#free += 1;
        return;
      }
      this.#head += 1;
      if (this.#head === this.#waiting.length) {
        this.#waiting.length = 0;
        this.#head = 0;
      } else if (this.#head === 1024) {
        this.#waiting.splice(0, this.#head);
        this.#head = 0;
      }
      next(this.#exit());
    };
  }
}
