import type { PoolConnection, UpsertResult } from 'mariadb';
import { spelled } from './inserts.ts';
import { spellForMariadb } from './mariadb-inserts.ts';
import { bound, readRows, sqlErrorOf } from './mariadb-values.ts';
import type { SqlResult, SqlValue, Statement } from './sql.ts';

/** @throws {SqlError} */
export async function queryOn<T extends object>(
  connection: PoolConnection,
  text: string,
  params: readonly SqlValue[],
): Promise<T[]> {
  try {
    return readRows(await connection.query(text, boundAll(params))) as T[];
  } catch (error) {
    throw sqlErrorOf(error);
  }
}

/** @throws {SqlError} */
export async function executeOn(
  connection: PoolConnection,
  text: string,
  params: readonly SqlValue[],
): Promise<SqlResult> {
  try {
    return resultOf(await connection.query<UpsertResult>(text, boundAll(params)));
  } catch (error) {
    throw sqlErrorOf(error);
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
  const { texts, resultsOf } = spelled(statements, spellForMariadb);
  const [first] = texts;
  if (!first) return [];
  if (texts.length === 1) return [await executeOn(connection, first.text, first.params ?? [])];
  const text = texts.map((statement) => statement.text).join(';\n');
  const params = texts.flatMap((statement) => statement.params ?? []);
  try {
    const done = await connection.query<UpsertResult[]>(text, boundAll(params));
    return resultsOf(done.map(resultOf));
  } catch (error) {
    throw sqlErrorOf(error);
  }
}

function resultOf({ affectedRows, insertId }: UpsertResult): SqlResult {
  return { affectedRows, insertId: BigInt(insertId) };
}

/** None where there are none: the driver looks for marks in the whole text otherwise. */
function boundAll(params: readonly SqlValue[]): SqlValue[] | undefined {
  return params.length === 0 ? undefined : params.map(bound);
}
