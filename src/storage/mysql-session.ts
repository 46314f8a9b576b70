import { createHash } from 'node:crypto';
import { createConnection, type Connection } from 'mariadb';
import { databaseLabel, mariadbOptions } from './mariadb-options.ts';
import { bound, readRows, sqlErrorOf } from './mariadb-values.ts';
import type { MigrationTarget } from './migrator.ts';
import type { SqlValue } from './sql.ts';
import { StartupRefusal } from './startup-refusal.ts';

/**
 * One connection of its own to a database: what must be said on the same connection (named locks,
 * migrations) is said here.
 */
export class MysqlSession implements MigrationTarget {
  readonly engine = 'mysql';
  readonly label: string;
  readonly connection: Connection;
  /** The database's name as the server has it. */
  readonly database: string;

  constructor(connection: Connection, label: string, database: string) {
    this.connection = connection;
    this.label = label;
    this.database = database;
  }

  async query(text: string, params: readonly SqlValue[] = []): Promise<Record<string, unknown>[]> {
    try {
      return readRows(await this.connection.query(text, params.map(bound)));
    } catch (error) {
      throw sqlErrorOf(error);
    }
  }

  async execute(text: string, params: readonly SqlValue[] = []): Promise<void> {
    await this.query(text, params);
  }

  async script(text: string): Promise<void> {
    try {
      await this.connection.query(text);
    } catch (error) {
      throw sqlErrorOf(error);
    }
  }

  atomically(work: (target: MigrationTarget) => Promise<void>): Promise<void> {
    return work(this);
  }

  /**
   * Takes a lock that is named for this database and dies with this connection.
   * @returns whether it was to be had within `waitSeconds`.
   */
  async lock(purpose: string, waitSeconds: number): Promise<boolean> {
    const [row] = await this.query('SELECT GET_LOCK(?, ?) AS taken', [
      lockName(purpose, this.database),
      waitSeconds,
    ]);
    return Number(row?.['taken']) === 1;
  }

  /** Whether anybody holds one of these locks. */
  async isAnyLocked(purposes: readonly string[]): Promise<boolean> {
    const asked = purposes.map(() => 'IS_USED_LOCK(?)').join(', ');
    const names = purposes.map((purpose) => lockName(purpose, this.database));
    const [row] = await this.query(`SELECT COALESCE(${asked}) AS holder`, names);
    return row?.['holder'] != null;
  }

  async close(): Promise<void> {
    await this.connection.end().catch(() => this.connection.destroy());
  }
}

/** @throws {StartupRefusal} when the database cannot be reached. */
export async function openMysqlSession(url: string): Promise<MysqlSession> {
  const label = databaseLabel(url);
  try {
    const connection = await createConnection({ ...mariadbOptions(url), multipleStatements: true });
    // A connection that ends is noticed by whoever uses it next; unheard, the event would end the
    // process.
    connection.on('error', () => undefined);
    const [row] = await connection.query<{ name: string }[]>('SELECT DATABASE() AS name');
    return new MysqlSession(connection, label, row?.name ?? '');
  } catch (error) {
    const { message } = sqlErrorOf(error);
    throw new StartupRefusal(`The database ${label} cannot be reached: ${message}`, {
      cause: error,
    });
  }
}

/** Names of locks are one for the whole server, and 64 characters at most. */
function lockName(purpose: string, database: string): string {
  return `fastim.${purpose}.${createHash('md5').update(database).digest('hex')}`;
}
