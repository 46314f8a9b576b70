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

  /** @throws {StartupRefusal} when another process holds it. */
  start(): Promise<void> {
    const database = new Database(path.join(this.#dataDir, 'lock.db'));
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      const message = `Another FastIM process uses the data folder ${this.#dataDir}: stop it first, or set DATA_DIR.`;
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
