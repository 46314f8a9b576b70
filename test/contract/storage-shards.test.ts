import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { createConnection } from 'mariadb';
import { afterEach, describe, expect, test } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import { Shards, type ShardsConfig } from '../../src/storage/shards.ts';
import type { SlotRange } from '../../src/storage/slot-map.ts';
import { createMariadbDatabase, mariadbAvailable } from '../support/machine.ts';
import { defaultDeps, temporaryFolder } from '../support/sql-engines.ts';

const opened: Shards[] = [];
afterEach(async () => {
  for (const shards of opened.splice(0)) await shards.stop(1_000);
});

async function open(config: ShardsConfig): Promise<Shards> {
  const shards = new Shards(config, defaultDeps);
  await shards.start();
  opened.push(shards);
  return shards;
}

/** Opens and closes again. */
async function run(config: ShardsConfig): Promise<void> {
  const shards = new Shards(config, defaultDeps);
  await shards.start();
  await shards.stop(1_000);
}

const refusal = (words: RegExp) =>
  expect.objectContaining({ name: 'StartupRefusal', message: expect.stringMatching(words) });

const mysql = (
  urls: readonly string[],
  more: { slotMap?: readonly SlotRange[] } = {},
): ShardsConfig => ({
  kind: 'mysql',
  urls,
  joinedBy: 'redis',
  ...more,
});

async function statement<Row>(url: string, text: string): Promise<Row[]> {
  const { hostname, port, username, pathname } = new URL(url);
  const connection = await createConnection({
    host: hostname,
    port: Number(port),
    user: username,
    database: pathname.slice(1),
  });
  return connection.query<Row[]>(text).finally(() => connection.end());
}

/** Ends the connection that has a lock of the database. */
async function killHolder(url: string, lock: 'node' | 'seat1'): Promise<void> {
  const database = createHash('md5').update(new URL(url).pathname.slice(1)).digest('hex');
  const holder = `SELECT IS_USED_LOCK('fastim.${lock}.${database}') AS id`;
  const [row] = await statement<{ id: bigint }>(url, holder);
  await statement(url, `KILL ${present(row, 'a lock that is used').id}`);
}

describe('a data folder', () => {
  test('is made for its owner alone, and keeps what was written', async () => {
    await using folder = await temporaryFolder();
    const dataDir = path.join(folder.path, 'deep', 'data');
    const first = new Shards({ kind: 'sqlite', dataDir }, defaultDeps);
    await first.start();
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    await first
      .of(5n)
      .sql.execute('INSERT INTO ToldRead (conversationId, userId, readSeq) VALUES (5, 6, 7)');
    await first.stop(1_000);
    const second = await open({ kind: 'sqlite', dataDir });
    expect(await second.ofSlot(5).sql.query('SELECT readSeq FROM ToldRead')).toEqual([
      { readSeq: 7 },
    ]);
  });

  test('is there for one process', async () => {
    await using folder = await temporaryFolder();
    await open({ kind: 'sqlite', dataDir: folder.path });
    await expect(run({ kind: 'sqlite', dataDir: folder.path })).rejects.toEqual(
      refusal(/Another FastIM process uses the data folder/),
    );
  });

  test('is free again when its process has stopped', async () => {
    await using folder = await temporaryFolder();
    await run({ kind: 'sqlite', dataDir: folder.path });
    await run({ kind: 'sqlite', dataDir: folder.path });
  });
});

