import { chunks } from '../lib/chunks.ts';
import { literal } from './mariadb-literals.ts';
import type { RowsStatement, SqlValue, TextStatement } from './sql.ts';

/** Rows of one INSERT: below the engine's limit of values in a statement. */
const rowsPerStatement = 500;

/**
 * A column that is NULL in all rows is left out, since it is NULL without being named, and each value costs the server a
 * fifth of a microsecond.
 */
export function spellForMariadb({ table, columns, rows, tail }: RowsStatement): TextStatement[] {
  return chunks(rows, rowsPerStatement).map((page) => {
    const used = [...columns.keys()].filter((at) => page.some((row) => row[at] !== null));
    const params: SqlValue[] = [];
    let text = `INSERT INTO ${table} (${used.map((at) => columns[at]).join(', ')}) VALUES `;
    let opening = '(';
    for (const row of page) {
      let before = opening;
      for (const at of used) {
        text += before + literal(row[at] as SqlValue, params);
        before = ',';
      }
      text += ')';
      opening = ', (';
    }
    return { text: text + tail, params };
  });
}
