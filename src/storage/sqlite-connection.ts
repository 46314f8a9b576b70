import type { Client, InArgs, InStatement, ResultSet, Row, Value } from '@libsql/client';
import Database from 'libsql';
import { SqlError, type SqlErrorKind, type SqlResult, type SqlValue } from './sql.ts';

/** Statements kept prepared; texts vary only with the number of their marks. */
const preparedMax = 512;

/**
 * Pages that the writer keeps, in KiB. A batch touches a page of each user's log, and those that do not fit are written and
 * read again within one transaction.
 */
const cacheKib = 65_536;
/** Pages in the log (of 4 KiB) until it is taken into the file: what was written often until then is copied once. */
const checkpointPages = 8_000;

type Prepared = Database.Statement;

interface Reading {
  readonly name: string;
  readonly read: (value: unknown) => unknown;
}

/**
 * The one connection of a thread to its file. Synchronous: it belongs into a worker thread. Durable
 * (WAL, each commit is flushed).
 */
export class SqliteConnection {
  readonly #database: Database.Database;
  readonly #prepared = new Map<string, { statement: Prepared; readings: readonly Reading[] }>();

  constructor(options: { file: string; isReader: boolean }) {
    this.#database = new Database(options.file);
    this.#database.defaultSafeIntegers(true);
    this.#database.exec('PRAGMA busy_timeout = 2000');
    if (options.isReader) {
      this.#database.exec('PRAGMA query_only = ON');
      return;
    }
    this.#database.exec('PRAGMA journal_mode = WAL');
    this.#database.exec('PRAGMA synchronous = FULL');
    this.#database.exec(`PRAGMA cache_size = -${cacheKib}`);
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  }

  get isInTransaction(): boolean {
    return this.#database.inTransaction;
  }

  query(text: string, params: readonly SqlValue[]): Record<string, unknown>[] {
    const { statement, readings } = this.#prepare(text);
    const rows = translated(() => statement.all(params.map(bound))) as unknown[][];
    return rows.map((row) => {
      const object: Record<string, unknown> = {};
      readings.forEach(({ name, read }, index) => {
        const value = row[index];
        object[name] = value === null ? null : read(value);
      });
      return object;
    });
  }

  execute(text: string, params: readonly SqlValue[]): SqlResult {
    const { statement } = this.#prepare(text);
    const done = translated(() => statement.run(params.map(bound)));
    return { affectedRows: done.changes, insertId: BigInt(done.lastInsertRowid) };
  }

  /** Several statements, without values. */
  script(text: string): void {
    // What was prepared may have been for another schema.
    this.#prepared.clear();
    translated(() => this.#database.exec(text));
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  /**
   * This connection as Prisma's libsql adapter asks for it, instead of a client of its own: so that
   * there is one connection, whose settings stay. Only what the adapter calls outside of
   * transactions: those are begun and ended by the caller of this class.
   */
  get client(): Pick<Client, 'execute' | 'executeMultiple' | 'close'> {
    const execute = (statement: InStatement | string, args?: InArgs): Promise<ResultSet> => {
      const { sql, args: values } =
        typeof statement === 'string' ? { sql: statement, args } : statement;
      return Promise.resolve(this.#executeForAdapter(sql, (values ?? []) as readonly SqlValue[]));
    };
    return {
      execute,
      executeMultiple: (sql: string) => {
        this.script(sql);
        return Promise.resolve();
      },
      close: () => undefined,
    };
  }

  #executeForAdapter(sql: string, args: readonly SqlValue[]): ResultSet {
    const prepared = this.#prepare(sql);
    const definitions = prepared.statement.columns();
    const params = args.map(bound);
    const rows =
      prepared.readings.length > 0 ? (prepared.statement.all(params) as unknown[][]) : [];
    const done = prepared.readings.length > 0 ? null : prepared.statement.run(params);
    return {
      columns: definitions.map((column) => column.name),
      columnTypes: definitions.map((column) => column.type ?? ''),
      rows: rows.map((row) => row.map(forAdapter) as object as Row),
      rowsAffected: done ? done.changes : rows.length,
      lastInsertRowid: undefined,
      toJSON: () => null,
    };
  }

  #prepare(text: string): { statement: Prepared; readings: readonly Reading[] } {
    const known = this.#prepared.get(text);
    if (known) {
      this.#prepared.delete(text);
      this.#prepared.set(text, known);
      return known;
    }
    const statement = translated(() => this.#database.prepare(text));
    const readings = statement
      .columns()
      .map((column) => ({ name: column.name, read: reading(column) }));
    if (readings.length > 0) statement.raw(true);
    const fresh = { statement, readings };
    this.#prepared.set(text, fresh);
    if (this.#prepared.size > preparedMax) {
      const [oldest] = this.#prepared.keys();
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    return fresh;
  }
}

function reading(column: Database.ColumnDefinition): (value: unknown) => unknown {
  if (column.column === null) return (value) => value;
  const type = column.type?.toUpperCase() ?? '';
  if (type === 'BOOLEAN') return (value) => value !== 0n;
  // INTEGER is the row id, as wide as BIGINT.
  return /^(TINY|SMALL|MEDIUM)?INT( UNSIGNED)?$/.test(type) ? Number : (value) => value;
}

// The driver would bind a JavaScript number as REAL, which LIMIT refuses and an undeclared column
// would keep.
function bound(value: SqlValue): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string' && value.includes('\0')) {
    throw new SqlError(
      'other',
      'text must not contain a zero byte: SQLite would cut it on reading',
    );
  }
  return value;
}

// The adapter takes bytes for an ArrayBuffer, and a number where it is safe.
function forAdapter(value: unknown): Value {
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : value;
  }
  if (value instanceof Uint8Array) return Uint8Array.from(value).buffer;
  return value as Value;
}

function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw sqlErrorOf(error);
  }
}

const uniqueCodes: readonly number[] = [1555, 2067, 2579];
const busyCode = 5;

/** @see https://www.sqlite.org/rescode.html */
export function sqlErrorOf(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  if (!(error instanceof Database.SqliteError)) {
    return new SqlError('other', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  return new SqlError(kindOf(error.rawCode ?? 1), error.message, { cause: error });
}

function kindOf(rawCode: number): SqlErrorKind {
  if (uniqueCodes.includes(rawCode)) return 'unique';
  return (rawCode & 0xff) === busyCode ? 'lockTimeout' : 'other';
}
