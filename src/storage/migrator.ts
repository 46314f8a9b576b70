import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Migration } from './migration-files.ts';
import type { SqlValue } from './sql.ts';
import { StartupRefusal } from './startup-refusal.ts';

/** One connection to a database that is to be migrated. */
export interface MigrationTarget {
  readonly engine: 'mysql' | 'sqlite';
  /** For messages: which database it is. */
  readonly label: string;
  query(text: string, params?: readonly SqlValue[]): Promise<Record<string, unknown>[]>;
  execute(text: string, params?: readonly SqlValue[]): Promise<void>;
  /** Several statements. */
  script(text: string): Promise<void>;
  /** Runs `work` in one transaction where the engine's DDL has any (SQLite), else plainly. */
  atomically(work: (target: MigrationTarget) => Promise<void>): Promise<void>;
}

interface Applied {
  readonly name: string;
  readonly checksum: string;
  readonly isFinished: boolean;
}

/**
 * Brings a database's tables up to date, and keeps the books of it as `prisma migrate deploy` does,
 * so that either can go on from the other. Idempotent. The caller sees to it that one process alone
 * does so at a time. MySQL cannot undo a step that failed half-way: such a database is refused
 * until someone has looked at it.
 * @returns the names of the steps that were new.
 * @throws {StartupRefusal} where a step failed, was changed after it was applied, or is not known
 * to this version.
 */
export async function migrate(
  target: MigrationTarget,
  migrations: readonly Migration[],
  deps: { clock: Clock },
): Promise<string[]> {
  await target.script(booksTable[target.engine]);
  const applied = await readBooks(target);
  checkBooks(target, migrations, applied);
  const isApplied = new Set(applied.map(({ name }) => name));
  const fresh = migrations.filter(({ name }) => !isApplied.has(name));
  for (const migration of fresh) {
    await target.atomically((inside) => apply(inside, migration, deps.clock));
  }
  return fresh.map(({ name }) => name);
}

const booksTable = {
  mysql: `CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at DATETIME(3),
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at DATETIME(3),
    started_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;`,
  sqlite: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
);`,
};

async function readBooks(target: MigrationTarget): Promise<Applied[]> {
  const rows = await target.query(
    `SELECT migration_name, checksum, finished_at IS NULL AS unfinished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows.map((row) => ({
    name: String(row['migration_name']),
    checksum: String(row['checksum']),
    isFinished: Number(row['unfinished']) === 0,
  }));
}

function checkBooks(
  target: MigrationTarget,
  migrations: readonly Migration[],
  applied: readonly Applied[],
): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum, isFinished } of applied) {
    const of = `The database ${target.label}`;
    if (!isFinished) {
      throw new StartupRefusal(
        `${of} has the migration ${name}, which began and did not end. See its logs in _prisma_migrations, put the tables right, ` +
          `and mark it with "prisma migrate resolve".`,
      );
    }
    const migration = known.get(name);
    if (!migration) {
      throw new StartupRefusal(
        `${of} has the migration ${name}, which this version does not know: it belongs to a newer version.`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new StartupRefusal(
        `${of} has the migration ${name} as another file than this version's: it was changed after it was applied.`,
      );
    }
  }
}

async function apply(
  target: MigrationTarget,
  { name, sql, checksum }: Migration,
  clock: Clock,
): Promise<void> {
  const id = randomUUID();
  const now = (): string | number => bookTime(target, clock.now());
  await target.execute(
    'INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, applied_steps_count) VALUES (?, ?, ?, ?, 0)',
    [id, checksum, name, now()],
  );
  try {
    await target.script(sql);
  } catch (error) {
    const logs = error instanceof Error ? error.message : String(error);
    if (target.engine === 'mysql') {
      await target.execute('UPDATE _prisma_migrations SET logs = ? WHERE id = ?', [logs, id]);
    }
    throw new StartupRefusal(
      `The migration ${name} failed on the database ${target.label}: ${logs}`,
      { cause: error },
    );
  }
  await target.execute(
    'UPDATE _prisma_migrations SET finished_at = ?, applied_steps_count = 1 WHERE id = ?',
    [now(), id],
  );
}

// As Prisma stores a time: ms in SQLite, UTC in MySQL.
function bookTime(target: MigrationTarget, ms: number): string | number {
  if (target.engine === 'sqlite') return ms;
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
