import path from 'node:path';
import Database from 'libsql';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { StartupRefusal } from './startup-refusal.ts';

/**
 * Lets one process alone use a data folder: a small database file in it, held in an open exclusive
 * transaction. The operating system lets go of it when the process dies, however it dies, so a
 * restart waits for nothing.
 */
export class SqliteNodeLock implements Lifecycle {
  readonly #dataDir: string;
  #database: Database.Database | null = null;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** @throws {StartupRefusal} when another process holds it, or it cannot be held. */
  start(): Promise<void> {
    const file = path.join(this.#dataDir, 'lock.db');
    let database: Database.Database | undefined;
    try {
      database = new Database(file);
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database?.close();
      const message = isBusy(error)
        ? `Another FastIM process uses the data folder ${this.#dataDir}: stop it first, or set DATA_DIR.`
        : `The file ${file} cannot be locked: ${String(error)}. May this user write to it, and is it on a local disk that has room?`;
      return Promise.reject(new StartupRefusal(message, { cause: error }));
    }
    this.#database = database;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#database?.close();
    this.#database = null;
    return Promise.resolve();
  }
}

const busyCode = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && ((error.rawCode ?? 0) & 0xff) === busyCode;
}
