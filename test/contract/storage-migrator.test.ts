import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMigrations, type Migration } from '../../src/storage/migration-files.ts';
import { migrate, type MigrationTarget } from '../../src/storage/migrator.ts';
import { openMysqlSession } from '../../src/storage/mysql-session.ts';
import { sqliteMigrationTarget } from '../../src/storage/shards.sqlite.ts';
import { rowMarks } from '../../src/storage/sql.ts';
import { SqliteThread } from '../../src/storage/sqlite-thread.ts';
import { createMariadbDatabase, mariadbAvailable } from '../support/machine.ts';
import { defaultDeps, temporaryFolder } from '../support/sql-engines.ts';

const now = Date.UTC(2026, 1, 3, 4, 5, 6, 789);
const clock = { now: () => now };

function step(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

const first = step(
  '20260101000000_first',
  '-- Two statements.\nCREATE TABLE A (id BIGINT NOT NULL PRIMARY KEY);\nCREATE TABLE B (id BIGINT);\n',
);
const second = step('20260102000000_second', 'ALTER TABLE B ADD COLUMN more INT;');
const broken = step(
  '20260103000000_broken',
  'CREATE TABLE C (id INT);\nINSERT INTO NoTable VALUES (1);',
);

const refusal = (words: RegExp) =>
  expect.objectContaining({ name: 'StartupRefusal', message: expect.stringMatching(words) });

interface Opened {
  readonly target: MigrationTarget;
  close(): Promise<void>;
}

async function openSqlite(): Promise<Opened> {
  const folder = await temporaryFolder();
  const file = `${folder.path}/test.db`;
  const thread = new SqliteThread({
    data: { file, isReader: false },
    stuckAfterMs: 30_000,
    callsMax: 100,
    onLost: defaultDeps.onLost,
  });
  await thread.start();
  return {
    target: sqliteMigrationTarget(thread, file),
    async close() {
      await thread.stop(1_000);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function openMysql(): Promise<Opened> {
  const session = await openMysqlSession(await createMariadbDatabase());
  return { target: session, close: () => session.close() };
}

const engines = [
  { name: 'sqlite', isHere: () => true, open: openSqlite },
  { name: 'mysql', isHere: mariadbAvailable, open: openMysql },
] as const;

test('the migrations of both engines have the same names, and are read in order', async () => {
  const [mysql, sqlite] = [await readMigrations('mysql'), await readMigrations('sqlite')];
  expect(mysql.map(({ name }) => name)).toEqual(sqlite.map(({ name }) => name));
  expect(mysql.map(({ name }) => name)).toEqual(mysql.map(({ name }) => name).sort());
  expect(mysql.length).toBeGreaterThan(0);
});

for (const engine of engines) {
  describe.skipIf(!engine.isHere())(`migrations on ${engine.name}`, () => {
    let opened: Opened;
    let target: MigrationTarget;
    beforeEach(async () => {
      opened = await engine.open();
      target = opened.target;
    });
    afterEach(() => opened?.close());
    const run = (...migrations: Migration[]) => migrate(target, migrations, { clock });

    test('are applied once, in order, and booked as Prisma does', async () => {
      expect(await run(first)).toEqual([first.name]);
      expect(await run(first)).toEqual([]);
      expect(await run(first, second)).toEqual([second.name]);
      await target.execute('INSERT INTO B (id, more) VALUES (1, 2)');
      const rows = await target.query('SELECT * FROM _prisma_migrations ORDER BY migration_name');
      expect(rows.map((row) => row['migration_name'])).toEqual([first.name, second.name]);
      const [book] = rows;
      expect(book).toMatchObject({ checksum: first.checksum, logs: null, rolled_back_at: null });
      expect(Number(book?.['applied_steps_count'])).toBe(1);
      expect(book?.['id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
      if (engine.name === 'sqlite') expect(Number(book?.['finished_at'])).toBe(now);
      else {
        const [{ at } = {}] = await target.query(
          'SELECT CAST(finished_at AS CHAR) AS at FROM _prisma_migrations LIMIT 1',
        );
        expect(at).toBe('2026-02-03 04:05:06.789');
      }
    });

    test('that were changed after they were applied are refused', async () => {
      await run(first);
      await expect(run(step(first.name, `${first.sql} `), second)).rejects.toEqual(
        refusal(/20260101000000_first as another file/),
      );
      await expect(target.query('SELECT more FROM B')).rejects.toThrow();
    });

    test('of a newer version are refused', async () => {
      await run(first, second);
      await expect(run(first)).rejects.toEqual(
        refusal(/does not know: it belongs to a newer version/),
      );
    });

    test('keep the inbox entries of earlier versions, and take such as name neither count nor kind', async () => {
      const all = await readMigrations(engine.name);
      await run(...all.filter(({ name }) => name < '20261126030000'));
      await target.execute(
        `INSERT INTO InboxEntry (userId, lastOffset, count, kind, conversationId, position, seq, atMs) VALUES ${rowMarks(2, 8)}`,
        [...[1, 1, 1, 0, 9, 4, null, 7], ...[1, 2, 1, 1, 9, 6, 5, 8]],
      );
      await run(...all);
      await target.execute(
        `INSERT INTO InboxEntry (userId, lastOffset, conversationId, position, atMs) VALUES ${rowMarks(1, 5)}`,
        [1, 3, 9, 5, 9],
      );
      const rows = await target.query(
        'SELECT userId, lastOffset, count, kind, conversationId, position, seq, subjectId, atMs FROM InboxEntry ORDER BY lastOffset',
      );
      const numbers = rows.map((row) =>
        Object.values(row).map((value) => (value === null ? null : Number(value))),
      );
      expect(numbers).toEqual([
        [1, 1, 1, 0, 9, 4, null, null, 7],
        [1, 2, 1, 1, 9, 6, 5, null, 8],
        [1, 3, null, null, 9, 5, null, null, 9],
      ]);
    });

    test('that fail are refused, and leave what their engine cannot undo', async () => {
      await expect(run(first, broken, second)).rejects.toEqual(
        refusal(/20260103000000_broken failed/),
      );
      if (engine.name === 'sqlite') {
        await expect(target.query('SELECT * FROM C')).rejects.toThrow();
        expect(await run(first, second)).toEqual([second.name]);
        return;
      }
      const [book] = await target.query(
        'SELECT * FROM _prisma_migrations WHERE finished_at IS NULL',
      );
      expect(book).toMatchObject({ migration_name: broken.name });
      expect(book?.['logs']).toMatch(/NoTable/);
      await expect(run(first, broken)).rejects.toEqual(refusal(/which began and did not end/));
      // As "prisma migrate resolve --rolled-back" does, after the tables were put right.
      await target.execute(
        'UPDATE _prisma_migrations SET rolled_back_at = NOW(3) WHERE finished_at IS NULL',
      );
      expect(await run(first, second)).toEqual([second.name]);
    });
  });
}
