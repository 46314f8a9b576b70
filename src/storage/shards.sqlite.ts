import { access, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { startInOrder } from '../lib/lifecycle.ts';
import type { PrismaClient } from './generated/mysql/client.ts';
import { PrismaClient as SqlitePrismaClient } from './generated/sqlite/client.ts';
import { readMigrations } from './migration-files.ts';
import { migrate, type MigrationTarget } from './migrator.ts';
import { SqliteNodeLock } from './node-lock.sqlite.ts';
import { proveShards } from './shard-facts.ts';
import type { OpenOptions, OpenShards } from './shard.ts';
import { newTransactionNumber, SqliteSql } from './sql.sqlite.ts';
import { sqliteAdapter } from './sqlite-adapter.ts';
import { SqliteThread } from './sqlite-thread.ts';
import { StartupRefusal } from './startup-refusal.ts';
import { Turnstile } from './turnstile.ts';
import { WriterTurns } from './writer-turns.ts';

/** In the data folder. */
export const databaseFile = 'fastim.db';
/** A task that takes longer than this is none of ours. */
const stuckAfterMs = 30_000;
/** How long the work of a transaction may take, in ms. */
const timeoutMs = 10_000;

/**
 * The one shard of an embedded server: a file in the data folder, a thread that writes and one that
 * reads.
 */
export async function openSqliteShard(dataDir: string, options: OpenOptions): Promise<OpenShards> {
  await makeFolder(dataDir);
  const file = path.join(dataDir, databaseFile);
  const { callsMax, onLost } = options;
  const lock = new SqliteNodeLock(dataDir);
  const writer = new SqliteThread({
    data: { file, isReader: false },
    stuckAfterMs,
    callsMax,
    onLost,
  });
  const reader = new SqliteThread({
    data: { file, isReader: true },
    stuckAfterMs,
    callsMax,
    onLost,
  });
  const turns = new WriterTurns(new Turnstile({ places: 1, waitingMax: callsMax }));
  const prisma = new SqlitePrismaClient({ adapter: sqliteAdapter({ writer, reader, turns }) });

  const threads = {
    async start(): Promise<void> {
      const started = await Promise.allSettled([writer.start(), reader.start()]);
      const failed = started.find((one) => one.status === 'rejected');
      if (!failed) return;
      await threads.stop(0);
      const cause: unknown = failed.reason;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StartupRefusal(`The database ${file} cannot be opened: ${why}`, { cause });
    },
    // The writer goes last: the last connection to close takes the log into the file.
    async stop(graceMs: number): Promise<void> {
      await reader.stop(graceMs);
      await writer.stop(graceMs);
    },
  };
  const tables = {
    async start(): Promise<void> {
      const target = sqliteMigrationTarget(writer, file);
      await migrate(target, await readMigrations('sqlite'), { clock: options.clock });
      await proveShards([target], options.map);
    },
    stop: () => Promise.resolve(),
  };
  const stop = await startInOrder([
    lock,
    threads,
    tables,
    { start: () => Promise.resolve(), stop: () => prisma.$disconnect() },
  ]);
  // The two generated clients differ only in what one engine has beyond the other (Shard.prisma
  // says: keep to what both know).
  const shared = prisma as object as PrismaClient;
  return {
    all: [{ index: 0, sql: new SqliteSql({ writer, reader, turns, timeoutMs }), prisma: shared }],
    stop,
  };
}

/** @throws {StartupRefusal} where it cannot be made, or not be written to. */
async function makeFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The data folder ${dataDir} cannot be used: ${why}. Set DATA_DIR to one that this user may write to.`;
    throw new StartupRefusal(message, { cause: error });
  }
}

/** The writer's connection, for what must be done before anybody else uses it. */
export function sqliteMigrationTarget(
  writer: SqliteThread,
  file: string,
  transaction: number | null = null,
): MigrationTarget {
  return {
    engine: 'sqlite',
    label: file,
    query: (text, params = []) => writer.call({ kind: 'query', text, params }, transaction),
    async execute(text, params = []) {
      await writer.call({ kind: 'execute', statements: [{ text, params }] }, transaction);
    },
    async script(script) {
      await writer.call({ kind: 'script', script }, transaction);
    },
    async atomically(work) {
      const number = newTransactionNumber();
      try {
        await work(sqliteMigrationTarget(writer, file, number));
        await writer.call({ kind: 'commit' }, number);
      } catch (error) {
        await writer.call({ kind: 'rollback' }, number);
        throw error;
      }
    },
  };
}
