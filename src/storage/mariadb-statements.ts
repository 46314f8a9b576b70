import type { PoolConnection, UpsertResult } from 'mariadb';
import { spelled } from './inserts.ts';
import { spellForMariadb } from './mariadb-inserts.ts';
import { spellValues } from './mariadb-literals.ts';
import { readRows, sqlErrorOf } from './mariadb-values.ts';
import type { SqlResult, SqlValue, Statement, TextStatement } from './sql.ts';

/** @throws {SqlError} */
export async function queryOn<T extends object>(
  connection: PoolConnection,
  text: string,
  params: readonly SqlValue[],
): Promise<T[]> {
  try {
    return readRows(await ask(connection, spellValues({ text, params }))) as T[];
  } catch (error) {
    throw sqlErrorOf(error, text);
  }
}

/** @throws {SqlError} */
export async function executeOn(
  connection: PoolConnection,
  text: string,
  params: readonly SqlValue[],
): Promise<SqlResult> {
  try {
    return resultOf(await ask<UpsertResult>(connection, spellValues({ text, params })));
  } catch (error) {
    throw sqlErrorOf(error, text);
  }
}

/**
 * As one text of several statements: the server stops at the first that fails. Sent one by one, those behind a statement
 * that ended the transaction, as a deadlock does, would each be committed by itself. The connection must take several
 * statements.
 * @throws {SqlError}
 */
export async function executeAllOn(
  connection: PoolConnection,
  statements: readonly Statement[],
): Promise<SqlResult[]> {
  if (statements.length === 0) return [];
  const { texts, resultsOf } = spelled(statements, spellForMariadb);
  const filled = texts.map(spellValues);
  const text = filled.map((statement) => statement.text).join(';\n');
  const params = filled.flatMap((statement) => statement.params ?? []);
  try {
    const done = await ask<UpsertResult | UpsertResult[]>(connection, { text, params });
    return resultsOf((Array.isArray(done) ? done : [done]).map(resultOf));
  } catch (error) {
    throw sqlErrorOf(error, statements.map(nameOf).join('; '));
  }
}

/** With no values where there are none: the driver looks for marks in the whole text otherwise. */
function ask<Answer>(
  connection: PoolConnection,
  { text, params = [] }: TextStatement,
): Promise<Answer> {
  return connection.query<Answer>(text, params.length === 0 ? undefined : params);
}

function nameOf(statement: Statement): string {
  return 'text' in statement ? statement.text : `INSERT INTO ${statement.table}`;
}

function resultOf({ affectedRows, insertId }: UpsertResult): SqlResult {
  return { affectedRows, insertId: BigInt(insertId) };
}
