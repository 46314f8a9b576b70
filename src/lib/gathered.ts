import { Fault } from './fault.ts';

export interface GatheredDeps<Ask, Answer> {
  /** Answers questions that were asked before it is called, in their order. */
  readonly answer: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  /** What a question weighs; nothing heavier than that is answered together, but for one question alone. */
  readonly weightOf: (ask: Ask) => number;
  readonly weightMax: number;
  /**
   * How long after the beginning of an answer to many the next one begins, in ms; to several, less in proportion. Whoever
   * asks alone never waits. Read anew each time.
   */
  readonly apartMs: number;
  /** Where an answer costs much whoever asks: the next one always begins so much later, also where one asked alone. */
  readonly isAlwaysApart?: boolean;
  /** Questions that may wait; one more is UNAVAILABLE. */
  readonly asksMax: number;
  /** Nobody waits any more, and the next question would be answered at once. Must not throw. */
  readonly onIdle?: () => void;
}

interface Waiting<Ask, Answer> {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const retryAfterMs = 500;
/** So many are many. */
const asksOfMany = 8;

/**
 * Questions of many that are answered together: one alone is answered at once, those that come while an answer is under way
 * share the next. What is answered was read after it was asked for. An answer that fails fails all who wait for it.
 */
export class Gathered<Ask, Answer> {
  readonly #deps: GatheredDeps<Ask, Answer>;
  #waiting: Waiting<Ask, Answer>[] = [];
  #isRunning = false;
  #isStopped = false;
  #endRest: () => void = () => undefined;

  constructor(deps: GatheredDeps<Ask, Answer>) {
    this.#deps = deps;
  }

  /** @throws {Fault} UNAVAILABLE where too many wait, and after `stop`; and what the answer fails with. */
  ask(ask: Ask): Promise<Answer> {
    if (this.#isStopped) return Promise.reject(stopped());
    if (this.#waiting.length >= this.#deps.asksMax) {
      return Promise.reject(new Fault('UNAVAILABLE', 'Too many are reading.', { retryAfterMs }));
    }
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      void this.#run();
    });
  }

  /** Those who wait are told UNAVAILABLE; what is being answered goes on. Idempotent, and leaves no timer. */
  stop(): void {
    this.#isStopped = true;
    for (const { reject } of this.#waiting.splice(0)) reject(stopped());
    this.#endRest();
  }

  async #run(): Promise<void> {
    // Those of the same turn belong together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const began = performance.now();
      const batch = this.#take();
      await this.#answer(batch);
      const restMs = began + this.#apartMs(batch.length) - performance.now();
      if (restMs > 0 && !this.#isStopped) await this.#rest(restMs);
    }
    this.#isRunning = false;
    this.#deps.onIdle?.();
  }

  #apartMs(asks: number): number {
    const { apartMs, isAlwaysApart = false } = this.#deps;
    if (isAlwaysApart) return apartMs;
    // Where several came at once more will come, also where none waits right now.
    return asks === 1 ? 0 : apartMs * Math.min(1, asks / asksOfMany);
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(): Waiting<Ask, Answer>[] {
    const { weightOf, weightMax } = this.#deps;
    let count = 0;
    for (let weight = 0; count < this.#waiting.length; count += 1) {
      weight += weightOf((this.#waiting[count] as Waiting<Ask, Answer>).ask);
      if (count > 0 && weight > weightMax) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #answer(batch: readonly Waiting<Ask, Answer>[]): Promise<void> {
    try {
      const answers = await this.#deps.answer(batch.map(({ ask }) => ask));
      batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

function stopped(): Fault {
  return new Fault('UNAVAILABLE', 'The server is stopping.', { retryAfterMs });
}
