/** Rows that are remembered for what they still need; beyond it all are taken there again, which does no harm. */
const rowsMax = 50_000;

/** Which outbox rows of a shard have come to which places, in the present epochs of these. */
export class Arrivals {
  readonly #places: number;
  readonly #at = new Map<bigint, Set<number>>();
  #done: bigint[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  has(rowId: bigint, place: number): boolean {
    return this.#at.get(rowId)?.has(place) ?? false;
  }

  add(rowIds: readonly bigint[], place: number): void {
    if (this.#at.size > rowsMax) this.clear();
    for (const id of rowIds) {
      const at = this.#at.get(id) ?? new Set();
      if (at.has(place)) continue;
      this.#at.set(id, at.add(place));
      if (at.size === this.#places) this.#done.push(id);
    }
  }

  /** Rows that have come to every place, to be marked; they are forgotten by `marked`. */
  takeDone(): bigint[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** Marking failed: they are still to be marked. */
  putBack(rowIds: readonly bigint[]): void {
    this.#done.push(...rowIds.filter((id) => this.#at.has(id)));
  }

  marked(rowIds: readonly bigint[]): void {
    for (const id of rowIds) this.#at.delete(id);
  }

  /** The logs of some place are others now. */
  clear(): void {
    this.#at.clear();
    this.#done = [];
  }
}
