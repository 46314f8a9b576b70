import type { Clock } from './clock.ts';

/**
 * Many deadlines on one timer. Each is met within two ticks; an item has one deadline at a time.
 * Runs between `start` and `stop`; deadlines may be set before.
 */
export class Deadlines<T> {
  readonly #deps: {
    readonly clock: Clock;
    readonly tickMs: number;
    readonly onDue: (item: T) => void;
  };
  readonly #buckets = new Map<number, Set<T>>();
  readonly #bucketOf = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param deps `clock` is the one that the deadlines are times of: the steady one for how long something lasts, the system's for
   *   a time that was agreed on, as a token's end is, which a clock that is set brings nearer for all who look at it. `onDue` is
   *   called once per deadline, and must not throw.
   */
  constructor(deps: { clock: Clock; tickMs: number; onDue: (item: T) => void }) {
    this.#deps = deps;
  }

  /** How many items wait. */
  get size(): number {
    return this.#bucketOf.size;
  }

  /** Sets the item's deadline, in place of the one that it had. A past one is due at the next tick. */
  set(item: T, atMs: number): void {
    this.delete(item);
    const key = Math.ceil(atMs / this.#deps.tickMs);
    const bucket = this.#buckets.get(key);
    if (bucket) bucket.add(item);
    else this.#buckets.set(key, new Set([item]));
    this.#bucketOf.set(item, key);
  }

  /** The item is not due any more. */
  delete(item: T): void {
    const key = this.#bucketOf.get(item);
    if (key === undefined) return;
    this.#bucketOf.delete(item);
    const bucket = this.#buckets.get(key);
    bucket?.delete(item);
    if (bucket?.size === 0) this.#buckets.delete(key);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), this.#deps.tickMs);
  }

  /** Forgets all deadlines. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#buckets.clear();
    this.#bucketOf.clear();
  }

  /** Asks every bucket for its time instead of walking the time: the clock may have jumped. */
  #tick(): void {
    const nowKey = Math.floor(this.#deps.clock.now() / this.#deps.tickMs);
    const due = [...this.#buckets.keys()].filter((key) => key <= nowKey).sort((a, b) => a - b);
    for (const key of due) {
      const items = this.#buckets.get(key) ?? [];
      this.#buckets.delete(key);
      for (const item of items) {
        if (this.#bucketOf.get(item) !== key) continue;
        this.#bucketOf.delete(item);
        this.#deps.onDue(item);
      }
    }
  }
}
