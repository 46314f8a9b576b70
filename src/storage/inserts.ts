import { chunks } from './per-shard.ts';
import type { SqlValue, Statement } from './sql.ts';

/** Rows of one INSERT: below every engine's limit of values in a statement. */
const rowsPerStatement = 500;

/**
 * As many statements as it takes to insert these rows; none for none. Numbers stand in the text itself: a mark costs
 * three times as much on its way through the driver.
 * @param rows the values of `columns`, in their order.
 * @param tail what stands behind the values, as `Dialect.upsert` gives it.
 */
export function insertRows(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  tail = '',
): Statement[] {
  return chunks(rows, rowsPerStatement).map((page) => {
    const params: SqlValue[] = [];
    let text = `INSERT INTO ${table} (${columns.join(', ')}) VALUES `;
    let opening = '(';
    for (const row of page) {
      let before = opening;
      for (const value of row) {
        text += before + literal(value, params);
        before = ',';
      }
      text += ')';
      opening = ', (';
    }
    return { text: text + tail, params };
  });
}

/** The value as SQL, or a mark where it needs quoting. */
function literal(value: SqlValue, params: SqlValue[]): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  params.push(value);
  return '?';
}
