import { faultOf } from '../lib/fault.ts';

const pauseMinMs = 250;
const pauseMaxMs = 5_000;

export interface ReadLoopDeps {
  /** Whether there is anything to read for. */
  readonly isWanted: () => boolean;
  /** One read; it changes what `isWanted` says. */
  readonly step: () => Promise<void>;
  /** A step has failed for good. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Reads on, one step after the other, for as long as it is wanted. A store that is UNAVAILABLE is asked again, after pauses that
 * grow until it answers.
 */
export class ReadLoop {
  readonly #deps: ReadLoopDeps;
  #isRunning = false;
  #pauseMs = pauseMinMs;
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: ReadLoopDeps) {
    this.#deps = deps;
  }

  /** Begins, where it does not run and does not wait. */
  run(): void {
    if (this.#isRunning || this.#timer) return;
    this.#isRunning = true;
    this.#loop().catch((error: unknown) => {
      this.#isRunning = false;
      if (faultOf(error)?.code === 'UNAVAILABLE') this.#runLater();
      else this.#deps.onFailure(error);
    });
  }

  /** Waits for nothing any more; a step under way goes on. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #loop(): Promise<void> {
    const { isWanted, step } = this.#deps;
    while (isWanted()) await step();
    // In the same turn as the last look: whoever wants more begins anew.
    this.#isRunning = false;
    this.#pauseMs = pauseMinMs;
  }

  #runLater(): void {
    if (!this.#deps.isWanted()) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.run();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMaxMs);
  }
}
