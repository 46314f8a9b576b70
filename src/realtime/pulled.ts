/** Something that has events ready, tells when it has more, and ends. */
export interface Source<Item> {
  /** The next one, if it is there already. */
  take(): Item | null;
  onReady(listener: () => void): void;
  readonly isClosed: boolean;
  /** Throws what made it end, where it did not end by itself. */
  rethrow(): void;
  close(): void;
}

/**
 * A source as an iterator, for a reader that pulls. Hand-written, since `return()` must end it at once, whatever `next()`
 * is pending.
 */
export class Pulled<Item, Event> implements AsyncIterableIterator<Event> {
  readonly #source: Source<Item>;
  readonly #shape: (item: Item) => Event;
  readonly #waiting: {
    resolve: (step: IteratorResult<Event, undefined>) => void;
    reject: (error: unknown) => void;
  }[] = [];

  /** @param shape what the reader gets for an item. */
  constructor(source: Source<Item>, shape: (item: Item) => Event) {
    this.#source = source;
    this.#shape = shape;
    source.onReady(() => {
      this.#serve();
    });
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.#source.close();
    this.#serve();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #serve(): void {
    for (let reader = this.#waiting[0]; reader; reader = this.#waiting[0]) {
      const item = this.#source.take();
      if (item !== null) {
        this.#waiting.shift();
        reader.resolve({ value: this.#shape(item), done: false });
        continue;
      }
      if (!this.#source.isClosed) return;
      this.#waiting.shift();
      try {
        this.#source.rethrow();
        reader.resolve({ value: undefined, done: true });
      } catch (error) {
        reader.reject(error);
      }
    }
  }
}
