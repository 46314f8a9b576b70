import { chunks } from '../lib/chunks.ts';
import { marks, SqlError, type SqlReader } from './sql.ts';

/** How long what others hold is passed over, once it was waited for in vain, in ms. */
const lostForMs = 10_000;
/** Keys of one SELECT. */
const keysPerStatement = 400;

/**
 * Whether transactions wait for rows that others hold, as long as the engine lets them, or pass over them. They wait, so that
 * nodes which want the same rows take turns. But a node that stands still inside a transaction would hold up all that theirs
 * are about: so whoever has waited in vain passes over what is held, for a while.
 */
export class Patience {
  #lostAtMs = -Infinity;

  /** @param run does nothing where it rejects; told to pass over what others hold, it may say so by `lose`. */
  async within<T>(run: (passesOver: boolean) => Promise<T>): Promise<T> {
    if (performance.now() - this.#lostAtMs < lostForMs) return run(true);
    try {
      return await run(false);
    } catch (error) {
      if (!(error instanceof SqlError) || error.kind !== 'lockTimeout') throw error;
      this.lose();
      return run(true);
    }
  }

  /** Says that something is held. */
  lose(): void {
    this.#lostAtMs = performance.now();
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
