/** Counts what is under way for each of many keys, up to a maximum. */
export class Tally {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  /** @param max 0: as many as there may be. */
  constructor(max: number) {
    this.#max = max === 0 ? Infinity : max;
  }

  /** Whether one more would be too many. */
  isFull(key: string): boolean {
    return (this.#counts.get(key) ?? 0) >= this.#max;
  }

  /**
   * One more, where there is room.
   * @returns how to say that it is over, to be called once or more; null where there is no room.
   */
  enter(key: string): (() => void) | null {
    if (this.isFull(key)) return null;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }
}