describe.skipIf(!mariadbAvailable())('shards in MariaDB', () => {
  test('own equal ranges of slots, in order, and go on after a restart', async () => {
    const urls = await Promise.all([1, 2, 3].map(createMariadbDatabase));
    await run(mysql(urls));
    const shards = await open(mysql(urls));
    expect(shards.all.map((shard) => shard.index)).toEqual([0, 1, 2]);
    expect([0, 341, 342, 682, 683, 1023].map((slot) => shards.ofSlot(slot).index)).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
    expect(shards.of((77n << 10n) | 700n).index).toBe(2);
    await shards
      .ofSlot(0)
      .sql.execute('INSERT INTO ToldRead (conversationId, userId, readSeq) VALUES (1, 1, 1)');
    expect(await shards.ofSlot(500).sql.query('SELECT * FROM ToldRead')).toEqual([]);
  });

  test('follow the map that they are given, however it is written', async () => {
    const urls = await Promise.all([1, 2].map(createMariadbDatabase));
    const slotMap = [
      { first: 0, last: 99, shard: 1 },
      { first: 100, last: 1023, shard: 0 },
    ];
    const shards = new Shards(mysql(urls, { slotMap }), defaultDeps);
    await shards.start();
    expect([shards.ofSlot(99).index, shards.ofSlot(100).index]).toEqual([1, 0]);
    await shards.stop(0);
    const halves = [
      { first: 500, last: 1023, shard: 0 },
      { first: 100, last: 499, shard: 0 },
      { first: 0, last: 99, shard: 1 },
    ];
    await run(mysql(urls, { slotMap: halves }));
  });

  test('refuse another map, another order, and another number', async () => {
    const urls = await Promise.all([1, 2].map(createMariadbDatabase));
    await run(mysql(urls));
    const slotMap = [
      { first: 0, last: 512, shard: 0 },
      { first: 513, last: 1023, shard: 1 },
    ];
    await expect(run(mysql(urls, { slotMap }))).rejects.toEqual(refusal(/slot map 0-511=0/));
    await expect(run(mysql([...urls].reverse()))).rejects.toEqual(
      refusal(/is shard 1, but stands in place 0/),
    );
    await expect(run(mysql(urls.slice(0, 1)))).rejects.toEqual(refusal(/a cluster of 2 shards/));
    await run(mysql(urls));
  });

  test('refuse one database under two names', async () => {
    const url = await createMariadbDatabase();
    const twin = new URL(url);
    twin.hostname = 'localhost';
    await expect(run(mysql([url, twin.href]))).rejects.toEqual(refusal(/are the same database/));
    // Nothing was written by that.
    await run(mysql([url]));
  });

  test('refuse a blank database beside old ones, and one of another cluster', async () => {
    const [old, other, blank] = await Promise.all([1, 2, 3].map(createMariadbDatabase));
    const urls = [present(old, 'url'), present(other, 'url')];
    await run(mysql(urls));
    await expect(run(mysql([urls[0] ?? '', blank ?? '']))).rejects.toEqual(
      refusal(/is blank, but the others hold/),
    );
    const strangers = await Promise.all([1, 2].map(createMariadbDatabase));
    await run(mysql(strangers));
    await expect(run(mysql([urls[0] ?? '', strangers[1] ?? '']))).rejects.toEqual(
      refusal(/another cluster/),
    );
  });

  test('take up a forming that broke off', async () => {
    const urls = await Promise.all([1, 2].map(createMariadbDatabase));
    await run(mysql(urls));
    // As after a crash between the first and the second database.
    await statement(
      urls[0] ?? '',
      `UPDATE ShardFact SET value = REPLACE(value, '"isFormed":true', '"isFormed":false')`,
    );
    await statement(urls[1] ?? '', 'DELETE FROM ShardFact');
    await run(mysql(urls));
    await statement(urls[1] ?? '', 'DELETE FROM ShardFact');
    await expect(run(mysql(urls))).rejects.toEqual(refusal(/is blank/));
  });

  test('are formed once by nodes that start at the same time', async () => {
    const urls = await Promise.all([1, 2].map(createMariadbDatabase));
    const nodes = await Promise.all([1, 2, 3].map(() => open(mysql(urls))));
    const clusters = await Promise.all(
      nodes.flatMap((node) =>
        node.all.map(async ({ sql }) => {
          const [row] = await sql.query<{ value: string }>(
            "SELECT value FROM ShardFact WHERE name = 'shard'",
          );
          return (JSON.parse(row?.value ?? '{}') as { cluster: string }).cluster;
        }),
      ),
    );
    expect(new Set(clusters).size).toBe(1);
    const [count] = await present(nodes[0]?.all[0], 'a shard').sql.query(
      'SELECT COUNT(*) AS n FROM _prisma_migrations',
    );
    const [steps] = await present(nodes[0]?.all[0], 'a shard').sql.query(
      'SELECT COUNT(DISTINCT migration_name) AS n FROM _prisma_migrations',
    );
    expect(count).toEqual(steps);
  });

  test('are there for one process where there is to be one node', async () => {
    const urls = await Promise.all([1, 2].map(createMariadbDatabase));
    const first = new Shards({ kind: 'mysql', urls, joinedBy: null }, defaultDeps);
    await first.start();
    await expect(run({ kind: 'mysql', urls, joinedBy: null })).rejects.toEqual(
      refusal(/Another FastIM process uses the database/),
    );
    await first.stop(1_000);
    await run({ kind: 'mysql', urls, joinedBy: null });
  });

  test('are there for nodes that the same Redis joins, and for no other beside them', async () => {
    const urls = await Promise.all([1, 2].map(createMariadbDatabase));
    const on = (joinedBy: string | null): ShardsConfig => ({ kind: 'mysql', urls, joinedBy });
    const first = new Shards(on('one two'), defaultDeps);
    await first.start();
    const second = new Shards(on('one two'), defaultDeps);
    await second.start();
    await first.stop(1_000);
    const others = refusal(/other REDIS_URLS \(one two, not two one\)/);
    await expect(run(on('two one'))).rejects.toEqual(others);
    const alone = refusal(/Nodes that a Redis joins use the database/);
    await expect(run(on(null))).rejects.toEqual(alone);
    // Its seat is taken again where the connection that had it is gone.
    const [url = ''] = urls;
    await killHolder(url, 'seat1');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await expect(run(on(null))).rejects.toEqual(alone);
    await second.stop(1_000);
    // What nobody uses may be changed.
    await run(on('two one'));
    const single = new Shards(on(null), defaultDeps);
    await single.start();
    await expect(run(on('two one'))).rejects.toEqual(refusal(/process without REDIS_URLS/));
    await single.stop(1_000);
    await run(on('two one'));
  });

  test('say when their single-node lock is lost', async () => {
    const url = await createMariadbDatabase();
    const lost: Error[] = [];
    const shards = new Shards(
      { kind: 'mysql', urls: [url], joinedBy: null },
      { ...defaultDeps, onLost: (reason) => lost.push(reason) },
    );
    await shards.start();
    opened.push(shards);
    await killHolder(url, 'node');
    await expect.poll(() => lost.length, { timeout: 5_000 }).toBe(1);
    expect(lost[0]?.message).toMatch(/lock that lets this process alone use .* is lost/);
  });

  test('refuse what cannot be reached, without showing its password', async () => {
    const nowhere = 'mysql://root:hunter2@127.0.0.1:9/nothing';
    const refused = refusal(/127\.0\.0\.1:9\/nothing cannot be reached/);
    await expect(run(mysql([nowhere]))).rejects.toEqual(refused);
    await expect(run(mysql([nowhere]))).rejects.not.toThrow(/hunter2/);
    await expect(run(mysql(['postgres://a:hunter2@b/c']))).rejects.toEqual(
      refusal(/must look like mysql/),
    );
  });
});

test('a slot map names every slot and every shard once', async () => {
  const wrong: [RegExp, { first: number; last: number; shard: number }[]][] = [
    [/leaves out slot 1023/, [{ first: 0, last: 1022, shard: 0 }]],
    [
      /names slot 7 twice/,
      [
        { first: 0, last: 1023, shard: 0 },
        { first: 7, last: 7, shard: 0 },
      ],
    ],
    [/names shard 1/, [{ first: 0, last: 1023, shard: 1 }]],
    [/has the range 5-4/, [{ first: 5, last: 4, shard: 0 }]],
  ];
  for (const [words, slotMap] of wrong) {
    const config = mysql(['mysql://root@127.0.0.1:9/a'], { slotMap });
    await expect(run(config)).rejects.toEqual(refusal(words));
  }
});
