import { assert } from '../../lib/assert.ts';

/** Rows that are remembered for what they still need; beyond it all are taken there again, which does no harm. */
export const arrivalsMax = 200_000;

/** Which outbox rows of a shard have come to which places, in the present epochs of these. */
export class Arrivals {
  /** A bit for each place. */
  readonly #all: number;
  readonly #at = new Map<bigint, number>();
  #done: bigint[] = [];

  constructor(places: number) {
    assert(places < 31, 'places have bits');
    this.#all = 2 ** places - 1;
  }

  has(rowId: bigint, place: number): boolean {
    return ((this.#at.get(rowId) ?? 0) & (1 << place)) !== 0;
  }

  add(rowIds: readonly bigint[], place: number): void {
    if (this.#at.size > arrivalsMax) this.clear();
    for (const id of rowIds) {
      const before = this.#at.get(id) ?? 0;
      const after = before | (1 << place);
      if (after === before) continue;
      this.#at.set(id, after);
      if (after === this.#all) this.#done.push(id);
    }
  }

  /** Rows that have come to every place, to be marked; they are forgotten by `marked`. */
  takeDone(): bigint[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** Marking failed: they are still to be marked, but for those that have come to another place's new epoch alone since. */
  putBack(rowIds: readonly bigint[]): void {
    this.#done.push(...rowIds.filter((id) => this.#at.get(id) === this.#all));
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
