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
  /** Since when they would wait a quarter of that at most. */
  #calmSinceMs: number | null = null;
  #isStanding = false;

  /**
   * @param waitMaxMs in time: until the transaction that holds it has ended. The queue stands when that has been too long
   *   for so long, and takes then who would wait for half of it at most. It stands no more when a quarter has been enough
   *   for so long: what is short for a moment fills up again.
   */
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
  emptied(nowMs: number): void {
    this.#lateSinceMs = null;
    this.#calmSinceMs ??= nowMs;
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
    const waitMaxMs = this.#waitMaxMs;
    const isShort = waitMs <= waitMaxMs / 4;
    if (isShort) this.emptied(nowMs);
    if (this.#calmSinceMs !== null && nowMs - this.#calmSinceMs >= waitMaxMs) {
      this.#isStanding = false;
    }
    if (!isShort) this.#calmSinceMs = null;
    if (waitMs > waitMaxMs) {
      this.#lateSinceMs ??= nowMs;
      this.#isStanding ||= nowMs - this.#lateSinceMs >= waitMaxMs;
    }
    return !this.#isStanding || waitMs <= waitMaxMs / 2;
  }
}
