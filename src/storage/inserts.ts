import type { RowsStatement, SqlResult, SqlValue, Statement, TextStatement } from './sql.ts';

/**
 * A statement that inserts these rows; none for none.
 * @param rows the values of `columns`, in their order.
 * @param tail what stands behind the values, as `Dialect.upsert` gives it.
 */
export function insertRows(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  tail = '',
): RowsStatement[] {
  return rows.length === 0 ? [] : [{ table, columns, rows, tail }];
}

/** Statements as an engine runs them, and how the results of those are the results of these. */
export interface Spelled {
  readonly texts: readonly TextStatement[];
  readonly resultsOf: (done: readonly SqlResult[]) => SqlResult[];
}

/** @param spell the texts that insert rows; at least one. */
export function spelled(
  statements: readonly Statement[],
  spell: (statement: RowsStatement) => readonly TextStatement[],
): Spelled {
  const texts: TextStatement[] = [];
  const ends = statements.map((statement) => {
    if ('text' in statement) texts.push(statement);
    else texts.push(...spell(statement));
    return texts.length;
  });
  return {
    texts,
    resultsOf(done) {
      if (done.length === ends.length) return [...done];
      return ends.map((end, index) => sum(done.slice(ends[index - 1] ?? 0, end)));
    },
  };
}

function sum(parts: readonly SqlResult[]): SqlResult {
  const affectedRows = parts.reduce((total, part) => total + part.affectedRows, 0);
  return { affectedRows, insertId: parts.at(-1)?.insertId ?? 0n };
}
