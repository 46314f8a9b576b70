import { GraphQLError, type ExecutionResult } from 'graphql';
import type { Connection } from './connection.ts';
import { frameHead, type SharedText } from './fan-out-text.ts';
import type { Paced, Pulled } from '../realtime/pulled.ts';

/** Makes an item's text for one subscriber; null where they may see nothing of it any more. */
export type Render<Item> = (item: Item) => SharedText | null | Promise<SharedText | null>;

/**
 * One subscription on one connection: takes what its source has ready, in order, and writes it as `next` messages. To
 * graphql-ws it is an iterator that yields nothing and ends when the subscription does.
 */
export class Subscriber<
  Item extends Paced,
  Event,
> implements AsyncIterableIterator<ExecutionResult> {
  readonly #pulled: Pulled<Item, Event>;
  readonly #connection: Connection;
  readonly #render: Render<Item>;
  readonly #head: ReturnType<typeof frameHead>;
  readonly #onEnd: () => void;
  #isPumping = false;
  #isReturned = false;
  #settle: {
    resolve: (step: IteratorResult<ExecutionResult, undefined>) => void;
    reject: (error: unknown) => void;
  } | null = null;

  constructor(deps: {
    pulled: Pulled<Item, Event>;
    connection: Connection;
    operationId: string;
    render: Render<Item>;
    onEnd: () => void;
  }) {
    this.#pulled = deps.pulled;
    this.#connection = deps.connection;
    this.#render = deps.render;
    this.#head = frameHead(deps.operationId);
    this.#onEnd = deps.onEnd;
  }

  /** Called once, when the client may be written to: stays pending until the subscription ends. */
  next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#pulled.source.onReady(() => {
        this.#wake();
      });
      this.#wake();
    });
  }

  return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (!this.#isReturned) {
      this.#isReturned = true;
      this.#pulled.source.close();
      this.#onEnd();
      this.#settle?.resolve({ value: undefined, done: true });
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wake(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#pump().catch((error: unknown) => {
      this.#isPumping = false;
      this.#fail(error);
    });
  }

  async #pump(): Promise<void> {
    const { source, telling } = this.#pulled;
    for (let item = source.take(); item !== null; item = source.take()) {
      if (item.isReplay) await this.#connection.paced();
      const made = this.#render(item);
      const text = made instanceof Promise ? await made : made;
      if (this.#isReturned) return;
      if (!text) {
        source.passedOver?.(item);
        continue;
      }
      const frame = text.frame(this.#head, telling.cursorOf(item));
      this.#connection.send(frame.text, 'event', frame.bytes);
    }
    // In the same turn as the last look: what becomes ready from here on wakes it anew.
    this.#isPumping = false;
    if (source.isClosed) this.#finish();
  }

  #finish(): void {
    try {
      this.#pulled.source.rethrow();
      void this.return();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const originalError = error instanceof Error ? error : new Error(String(error));
    this.#settle?.reject(new GraphQLError(originalError.message, { originalError }));
    void this.return();
  }
}
