import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import type { Sql } from '../../src/storage/sql.ts';
import { newTransactionNumber, SqliteSql } from '../../src/storage/sql.sqlite.ts';
import { SqliteThread } from '../../src/storage/sqlite-thread.ts';
import { Turnstile } from '../../src/storage/turnstile.ts';
import { WriterTurns } from '../../src/storage/writer-turns.ts';
import { sqlEngines, temporaryFolder } from '../support/sql-engines.ts';

const unavailable = expect.objectContaining({ name: 'Fault', code: 'UNAVAILABLE' });
const gone = expect.objectContaining({ name: 'SqlError', kind: 'connection' });

/** Busy in native code for as long as it counts; nothing but an end of the thread stops it. */
const count = (to: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) SELECT COUNT(*) AS n FROM n`;

interface Threads extends AsyncDisposable {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  readonly sql: Sql;
  readonly lost: Error[];
}

async function openThreads(
  limits: { callsMax?: number; stuckAfterMs?: number } = {},
): Promise<Threads> {
  const folder = await temporaryFolder();
  const lost: Error[] = [];
  const { callsMax = 100, stuckAfterMs = 30_000 } = limits;
  const [writer, reader] = [false, true].map(
    (isReader) =>
      new SqliteThread({
        data: { file: `${folder.path}/test.db`, isReader },
        stuckAfterMs,
        callsMax,
        onLost: (reason) => lost.push(reason),
      }),
  ) as [SqliteThread, SqliteThread];
  await writer.start();
  await reader.start();
  const turns = new WriterTurns(new Turnstile({ places: 1, waitingMax: callsMax }));
  const sql = new SqliteSql({ writer, reader, turns, timeoutMs: 500 });
  await sql.execute('CREATE TABLE Entry (number INTEGER PRIMARY KEY, word TEXT)');
  return {
    writer,
    reader,
    sql,
    lost,
    async [Symbol.asyncDispose]() {
      // As long as what the slowest test has it do: a thread in native code is not ended from outside.
      await reader.stop(25_000);
      await writer.stop(25_000);
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('SQLite in threads', () => {
  test('reads go on beside a transaction that is open, and see nothing of it', async () => {
    await using threads = await openThreads();
    const { sql } = threads;
    await sql.transaction(async (tx) => {
      await tx.execute('INSERT INTO Entry VALUES (1, ?)', ['a']);
      expect(await sql.query('SELECT * FROM Entry')).toEqual([]);
    });
    expect(await sql.query('SELECT * FROM Entry')).toEqual([{ number: 1n, word: 'a' }]);
  });

  test('the reader writes nothing', async () => {
    await using threads = await openThreads();
    await expect(threads.sql.query('INSERT INTO Entry VALUES (1, 2) RETURNING 1')).rejects.toThrow(
      /readonly/,
    );
  });

  test('a writer beyond the limit is told to come back, and those before it are served in order', async () => {
    await using threads = await openThreads({ callsMax: 5 });
    const { sql } = threads;
    const order: number[] = [];
    const writes = Array.from({ length: 8 }, (_, number) =>
      sql.transaction(async (tx) => {
        await tx.execute('INSERT INTO Entry VALUES (?, NULL)', [number]);
        order.push(number);
      }),
    );
    const ended = await Promise.allSettled(writes);
    // One inside, five waiting.
    expect(ended.map((end) => end.status)).toEqual([
      ...new Array<string>(6).fill('fulfilled'),
      ...new Array<string>(2).fill('rejected'),
    ]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    const [refused] = ended.filter((end) => end.status === 'rejected');
    expect(refused?.reason).toEqual(unavailable);
    expect(refused?.reason).toHaveProperty('retryAfterMs', expect.any(Number));
    await sql.execute('INSERT INTO Entry VALUES (100, NULL)');
  });

  test('a reader beyond the limit is told to come back', async () => {
    await using threads = await openThreads({ callsMax: 5 });
    const reads = Array.from({ length: 7 }, () => threads.sql.query('SELECT 1 AS one'));
    const ended = await Promise.allSettled(reads);
    expect(ended.filter((end) => end.status === 'rejected').map((end) => end.reason)).toEqual([
      unavailable,
      unavailable,
    ]);
  });

  test('a statement in native code does not hold up the event loop', async () => {
    await using threads = await openThreads();
    await threads.sql.query(count(10));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    await threads.sql.query(count(3_000_000));
    clearInterval(timer);
    delay.disable();
    expect(turns).toBeGreaterThan(5);
  });

  test('work that does not end is rolled back, and the next one gets in', async () => {
    await using threads = await openThreads();
    const { sql } = threads;
    let late: Promise<unknown> | undefined;
    const endless = sql.transaction(async (tx) => {
      await tx.execute('INSERT INTO Entry VALUES (1, NULL)');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      late = tx.execute('INSERT INTO Entry VALUES (2, NULL)');
      await late;
    });
    await expect(endless).rejects.toThrow(/has not ended in 500 ms/);
    await sql.execute('INSERT INTO Entry VALUES (3, NULL)');
    await expect.poll(() => late !== undefined, { timeout: 5_000 }).toBe(true);
    await expect(late).rejects.toThrow('the transaction has ended');
    expect(await sql.query('SELECT number FROM Entry')).toEqual([{ number: 3n }]);
  });

  test('a transaction that fails at its end does not touch the one that was let in behind it', async () => {
    await using threads = await openThreads();
    const { sql } = threads;
    await sql.execute('INSERT INTO Entry VALUES (1, NULL)');
    const row = (number: number) => ({ text: `INSERT INTO Entry VALUES (${number}, NULL)` });
    const failing = sql.transaction((tx) => tx.finish([row(2), row(1)]));
    const next = sql.transaction(async (tx) => {
      await tx.execute(row(3).text);
      await failing.catch(() => undefined);
      // What the failed one asks for last has been asked.
      await new Promise((resolve) => setTimeout(resolve, 50));
      await tx.finish([row(4)]);
    });
    await expect(failing).rejects.toMatchObject({ kind: 'unique' });
    await next;
    expect(await sql.query('SELECT number FROM Entry')).toEqual(
      [1n, 3n, 4n].map((number) => ({ number })),
    );
  });

  test('who sends an end after a failure lets in nobody before it is rolled back', async () => {
    await using threads = await openThreads();
    const { sql } = threads;
    await sql.execute('INSERT INTO Entry VALUES (1, NULL)');
    const failing = sql.transaction(async (tx) => {
      await tx.execute('INSERT INTO Entry VALUES (1, NULL)').catch(() => undefined);
      await tx.finish([{ text: 'INSERT INTO Entry VALUES (2, NULL)' }]);
    });
    const next = sql.execute('INSERT INTO Entry VALUES (3, NULL)');
    await expect(failing).rejects.toMatchObject({ kind: 'unique' });
    await next;
    expect(await sql.query('SELECT number FROM Entry')).toEqual(
      [1n, 3n].map((number) => ({ number })),
    );
  });

  test('a thread that dies rejects what waits, is reported once, and stays away', async () => {
    await using threads = await openThreads();
    const { sql, writer, lost } = threads;
    await sql.execute('INSERT INTO Entry VALUES (0, NULL)');
    const waiting = [
      // No task at all: an error that the thread does not catch.
      writer.call(null as never, newTransactionNumber()),
      sql.execute('INSERT INTO Entry VALUES (1, NULL)'),
      sql.transaction((tx) => tx.execute('INSERT INTO Entry VALUES (2, NULL)')),
    ];
    const ended = await Promise.allSettled(waiting);
    for (const end of ended) expect(end).toEqual({ status: 'rejected', reason: gone });
    expect(lost).toEqual([gone]);
    await expect(sql.execute('INSERT INTO Entry VALUES (4, NULL)')).rejects.toEqual(gone);
    // Reads have a thread of their own.
    expect(await sql.query('SELECT number FROM Entry')).toEqual([{ number: 0n }]);
  });

  test('a thread that is stuck rejects what waits and is reported', async () => {
    await using threads = await openThreads({ stuckAfterMs: 400 });
    await expect(threads.sql.query(count(20_000_000))).rejects.toMatchObject({
      kind: 'connection',
    });
    expect(threads.lost).toEqual([expect.objectContaining({ kind: 'connection' })]);
    expect(threads.lost[0]?.message).toMatch(/has not answered for 400 ms/);
  });

  test('a thread that is stuck for ever does not keep its process from ending', async () => {
    await using folder = await temporaryFolder();
    const script = fileURLToPath(new URL('../support/stuck-thread.ts', import.meta.url));
    const args = ['--import', 'tsx', script, `${folder.path}/test.db`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const late = setTimeout(() => child.kill('SIGTERM'), 25_000);
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    clearTimeout(late);
    child.kill('SIGKILL');
    expect(told).toMatch(/has not answered for 400 ms/);
    expect([code, signal]).toEqual([null, 'SIGKILL']);
  });

  test('a stop in the middle of a transaction rolls it back and closes the file', async () => {
    await using threads = await openThreads();
    const { sql, writer, reader } = threads;
    const work = sql.transaction(async (tx) => {
      await tx.execute('INSERT INTO Entry VALUES (1, NULL)');
      await writer.stop(5_000);
      await tx.execute('INSERT INTO Entry VALUES (2, NULL)');
    });
    await expect(work).rejects.toEqual(gone);
    expect(await reader.call({ kind: 'query', text: 'SELECT * FROM Entry', params: [] })).toEqual(
      [],
    );
    expect(threads.lost).toEqual([]);
  });

  test('ends with its process: what was committed is in the file after a stop', async () => {
    const sqlite = present(sqlEngines[0], 'an engine');
    const opened = await sqlite.open();
    await opened.shards
      .ofSlot(0)
      .sql.execute('INSERT INTO MessageChange (conversationId, changeSeq, seq) VALUES (1, 1, 1)');
    await opened[Symbol.asyncDispose]();
    await expect(async () => opened.shards.all).rejects.toThrow('the shards are started');
  });

  test('text with a zero byte is refused, since SQLite would cut it', async () => {
    await using threads = await openThreads();
    await expect(threads.sql.execute('INSERT INTO Entry VALUES (1, ?)', ['a\0b'])).rejects.toThrow(
      /zero byte/,
    );
  });
});
