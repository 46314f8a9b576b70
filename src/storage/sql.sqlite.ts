import { present } from '../lib/assert.ts';
import { sqliteDialect } from './dialect.ts';
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
import type { Turnstile } from './turnstile.ts';

let lastTransaction = 0;

/** A number that no other transaction of this process has. */
export function newTransactionNumber(): number {
  return ++lastTransaction;
}

export interface SqliteSqlDeps {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  /** One place: who is inside has the writer's connection to themselves. */
  readonly turnstile: Turnstile;
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
    const leave = await this.#deps.turnstile.enter();
    try {
      const results = await this.#deps.writer.call({
        kind: 'execute',
        statements: [{ text, params }],
      });
      return present(results[0], 'one result for one statement');
    } finally {
      leave();
    }
  }

  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    const leave = await this.#deps.turnstile.enter();
    const tx = new SqliteTransaction(this.#deps.writer);
    try {
      const result = await this.#inTime(work(tx));
      await tx.commit();
      return result;
    } catch (error) {
      await tx.rollback();
      throw error;
    } finally {
      leave();
    }
  }

  /** Work that does not end would keep out every other writer. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new SqlError(
        'other',
        `the transaction's work has not ended in ${timeoutMs} ms`,
      );
      timer = setTimeout(() => reject(error), timeoutMs);
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
  readonly #number = newTransactionNumber();
  #isOpen = true;
  #isCommitted = false;
  #failure: Error | null = null;
  #sent: Promise<unknown> = Promise.resolve();

  constructor(writer: SqliteThread) {
    this.#writer = writer;
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
    return toldByCommit(this.#send({ kind: 'execute', statements }));
  }

  /** The thread refuses it where something that was sent before has failed. */
  finish(statements: readonly Statement[]): Promise<SqlResult[]> {
    const answer = this.#send({ kind: 'execute', statements, commits: true });
    this.#isOpen = false;
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
    this.#isOpen = false;
    if (this.#failure) throw this.#failure;
    if (this.#isCommitted) return;
    await this.#writer.call({ kind: 'commit' }, this.#number);
  }

  async rollback(): Promise<void> {
    this.#isOpen = false;
    // The thread is lost, if anything: then there is nothing left to roll back.
    await this.#writer.call({ kind: 'rollback' }, this.#number).catch(() => undefined);
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
