import { MariadbSql } from '../../src/storage/sql.mariadb.ts';
import type { SqlTransaction, Statement } from '../../src/storage/sql.ts';
import type { SqliteTask } from '../../src/storage/sqlite-protocol.ts';
import { SqliteThread } from '../../src/storage/sqlite-thread.ts';

/** What goes to the databases of this process, whoever sends it, while it is not disposed of. */
export interface Statements extends Disposable {
  /**
   * The texts since the last call, in the order of sending; `COMMIT` once a transaction is committed. Lists of marks are
   * shortened, so that texts differ only where the statements do.
   */
  take(): string[];
}

/** Through Prisma, too, on SQLite; on MariaDB what goes through the SQL port. */
export function recordStatements(): Statements {
  let texts: string[] = [];
  const note = (text: string): void => {
    texts.push(
      text
        .replace(/\s+/g, ' ')
        .replace(/\((\?, )*\?\)(, \((\?, )*\?\))*/g, '(…)')
        // Rows of an INSERT.
        .replace(/ VALUES \([\d?,NUL]+\)(, \([\d?,NUL]+\))*/g, ' VALUES (…)')
        .replace(/( UNION ALL SELECT \?(, \?)*)+/g, ''),
    );
  };
  const sqlite = patchSqlite(note);
  const mariadb = patchMariadb(note);
  return {
    take() {
      const taken = texts;
      texts = [];
      return taken;
    },
    [Symbol.dispose]() {
      sqlite();
      mariadb();
    },
  };
}

type Call = (this: SqliteThread, task: SqliteTask, transaction?: number | null) => Promise<unknown>;

function patchSqlite(note: (text: string) => void): () => void {
  const { prototype } = SqliteThread;
  const call = Object.getOwnPropertyDescriptor(prototype, 'call')?.value as Call;
  const noted = function (this: SqliteThread, task: SqliteTask, transaction?: number | null) {
    if (task.kind === 'query') note(task.text);
    else if (task.kind === 'execute') for (const { text } of task.statements) note(text);
    else if (task.kind === 'prismaQuery' || task.kind === 'prismaExecute') note(task.query.sql);
    const answer = call.call(this, task, transaction);
    if (task.kind === 'commit' || (task.kind === 'execute' && task.commits)) {
      answer.then(() => note('COMMIT')).catch(() => undefined);
    }
    return answer;
  };
  Object.assign(prototype, { call: noted });
  return () => Object.assign(prototype, { call });
}

function patchMariadb(note: (text: string) => void): () => void {
  const { prototype } = MariadbSql;
  const own = (name: keyof MariadbSql) =>
    Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
  const query = own('query') as MariadbSql['query'];
  const execute = own('execute') as MariadbSql['execute'];
  const transaction = own('transaction') as MariadbSql['transaction'];
  prototype.query = function (this: MariadbSql, text, params) {
    note(text);
    return query.call(this, text, params) as never;
  };
  prototype.execute = function (this: MariadbSql, text, params) {
    note(text);
    return execute.call(this, text, params);
  };
  prototype.transaction = async function <T>(
    this: MariadbSql,
    work: (tx: SqlTransaction) => Promise<T>,
  ): Promise<T> {
    const answer = (await transaction.call(this, (tx) => work(noting(tx, note)))) as T;
    note('COMMIT');
    return answer;
  };
  return () => Object.assign(prototype, { query, execute, transaction });
}

function noting(tx: SqlTransaction, note: (text: string) => void): SqlTransaction {
  return {
    query: (text, params) => {
      note(text);
      return tx.query(text, params);
    },
    execute: (text, params) => {
      note(text);
      return tx.execute(text, params);
    },
    pipeline: (statements: readonly Statement[]) => {
      for (const statement of statements) note(textOf(statement));
      return tx.pipeline(statements);
    },
    finish: (statements: readonly Statement[]) => {
      for (const statement of statements) note(textOf(statement));
      return tx.finish(statements);
    },
  };
}

function textOf(statement: Statement): string {
  if ('text' in statement) return statement.text;
  const { table, columns, tail } = statement;
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (?)${tail}`;
}
