import { chunks } from '../lib/chunks.ts';
import { marks, SqlError, type SqlReader } from './sql.ts';

/** How long what others hold is passed over, once it was waited for in vain, in ms. */
const lostForMs = 10_000;
/** What is found held every time for so long stands still, in ms: what others take turns with is found free sooner. */
const standsStillMs = 1_000;
/** Keys of one SELECT. */
const keysPerStatement = 400;

/**
 * Whether transactions wait for rows that others hold, as long as the engine lets them, or pass over them. They wait, so that
 * nodes which want the same rows take turns. But a node that stands still inside a transaction would hold up all that theirs
 * are about: so whoever has waited in vain passes over what is held, for a while, and for as long as something stands still.
 */
export class Patience {
  #lostAtMs = -Infinity;
  /** Since when each row was found held every time. */
  #heldSinceMs: ReadonlyMap<bigint, number> = new Map();

  /** @param run does nothing where it rejects; told to pass over what others hold, it says by `passedOver` what that was. */
  async within<T>(run: (passesOver: boolean) => Promise<T>): Promise<T> {
    if (performance.now() - this.#lostAtMs < lostForMs) return run(true);
    this.#heldSinceMs = new Map();
    try {
      return await run(false);
    } catch (error) {
      if (!(error instanceof SqlError) || error.kind !== 'lockTimeout') throw error;
      this.#lostAtMs = performance.now();
      return run(true);
    }
  }

  /** @param ids all that a transaction wanted and others held. */
  passedOver(ids: Iterable<bigint>): void {
    const nowMs = performance.now();
    const heldSinceMs = new Map<bigint, number>();
    for (const id of ids) {
      const sinceMs = this.#heldSinceMs.get(id) ?? nowMs;
      heldSinceMs.set(id, sinceMs);
      if (nowMs - sinceMs >= standsStillMs) this.#lostAtMs = nowMs;
    }
    this.#heldSinceMs = heldSinceMs;
  }
}

/** Of rows that a SELECT passed over those that are there: others hold them. A row that was free again since counts as held. */
export async function heldOf(
  reader: SqlReader,
  { table, key }: { readonly table: string; readonly key: string },
  passedOver: readonly bigint[],
): Promise<Set<bigint>> {
  const pages = chunks(passedOver, keysPerStatement).map((page) =>
    reader.query<{ id: bigint }>(
      `SELECT ${key} AS id FROM ${table} WHERE ${key} IN (${marks(page.length)})`,
      page,
    ),
  );
  return new Set((await Promise.all(pages)).flat().map(({ id }) => id));
}
