import type { ConnectionConfig, Pool, PoolConfig, PoolConnection } from 'mariadb';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { mysqlDialect } from './dialect.ts';
import { openPool } from './mariadb-pool.ts';
import { executeAllOn, executeOn, queryOn } from './mariadb-statements.ts';
import { sqlErrorOf } from './mariadb-values.ts';
import {
  SqlError,
  toldByCommit,
  type Sql,
  type SqlResult,
  type SqlTransaction,
  type SqlValue,
  type Statement,
} from './sql.ts';
import { Turnstile } from './turnstile.ts';

export interface MariadbSqlOptions {
  readonly connection: ConnectionConfig;
  readonly readersMax: number;
  readonly writersMax: number;
  /** Calls that may wait for a connection, of readers and of writers each. */
  readonly callsMax: number;
  /**
   * How long a statement, or a whole transaction, may take before its connection is given up, in
   * ms.
   */
  readonly timeoutMs: number;
}

/**
 * A MySQL or MariaDB database through the driver's text protocol, with a pool for reads and one for
 * writes. A connection that fails or does not answer in time is given up and replaced.
 */
export class MariadbSql implements Sql, Lifecycle {
  readonly dialect = mysqlDialect;
  readonly #options: MariadbSqlOptions;
  readonly #readTurnstile: Turnstile;
  readonly #writeTurnstile: Turnstile;
  #readers: Pool | null = null;
  #writers: Pool | null = null;

