import type { GraphQLFormattedError } from 'graphql';

/** Everything that came in one subscription, and a way to wait for it. */
export class Recording<T> {
  readonly events: T[] = [];
  /** Of the error message that ended it, or of a single event. */
  readonly errors: GraphQLFormattedError[] = [];
  readonly #stop: () => void;
  #end: 'complete' | 'error' | 'closed' | undefined;
  #wake = new Set<() => void>();

  constructor(start: (recording: Recorder<T>) => () => void) {
    this.#stop = start({
      event: (value) => this.#note(() => this.events.push(value)),
      error: (errors) => this.#note(() => this.errors.push(...errors)),
      end: (how) => this.#note(() => (this.#end ??= how)),
    });
  }

  /** How it ended; undefined while it goes on. */
  get end(): 'complete' | 'error' | 'closed' | undefined {
    return this.#end;
  }

  /** The first `count` events, once they are there. */
  async waitFor(count: number, timeoutMs?: number): Promise<T[]> {
    await this.until(() => this.events.length >= count, `${count} events`, timeoutMs);
    return this.events.slice(0, count);
  }

  async waitForEnd(timeoutMs?: number): Promise<'complete' | 'error' | 'closed' | undefined> {
    await this.until(() => this.#end !== undefined, 'the end', timeoutMs);
    return this.#end;
  }

  /** @throws where it does not become so in time; with what had come. */
  async until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`waited for ${what}; came: ${this.#describe()}`);
      await this.#change(left);
    }
  }

  /** Ends it from this side. */
  stop(): void {
    this.#stop();
  }

  #note(change: () => unknown): void {
    change();
    const wake = this.#wake;
    this.#wake = new Set();
    for (const call of wake) call();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #describe(): string {
    return JSON.stringify({ events: this.events, errors: this.errors, end: this.#end });
  }
}

export interface Recorder<T> {
  event(value: T): void;
  error(errors: readonly GraphQLFormattedError[]): void;
  end(how: 'complete' | 'error' | 'closed'): void;
}
