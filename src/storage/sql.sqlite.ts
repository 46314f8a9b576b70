import { present } from '../lib/assert.ts';
import { sqliteDialect } from './dialect.ts';
import { spelled } from './inserts.ts';
import {
  SqlError,
  toldByCommit,
  type Sql,
  type SqlResult,
  type SqlTransaction,
  type SqlValue,
  type Statement,
} from './sql.ts';
import type { SqliteAnswers, SqliteTask } from './sqlite-protocol.ts';
import type { SqliteThread } from './sqlite-thread.ts';
import { spellForSqlite } from './sqlite-inserts.ts';
import type { Turn, WriterTurns } from './writer-turns.ts';

let lastTransaction = 0;

/** A number that no other transaction of this process has. */
export function newTransactionNumber(): number {
  return ++lastTransaction;
}

export interface SqliteSqlDeps {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  readonly turns: WriterTurns;
  /** How long the work of a transaction may take, in ms. */
  readonly timeoutMs: number;
}

/** SQLite in worker threads: reads go to the reader, everything else to the one writer, in turn. */
export class SqliteSql implements Sql {
  readonly dialect = sqliteDialect;
  readonly #deps: SqliteSqlDeps;

  constructor(deps: SqliteSqlDeps) {
    this.#deps = deps;
  }

  async query<T extends object>(text: string, params: readonly SqlValue[] = []): Promise<T[]> {
    return (await this.#deps.reader.call({ kind: 'query', text, params })) as T[];
  }

  async execute(text: string, params: readonly SqlValue[] = []): Promise<SqlResult> {
    const turn = await this.#deps.turns.enter();
    try {
      const answer = this.#deps.writer.call({ kind: 'execute', statements: [{ text, params }] });
      turn.sent();
      return present((await answer)[0], 'one result for one statement');
    } finally {
      turn.end();
    }
  }

  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    const turn = await this.#deps.turns.enter();
    const tx = new SqliteTransaction(this.#deps.writer, turn);
    try {
      const result = await this.#inTime(tx, work(tx));
      await tx.commit();
      return result;
    } catch (error) {
      await tx.rollback();
      throw error;
    } finally {
      turn.end();
    }
  }

  /** Work that does not end would keep out every other writer. What has sent its end keeps out nobody. */
  async #inTime<T>(tx: SqliteTransaction, work: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (!tx.isOpen) return;
        reject(new SqlError('other', `the transaction's work has not ended in ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

class SqliteTransaction implements SqlTransaction {
  readonly #writer: SqliteThread;
  readonly #turn: Turn;
  readonly #number = newTransactionNumber();
  #isOpen = true;
  #isCommitted = false;
  #failure: Error | null = null;
  #sent: Promise<unknown> = Promise.resolve();

  constructor(writer: SqliteThread, turn: Turn) {
    this.#writer = writer;
    this.#turn = turn;
  }

  /** Whether its end was not sent yet. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  query<T extends object>(text: string, params: readonly SqlValue[] = []): Promise<T[]> {
    const rows = this.#send({ kind: 'query', text, params });
    return toldByCommit(rows.then((all) => all as T[]));
  }

  execute(text: string, params: readonly SqlValue[] = []): Promise<SqlResult> {
    const results = this.pipeline([{ text, params }]);
    return toldByCommit(results.then(([one]) => present(one, 'one result for one statement')));
  }

  pipeline(statements: readonly Statement[]): Promise<SqlResult[]> {
    return toldByCommit(this.#execute(statements, false));
  }

  /** The thread refuses it where something that was sent before has failed. */
  finish(statements: readonly Statement[]): Promise<SqlResult[]> {
    const isRefused = !this.#isOpen || this.#failure !== null;
    const answer = this.#execute(statements, true);
    if (!isRefused) this.#end();
    return toldByCommit(
      answer.then((results) => {
        this.#isCommitted = true;
        return results;
      }),
    );
  }

  /** Commits what has succeeded as a whole; waits for what was sent and not awaited. */
  async commit(): Promise<void> {
    await this.#sent;
    if (this.#failure) throw this.#failure;
    if (this.#isCommitted) return;
    const answer = this.#writer.call({ kind: 'commit' }, this.#number);
    this.#end();
    await answer;
  }

  async rollback(): Promise<void> {
    // The thread is lost, if anything: then there is nothing left to roll back.
    const answer = this.#writer.call({ kind: 'rollback' }, this.#number).catch(() => undefined);
    this.#end();
    await answer;
  }

  #end(): void {
    if (this.#isOpen) this.#turn.sent();
    this.#isOpen = false;
  }

  async #execute(statements: readonly Statement[], commits: boolean): Promise<SqlResult[]> {
    const { texts, resultsOf } = spelled(statements, spellForSqlite);
    return resultsOf(await this.#send({ kind: 'execute', statements: texts, commits }));
  }

  #send<Kind extends 'query' | 'execute'>(
    task: Extract<SqliteTask, { kind: Kind }>,
  ): Promise<SqliteAnswers[Kind]> {
    if (!this.#isOpen) return Promise.reject(new SqlError('other', 'the transaction has ended'));
    if (this.#failure) return Promise.reject(this.#failure);
    const answer = this.#writer.call<Kind>(task, this.#number);
    this.#sent = answer.then(
      () => undefined,
      (error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new SqlError('other', String(error));
      },
    );
    return answer;
  }
}