  constructor(options: MariadbSqlOptions) {
    this.#options = options;
    this.#readTurnstile = new Turnstile({
      places: options.readersMax,
      waitingMax: options.callsMax,
    });
    this.#writeTurnstile = new Turnstile({
      places: options.writersMax,
      waitingMax: options.callsMax,
    });
  }

  async start(): Promise<void> {
    this.#readers = openPool(this.#poolConfig(this.#options.readersMax));
    const writers = this.#poolConfig(this.#options.writersMax);
    this.#writers = openPool({ ...writers, multipleStatements: true });
    await this.query('SELECT 1 AS one');
  }

  query<T extends object>(text: string, params: readonly SqlValue[] = []): Promise<T[]> {
    return this.#use(this.#readTurnstile, this.#readers, (connection) =>
      queryOn<T>(connection, text, params),
    );
  }

  execute(text: string, params: readonly SqlValue[] = []): Promise<SqlResult> {
    return this.#use(this.#writeTurnstile, this.#writers, (connection) =>
      executeOn(connection, text, params),
    );
  }

  transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    return this.#use(this.#writeTurnstile, this.#writers, async (connection) => {
      const tx = new MariadbTransaction(connection);
      try {
        const result = await work(tx);
        await tx.commit();
        return result;
      } catch (error) {
        await tx.rollback();
        throw error;
      }
    });
  }

  async stop(): Promise<void> {
    const pools = [this.#readers, this.#writers];
    this.#readers = null;
    this.#writers = null;
    await Promise.all(pools.map(async (pool) => pool?.end().catch(() => undefined)));
  }

  #poolConfig(connectionLimit: number): PoolConfig {
    return {
      ...this.#options.connection,
      connectionLimit,
      acquireTimeout: this.#options.timeoutMs,
      // Transactions are ended here, in as many round trips as they need and no more.
      noControlAfterUse: true,
    };
  }

  async #use<T>(
    turnstile: Turnstile,
    pool: Pool | null,
    work: (connection: PoolConnection) => Promise<T>,
  ): Promise<T> {
    if (!pool) throw new SqlError('connection', 'the database is not open');
    const leave = await turnstile.enter();
    try {
      const connection = await pool.getConnection().catch((error: unknown) => {
        throw sqlErrorOf(error);
      });
      return await this.#within(connection, work(connection));
    } finally {
      leave();
    }
  }

  /**
   * Waits for what a connection does, and gives the connection back, or up where it failed or is
   * late.
   */
  async #within<T>(connection: PoolConnection, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new SqlError('connection', `no end after ${this.#options.timeoutMs} ms`)),
        this.#options.timeoutMs,
      );
    });
    try {
      const result = await Promise.race([work, late]);
      await connection.release();
      return result;
    } catch (error) {
      if (error instanceof SqlError && error.kind === 'connection') {
        work.catch(() => undefined);
        connection.destroy();
      } else await connection.release();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

class MariadbTransaction implements SqlTransaction {
  readonly #connection: PoolConnection;
  #state: 'new' | 'begun' | 'ended' | 'committed' = 'new';
  #failure: SqlError | null = null;
  #sent: Promise<unknown>[] = [];

  constructor(connection: PoolConnection) {
    this.#connection = connection;
  }

  query<T extends object>(text: string, params: readonly SqlValue[] = []): Promise<T[]> {
    return this.#send(() => queryOn<T>(this.#connection, text, params));
  }

  execute(text: string, params: readonly SqlValue[] = []): Promise<SqlResult> {
    return this.#send(() => executeOn(this.#connection, text, params));
  }

  pipeline(statements: readonly Statement[]): Promise<SqlResult[]> {
    return toldByCommit(this.#send(() => executeAllOn(this.#connection, statements)));
  }

  finish(statements: readonly Statement[]): Promise<SqlResult[]> {
    return toldByCommit(this.#finish(statements));
  }

  async #finish(statements: readonly Statement[]): Promise<SqlResult[]> {
    if (this.#state === 'new') {
      this.#state = 'begun';
      const [, ...results] = await this.#finishBegun([{ text: 'BEGIN' }, ...statements]);
      return results;
    }
    await Promise.all(this.#sent);
    if (this.#failure) throw this.#failure;
    return this.#finishBegun(statements);
  }

  async #finishBegun(statements: readonly Statement[]): Promise<SqlResult[]> {
    const all = [...statements, { text: 'COMMIT' }];
    const answer = this.#send(() => executeAllOn(this.#connection, all));
    this.#state = 'ended';
    const results = await answer;
    this.#state = 'committed';
    return results.slice(0, -1);
  }

  /**
   * Sends COMMIT alone, after all that was sent has succeeded: pipelined it would run after a
   * failed statement.
   */
  async commit(): Promise<void> {
    const isEmpty = this.#state === 'new';
    if (this.#state !== 'committed') this.#state = 'ended';
    await Promise.all(this.#sent);
    if (this.#failure) throw this.#failure;
    if (isEmpty || this.#state === 'committed') return;
    await this.#connection.query('COMMIT').catch((error: unknown) => {
      throw sqlErrorOf(error);
    });
  }

  /**
   * @throws {SqlError} of kind `connection`: the connection must be given up, and the server rolls
   * back by itself.
   */
  async rollback(): Promise<void> {
    if (this.#state !== 'committed') this.#state = 'ended';
    await Promise.all(this.#sent);
    if (this.#failure?.kind === 'connection') return;
    await this.#connection.query('ROLLBACK').catch((error: unknown) => {
      throw new SqlError('connection', 'the connection failed while rolling back', {
        cause: error,
      });
    });
  }

  #send<T>(statement: () => Promise<T>): Promise<T> {
    if (this.#state === 'ended' || this.#state === 'committed') {
      return Promise.reject(new SqlError('other', 'the transaction has ended'));
    }
    if (this.#failure) return toldByCommit(Promise.reject(this.#failure));
    if (this.#state === 'new') {
      this.#state = 'begun';
      this.#track(this.#connection.query('BEGIN'));
    }
    const answer = statement();
    this.#track(answer);
    return answer;
  }

  #track(answer: Promise<unknown>): void {
    this.#sent.push(
      answer.then(
        () => undefined,
        (error: unknown) => {
          this.#failure ??= sqlErrorOf(error);
        },
      ),
    );
  }
}
