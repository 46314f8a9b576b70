import { asFault, Fault, type Explicable } from '../lib/fault.ts';
import type { Dialect } from './dialect.ts';

/**
 * What a `?` can stand for. Integers may be given as number or bigint; a boolean is stored as 0 or
 * 1; a `Uint8Array` is bytes; a number must be an integer that is safe.
 */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null;

/** A statement with `?` marks and the values for them, in order. */
export interface TextStatement {
  readonly text: string;
  readonly params?: readonly SqlValue[];
}

/** Rows to be inserted, at least one: each engine says it in the way that costs it least. */
export interface RowsStatement {
  readonly table: string;
  readonly columns: readonly string[];
  /** The values of `columns`, in their order. */
  readonly rows: readonly (readonly SqlValue[])[];
  /** What stands behind the values, as `Dialect.upsert` gives it. */
  readonly tail: string;
}

export type Statement = TextStatement | RowsStatement;

/**
 * What a statement did. `affectedRows` are the rows matched by the condition, changed or not; of an
 * upsert count on nothing but zero or not. `insertId` is the id that AUTO_INCREMENT drew for an
 * INSERT of a single row; of anything else it says nothing.
 */
export interface SqlResult {
  readonly affectedRows: number;
  readonly insertId: bigint;
}

/**
 * Reads. A column's value is the same on every engine, by the type the column was declared with:
 *
 * | declared | value |
 * |---|---|
 * | BIGINT | bigint |
 * | INT, INT UNSIGNED, TINYINT | number |
 * | Boolean | boolean |
 * | text | string |
 * | bytes | Uint8Array |
 * | integer that is no plain column: COUNT, SUM, MAX, a literal, arithmetic | bigint |
 *
 * NULL is null. Name every column that is an expression (`COUNT(*) AS total`). What type the
 * columns of a UNION have is not promised: ask twice.
 */
export interface SqlReader {
  /**
   * The rows, in order; each an object by column name. Of a statement that was sent without waiting
   * for those before it, the answers come in the order of sending.
   * @throws {SqlError}
   */
  query<T extends object>(text: string, params?: readonly SqlValue[]): Promise<T[]>;
}

/**
 * A transaction that is open while its work runs.
 *
 * Statements are sent at once and run in the order in which they were called, so independent ones
 * need not be awaited one by one (`Promise.all`). The first one that fails dooms the transaction:
 * those after it are refused or undone, and it ends rolled back, even where the work catches the
 * error.
 */
export interface SqlTransaction extends SqlReader {
  /** @throws {SqlError} */
  execute(text: string, params?: readonly SqlValue[]): Promise<SqlResult>;
  /**
   * Sends all statements in one round trip; where one fails, those behind it do not run. The results
   * are in the order of the statements.
   * @throws {SqlError}
   */
  pipeline(statements: readonly Statement[]): Promise<SqlResult[]>;
  /**
   * As `pipeline`, and commits in the same round trip when all of them have succeeded: what it
   * resolves to is durable, and nothing can follow.
   * @throws {SqlError} of kind `connection`: it is unknown whether it was committed.
   */
  finish(statements: readonly Statement[]): Promise<SqlResult[]>;
}

/**
 * A shard's database for hot statements. A `query` sees all that was committed before it was
 * called. What has been acknowledged is durable. Calls that find the queue full get a Fault.
 */
export interface Sql extends SqlReader {
  readonly dialect: Dialect;
  /**
   * One statement, committed by itself.
   * @throws {SqlError}
   * @throws {Fault} UNAVAILABLE when too many wait already.
   */
  execute(text: string, params?: readonly SqlValue[]): Promise<SqlResult>;
  /**
   * Runs `work` in a transaction (READ COMMITTED, or stricter) and commits when it has resolved;
   * rolls back and throws on when it rejects. It is not repeated: the caller decides, by
   * `SqlError.kind`. Where the commit itself fails with kind `connection` it is unknown whether it
   * happened. Nothing but the transaction's own statements should be awaited in `work`: on SQLite
   * every other writer waits meanwhile.
   * @throws {SqlError}
   * @throws {Fault} UNAVAILABLE when too many wait already.
   */
  transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T>;
}

/**
 * Why a statement failed: a unique or primary key struck; the engine chose this transaction to end
 * a deadlock; a lock was not to be had in time; the connection or the worker is gone (and whether
 * the statement ran is unknown); anything else.
 */
export type SqlErrorKind = 'unique' | 'deadlock' | 'lockTimeout' | 'connection' | 'other';

/** When a database that is busy or gone may be asked again, in ms. */
const retryAfterMs = 500;

/**
 * The one error of every engine. The driver's own is its `cause`. To who asked from outside, a database that is gone or
 * too busy is UNAVAILABLE; the rest is a bug of ours.
 */
export class SqlError extends Error implements Explicable {
  override name = 'SqlError';
  readonly kind: SqlErrorKind;

  constructor(kind: SqlErrorKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }

  get [asFault](): Fault | null {
    if (this.kind === 'unique' || this.kind === 'other') return null;
    return new Fault('UNAVAILABLE', 'The database did not answer.', { retryAfterMs, cause: this });
  }
}

/**
 * A statement's answer that nobody need await: where it fails the transaction's end says so.
 * Without this, awaiting two one after the other would leave the second's rejection unhandled when
 * the first fails, and end the process.
 */
export function toldByCommit<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  return answer;
}

/** `?, ?, ?`: marks for a list of `count` values, as in `IN (…)`. */
export function marks(count: number): string {
  return '?, '.repeat(count).slice(0, -2);
}

/** `(?, ?), (?, ?)`: marks for `rows` rows of `columns` values each, as in `VALUES …`. */
export function rowMarks(rows: number, columns: number): string {
  return `(${marks(columns)}), `.repeat(rows).slice(0, -2);
}
