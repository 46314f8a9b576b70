/** Something that has events ready, tells when it has more, and ends. */
export interface Source<Item> {
  /** The next one, if it is there already. */
  take(): Item | null;
  /** One listener: called whenever `take` may have something, or it has closed. */
  onReady(listener: () => void): void;
  readonly isClosed: boolean;
  /** An item that it gave was out of its reader's sight by then, so it was told to nobody. */
  passedOver?(item: Item): void;
  /** Throws what made it end, where it did not end by itself. */
  rethrow(): void;
  close(): void;
}

/** What all items of sources have, for whoever tells them to many. */
export interface Paced {
  /** Read from the store: the reader sets the pace. Live items are paced by what happens. */
  readonly isReplay: boolean;
  /** The first message that the reader may see in the item's conversation. */
  readonly joinedSeq: number;
}

/** How items become the events that a subscriber gets. */
export interface Telling<Item extends Paced, Event> {
  /** The same value for every subscriber whom the same thing is told to; null where it is told to nobody else. */
  shareKey(item: Item): object | null;
  /** What differs from subscriber to subscriber in the event itself; empty where nothing does. */
  cursorOf(item: Item): string;
  eventOf(item: Item, cursor: string): Event;
  /** The seq that the event's message replies to. */
  replyToSeq(item: Item): number | null;
}

/**
 * A source as an iterator, for a reader that pulls. Hand-written, since `return()` must end it at once, whatever `next()`
 * is pending.
 */
export class Pulled<Item extends Paced, Event> implements AsyncIterableIterator<Event> {
  readonly source: Source<Item>;
  readonly telling: Telling<Item, Event>;
  readonly #waiting: {
    resolve: (step: IteratorResult<Event, undefined>) => void;
    reject: (error: unknown) => void;
  }[] = [];

  constructor(source: Source<Item>, telling: Telling<Item, Event>) {
    this.source = source;
    this.telling = telling;
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
    this.source.close();
    this.#serve();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #serve(): void {
    for (let reader = this.#waiting[0]; reader; reader = this.#waiting[0]) {
      const item = this.source.take();
      if (item !== null) {
        this.#waiting.shift();
        const value = this.telling.eventOf(item, this.telling.cursorOf(item));
        reader.resolve({ value, done: false });
        continue;
      }
      if (!this.source.isClosed) return;
      this.#waiting.shift();
      try {
        this.source.rethrow();
        reader.resolve({ value: undefined, done: true });
      } catch (error) {
        reader.reject(error);
      }
    }
  }
}
