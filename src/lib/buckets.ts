import type { Clock } from './clock.ts';

export interface BucketsDeps {
  readonly clock: Clock;
  /** What flows into each bucket. */
  readonly unitsPerMs: number;
  /** For how long it flows until the bucket is full. */
  readonly fullAfterMs: number;
  /** Buckets kept; beyond it the one longest untouched is forgotten, so its key starts with a full one. */
  readonly keysMax: number;
}

/**
 * A leaky bucket for each of many keys, kept as one number: when it would be full again (GCRA). Costs no timer.
 */
export class Buckets {
  readonly #deps: BucketsDeps;
  readonly #fullAtMs = new Map<string, number>();

  constructor(deps: BucketsDeps) {
    this.#deps = deps;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /**
   * Takes units out of the bucket of a key, or nothing where they are not all there.
   * @returns 0, or in how many ms they will be; more than a bucket holds is as much as it holds.
   */
  take(key: string, units = 1): number {
    const { clock, unitsPerMs, fullAfterMs, keysMax } = this.#deps;
    const now = clock.now();
    // A clock that was set back must not lock anybody out for longer than an empty bucket does.
    const fullAt = Math.min(Math.max(this.#fullAtMs.get(key) ?? 0, now), now + fullAfterMs);
    const next = fullAt + Math.min(units / unitsPerMs, fullAfterMs);
    if (next > now + fullAfterMs) return Math.max(1, Math.ceil(next - now - fullAfterMs));
    // The one touched last stands last.
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, next);
    if (this.#fullAtMs.size > keysMax) {
      const [oldest] = this.#fullAtMs.keys();
      if (oldest !== undefined) this.#fullAtMs.delete(oldest);
    }
    return 0;
  }
}
