/**
 * A stream of on and off, by key, of which only the newest state matters: what a slow reader has not taken yet is
 * replaced, and left out where it has come back to what the reader knows. So it holds at most one event per key, and
 * a state never repeats.
 *
 * Hand-written, since `return()` must end it at once whatever `next()` is pending.
 */
export class LatestStates<K, E> implements AsyncIterableIterator<E> {
  readonly #assumed: boolean | undefined;
  readonly #onEnd: () => void;
  readonly #known = new Map<K, boolean>();
  readonly #pending = new Map<K, { isOn: boolean; event: E }>();
  #waiting: ((step: IteratorResult<E, undefined>) => void)[] = [];
  #isEnded = false;

  /** @param options.assumed what a reader takes a key for that was never told; `onEnd` is called once. */
  constructor(options: { assumed?: boolean; onEnd: () => void }) {
    this.#assumed = options.assumed;
    this.#onEnd = options.onEnd;
  }

  /** The key's state is this now. */
  tell(key: K, isOn: boolean, event: E): void {
    if (this.#isEnded) return;
    if ((this.#known.get(key) ?? this.#assumed) === isOn) {
      this.#pending.delete(key);
      return;
    }
    const take = this.#waiting.shift();
    if (!take) {
      this.#pending.set(key, { isOn, event });
      return;
    }
    this.#learn(key, isOn);
    take({ value: event, done: false });
  }

  /** The key is not told of any more. */
  forget(key: K): void {
    this.#known.delete(key);
    this.#pending.delete(key);
  }

  /** Completes it, without what was not taken. Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#pending.clear();
    this.#known.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const take of waiting) take({ value: undefined, done: true });
    this.#onEnd();
  }

  next(): Promise<IteratorResult<E, undefined>> {
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    const [first] = this.#pending;
    if (!first) return new Promise((resolve) => this.#waiting.push(resolve));
    const [key, { isOn, event }] = first;
    this.#pending.delete(key);
    this.#learn(key, isOn);
    return Promise.resolve({ value: event, done: false });
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #learn(key: K, isOn: boolean): void {
    if (isOn === this.#assumed) this.#known.delete(key);
    else this.#known.set(key, isOn);
  }
}
