const pauseMinMs = 250;
const pauseMaxMs = 5_000;

/** Does something again later, after pauses that grow until it is told that all is well. */
export class Retry {
  readonly #run: () => void;
  #pauseMs = pauseMinMs;
  #timer: NodeJS.Timeout | null = null;

  constructor(run: () => void) {
    this.#run = run;
  }

  later(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#run();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMaxMs);
  }

  /** It has worked: the next pause is the shortest again. */
  reset(): void {
    this.#pauseMs = pauseMinMs;
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
