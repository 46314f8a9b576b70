/** How much the newest transaction says of how long the next will take; the rest is what was known before. */
const newestShare = 0.5;

/**
 * Tells a queue that stands from a burst. A burst is over soon, so it may wait as long as it must. Where more come than
 * can be served the queue stands, and everybody would wait for ever longer: then as many are taken as are served in
 * time, and the others told so at once, until it has gone.
 */
export class StandingQueue {
  readonly #waitMaxMs: number;
  /** What a transaction took lately. */
  #usualMs = 0;
  #begunAtMs: number | null = null;
  /** Since when who comes would wait too long. */
  #lateSinceMs: number | null = null;
  #isStanding = false;

  /** @param waitMaxMs in time: until the transaction that holds it has ended. It stands when it is too long for so long. */
  constructor(waitMaxMs: number) {
    this.#waitMaxMs = waitMaxMs;
  }

  transactionBegan(nowMs: number): void {
    this.#begunAtMs = nowMs;
  }

  transactionEnded(nowMs: number): void {
    const tookMs = nowMs - (this.#begunAtMs ?? nowMs);
    this.#begunAtMs = null;
    this.#usualMs += newestShare * (tookMs - this.#usualMs);
  }

  /** Nobody waits. */
  emptied(): void {
    this.#lateSinceMs = null;
    this.#isStanding = false;
  }

  /**
   * What somebody must expect who comes now, in ms.
   * @param transactions how many they have to wait for besides the running one: theirs is the last.
   */
  waitMs(transactions: number, nowMs: number): number {
    const runningMs = this.#begunAtMs === null ? 0 : nowMs - this.#begunAtMs;
    // One that takes longer than usual says that the next ones will.
    const eachMs = Math.max(this.#usualMs, runningMs);
    return (this.#begunAtMs === null ? 0 : eachMs - runningMs) + transactions * eachMs;
  }

  /** Whether somebody is taken who would wait so long. */
  takes(waitMs: number, nowMs: number): boolean {
    if (waitMs <= this.#waitMaxMs / 2) {
      this.emptied();
    } else if (waitMs > this.#waitMaxMs) {
      this.#lateSinceMs ??= nowMs;
      this.#isStanding ||= nowMs - this.#lateSinceMs >= this.#waitMaxMs;
    }
    return !this.#isStanding || waitMs <= this.#waitMaxMs;
  }
}
