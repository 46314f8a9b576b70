import { readdirSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import { mariadbOptions } from '../../src/storage/mariadb-options.ts';
import type { Sql } from '../../src/storage/sql.ts';
import { MariadbSql, type MariadbSqlOptions } from '../../src/storage/sql.mariadb.ts';
import { mariadbAvailable } from '../support/machine.ts';
import { startMariadb, type TestMariadb } from '../support/mariadb.ts';

const failure = (kind: string) => expect.objectContaining({ name: 'SqlError', kind });

// These stop and freeze their server, so they have one of their own.
describe.skipIf(!mariadbAvailable())('MariaDB that fails', () => {
  let server: TestMariadb;
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(() => server?.stop());

  interface Opened extends AsyncDisposable {
    readonly sql: Sql;
    readonly url: string;
  }
  async function open(options: Partial<MariadbSqlOptions> = {}): Promise<Opened> {
    const url = await server.createDatabase();
    const sql = new MariadbSql({
      connection: mariadbOptions(url),
      readersMax: 4,
      writersMax: 4,
      callsMax: 50,
      timeoutMs: 5_000,
      ...options,
    });
    await sql.start();
    await sql.execute('CREATE TABLE Entry (number INT NOT NULL PRIMARY KEY, value INT NOT NULL)');
    await sql.execute('INSERT INTO Entry VALUES (1, 0), (2, 0)');
    return { sql, url, [Symbol.asyncDispose]: () => sql.stop() };
  }

  const bump = (number: number) => ({
    text: 'UPDATE Entry SET value = value + 1 WHERE number = ?',
    params: [number],
  });

  test('sessions are strict and READ COMMITTED, whatever the server is set to', async () => {
    await using opened = await open();
    const { sql } = opened;
    await expect(sql.execute("INSERT INTO Entry VALUES ('x', 1)")).rejects.toEqual(
      failure('other'),
    );
    expect(
      await sql.transaction(async (tx) => {
        await tx.query('SELECT * FROM Entry');
        await sql.execute('INSERT INTO Entry VALUES (3, 0)');
        return (await tx.query('SELECT * FROM Entry')).length;
      }),
    ).toBe(3);
  });

  test('a deadlock chooses one, says so, and lets the other through', async () => {
    await using opened = await open();
    const { sql } = opened;
    let meet: () => void = () => undefined;
    let arrived = 0;
    const both = new Promise<void>((resolve) => (meet = resolve));
    const cross = (first: number, second: number) =>
      sql.transaction(async (tx) => {
        await tx.pipeline([bump(first)]);
        arrived += 1;
        if (arrived === 2) meet();
        await both;
        await tx.pipeline([bump(second)]);
      });
    const ended = await Promise.allSettled([cross(1, 2), cross(2, 1)]);
    expect(ended.filter((end) => end.status === 'rejected').map((end) => end.reason)).toEqual([
      failure('deadlock'),
    ]);
    expect(await sql.query('SELECT value FROM Entry')).toEqual([{ value: 1 }, { value: 1 }]);
  });

  test('of a pipeline in which a deadlock strikes nothing is left, nor of what finishes with one', async () => {
    for (const last of ['pipeline', 'finish'] as const) {
      await using opened = await open();
      const { sql } = opened;
      let meet: () => void = () => undefined;
      let arrived = 0;
      const both = new Promise<void>((resolve) => (meet = resolve));
      const cross = (first: number, second: number, added: number) =>
        sql.transaction(async (tx) => {
          await tx.pipeline([bump(first)]);
          arrived += 1;
          if (arrived === 2) meet();
          await both;
          const insert = { text: 'INSERT INTO Entry VALUES (?, 7)', params: [added] };
          await tx[last]([bump(second), insert]);
        });
      const ended = await Promise.allSettled([cross(1, 2, 10), cross(2, 1, 20)]);
      expect(ended.filter((end) => end.status === 'rejected')).toHaveLength(1);
      expect(await sql.query('SELECT value FROM Entry')).toEqual([
        { value: 1 },
        { value: 1 },
        { value: 7 },
      ]);
    }
  });

  test('a lock that is held too long is given up in 2 s, and a skipped row is passed over at once', async () => {
    await using opened = await open();
    const { sql } = opened;
    await sql.transaction(async (tx) => {
      await tx.pipeline([bump(1)]);
      const skipped = await sql.transaction((other) =>
        other.query(`SELECT number FROM Entry ORDER BY number${sql.dialect.forUpdateSkipLocked}`),
      );
      expect(skipped).toEqual([{ number: 2 }]);
      await expect(sql.execute(bump(1).text, bump(1).params)).rejects.toEqual(
        failure('lockTimeout'),
      );
    });
    expect(await sql.query('SELECT value FROM Entry WHERE number = 1')).toEqual([{ value: 1 }]);
  });

  test('a pipeline whose first statement fails commits none of the later ones', async () => {
    await using opened = await open();
    const { sql } = opened;
    const work = sql.transaction((tx) =>
      tx.pipeline([{ text: 'INSERT INTO Entry VALUES (1, 1)' }, bump(2)]),
    );
    await expect(work).rejects.toEqual(failure('unique'));
    expect(await sql.query('SELECT value FROM Entry WHERE number = 2')).toEqual([{ value: 0 }]);
  });

  test('what fails says which statement it was, and none of its values', async () => {
    await using opened = await open();
    const { sql } = opened;
    const text = 'INSERT INTO Absent (word) VALUES (?)';
    const row = { table: 'Absent', columns: ['word'], rows: [['secret']], tail: '' };
    const failed = [
      sql.query('SELECT ? FROM Absent', ['secret']),
      sql.execute(text, ['secret']),
      sql.transaction((tx) => tx.finish([{ text, params: ['secret'] }])),
      sql.transaction((tx) => tx.finish([row])),
    ];
    for (const ended of await Promise.allSettled(failed)) {
      const { reason } = ended as PromiseRejectedResult;
      expect(reason).toEqual(failure('other'));
      const told = inspect(reason);
      expect(told).toMatch(/FROM Absent|INSERT INTO Absent/);
      expect(told).not.toContain('secret');
      expect(told).not.toContain(Buffer.from('secret').toString('hex'));
    }
  });

  test('writers beyond the limit are told to come back', async () => {
    await using opened = await open({ writersMax: 1, callsMax: 2 });
    const ended = await Promise.allSettled(
      Array.from({ length: 5 }, () => opened.sql.execute(bump(1).text, bump(1).params)),
    );
    const refused = ended.filter((end) => end.status === 'rejected').map((end) => end.reason);
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ name: 'Fault', code: 'UNAVAILABLE' });
    expect(await opened.sql.query('SELECT value FROM Entry WHERE number = 1')).toEqual([
      { value: 3 },
    ]);
  });

  test('a connection that is killed fails its transaction alone, and is replaced', async () => {
    await using opened = await open({ writersMax: 1 });
    const { sql } = opened;
    const work = sql.transaction(async (tx) => {
      const [row] = await tx.query<{ id: bigint }>('SELECT CONNECTION_ID() AS id');
      await tx.pipeline([bump(1)]);
      await sql.query(`KILL ${present(row, 'a row').id}`);
      await tx.pipeline([bump(2)]);
    });
    await expect(work).rejects.toEqual(failure('connection'));
    await sql.execute(bump(2).text, bump(2).params);
    expect(await sql.query('SELECT value FROM Entry')).toEqual([{ value: 0 }, { value: 1 }]);
  });

  test('a server that does not answer is given up in time, and used again when it does', async () => {
    await using opened = await open({ timeoutMs: 500 });
    const { sql } = opened;
    process.kill(server.pid, 'SIGSTOP');
    // The signal is only sent so far: a thread of it may still answer.
    await vi.waitUntil(() => isStopped(server.pid));
    try {
      const begun = process.hrtime.bigint();
      await expect(sql.query('SELECT 1 AS one')).rejects.toEqual(failure('connection'));
      await expect(sql.execute(bump(1).text, bump(1).params)).rejects.toEqual(
        failure('connection'),
      );
      expect(Number(process.hrtime.bigint() - begun) / 1e6).toBeLessThan(4_000);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await expect
      .poll(() => sql.query('SELECT 1 AS one').catch(() => null), { timeout: 15_000 })
      .toEqual([{ one: 1n }]);
  });

  test('a server that is killed and comes back has all that was acknowledged', async () => {
    await using opened = await open();
    const { sql } = opened;
    let acknowledged = 0;
    let isRunning = true;
    const writing = (async () => {
      while (isRunning) {
        try {
          await sql.transaction((tx) => tx.pipeline([bump(1), bump(2)]));
          acknowledged += 1;
        } catch (error) {
          expect(error).toEqual(failure('connection'));
          isRunning = false;
        }
      }
    })();
    await expect.poll(() => acknowledged).toBeGreaterThan(20);
    await server.kill9();
    await writing;
    await expect(sql.query('SELECT 1 AS one')).rejects.toEqual(failure('connection'));
    await server.start();
    const read = () => sql.query<{ value: number }>('SELECT value FROM Entry').catch(() => []);
    await expect.poll(async () => (await read()).length, { timeout: 20_000 }).toBe(2);
    const [first, second] = await read();
    expect(first).toEqual(second);
    expect(first?.value).toBeGreaterThanOrEqual(acknowledged);
    expect(first?.value).toBeLessThanOrEqual(acknowledged + 1);
    await sql.execute(bump(1).text, bump(1).params);
  });
});

/** Whether every thread of a process stands still. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').includes(') T '),
  );
}
