import { present } from '../lib/assert.ts';
import type { RowsStatement, SqlValue, TextStatement } from './sql.ts';

/** Rows of the longest INSERT; the others have half of it, a quarter, and so on down to one. */
const rowsMax = 128;
/** From so many rows on it pays to look at which columns are the same in all of them. */
const lookFrom = 16;
/** Texts kept; what there is of them follows from the program, not from its data, but for which columns are alike. */
const textsMax = 1_024;

const texts = new Map<string, string>();

/**
 * As few texts as possible, whatever the rows, so that SQLite finds them prepared: to parse and plan a text costs more
 * than to run it. A column that has the same value in all rows is bound once.
 */
export function spellForSqlite(statement: RowsStatement): TextStatement[] {
  const { columns, rows } = statement;
  const kinds = rows.length < lookFrom ? 'v'.repeat(columns.length) : kindsOf(statement);
  const first = present(rows[0], 'rows are inserted');
  const shared = first.filter((_value, column) => kinds[column] === 's');
  const varying = [...kinds].flatMap((kind, column) => (kind === 'v' ? [column] : []));
  const statements: TextStatement[] = [];
  for (let at = 0, size = rowsMax; at < rows.length;) {
    while (size > rows.length - at) size >>= 1;
    const params: SqlValue[] = [...shared];
    for (let end = at + size; at < end; at += 1) {
      const row = rows[at] as readonly SqlValue[];
      for (const column of varying) params.push(row[column] as SqlValue);
    }
    statements.push({ text: textOf(statement, kinds, size), params });
  }
  return statements;
}

/** Of each column: NULL in all rows (n), the same in all rows (s), or varying (v). */
function kindsOf({ columns, rows }: RowsStatement): string {
  return columns
    .map((_name, column) => {
      const value = rows[0]?.[column];
      if (rows.some((row) => row[column] !== value)) return 'v';
      return value === null ? 'n' : 's';
    })
    .join('');
}

function textOf({ table, columns, tail }: RowsStatement, kinds: string, rows: number): string {
  const head = `INSERT INTO ${table} (${columns.join(', ')}) VALUES `;
  const key = `${rows} ${kinds} ${head}${tail}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  let lastShared = 0;
  const marks = [...kinds].map((kind) => {
    if (kind === 'v') return null;
    return kind === 'n' ? 'NULL' : `?${(lastShared += 1)}`;
  });
  let last = lastShared;
  const lines = Array.from({ length: rows }, () => {
    const values = marks.map((mark) => mark ?? `?${(last += 1)}`);
    return `(${values.join(',')})`;
  });
  const text = head + lines.join(', ') + tail;
  if (texts.size >= textsMax) texts.clear();
  texts.set(key, text);
  return text;
}
