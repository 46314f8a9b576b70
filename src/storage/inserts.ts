import { chunks } from './per-shard.ts';
import { rowMarks } from './sql.ts';
import type { SqlValue, Statement } from './sql.ts';

/** Rows of one INSERT: below every engine's limit of values in a statement. */
const rowsPerStatement = 500;

/**
 * As many statements as it takes to insert these rows; none for none.
 * @param rows the values of `columns`, in their order.
 * @param tail what stands behind the values, as `Dialect.upsert` gives it.
 */
export function insertRows(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  tail = '',
): Statement[] {
  return chunks(rows, rowsPerStatement).map((page) => ({
    text: `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rowMarks(page.length, columns.length)}${tail}`,
    params: page.flat(),
  }));
}
