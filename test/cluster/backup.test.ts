import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeIdOf } from '../../src/resolvers/global-id.ts';
import { at, bustleKeys, Bustle, endow, historyOf } from '../support/bustle.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import {
  briefs,
  cursorAt,
  groupOf,
  inboxOf,
  openInbox,
  pause,
  range,
  send,
  type InboxRecording,
} from '../support/live.ts';
import { mariadbDumpAvailable, redisAvailable } from '../support/machine.ts';
import { startMariadb, type TestMariadb } from '../support/mariadb.ts';
import { Nodes } from '../support/nodes.ts';
import { operate } from '../support/operate.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { temporaryFolder } from '../support/sql-engines.ts';

const isHere = mariadbDumpAvailable() && redisAvailable();
const run = promisify(execFile);
const shardFiles = ['shard-0.sql', 'shard-1.sql'];

describe.skipIf(!isHere)('a backup of two shards under load', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let servers: readonly TestMariadb[];
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  /** Of the deployment that is backed up. */
  let env: Readonly<Record<string, string>>;
  let users: TestUser[];
  let groups: string[];
  let acked: Bustle['acked'];
  let cursor: string;
  /** When the backup began. */
  let beganMs: number;

  beforeAll(async () => {
    bundle = await bundleServer();
    folder = await temporaryFolder();
    redis = await startRedis();
    servers = await Promise.all([startMariadb(), startMariadb()]);
    const databaseUrls = await emptyDatabases();
    const nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 2, main: bundle.main, databaseUrls },
      env: { DATA_DIR: path.join(folder.path, 'data'), SERVER_KEYS: bustleKeys },
    });
    try {
      await fill(nodes, databaseUrls);
    } finally {
      for (const user of users ?? []) await user[Symbol.asyncDispose]();
      await nodes[Symbol.asyncDispose]();
    }
  }, 240_000);

  afterAll(async () => {
    await Promise.all((servers ?? []).map((server) => server.stop()));
    await redis?.stop();
    await folder?.[Symbol.asyncDispose]();
    await bundle?.[Symbol.asyncDispose]();
  });

  const emptyDatabases = (): Promise<string[]> =>
    Promise.all(servers.map((server) => server.createDatabase()));

  /** Lives on both shards, and backs them up meanwhile: as it should be done, and one after the other. */
  async function fill(nodes: Nodes, databaseUrls: readonly string[]): Promise<void> {
    const names = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay', 'gus', 'hal'];
    users = await Promise.all(names.map((name, index) => signUp(nodes.at(index % 2), name)));
    await endow(nodes.at(0), users);
    groups = [];
    for (let made = 0; made < 4 || shardsOf(groups).size < 2; made += 1) {
      groups.push(await groupOf(users[made % 8] as TestUser, ...users));
    }
    expect(shardsOf(users.map(({ id }) => id)).size).toBe(2);
    const inbox = await openInbox(users[1] as TestUser);
    const bustle = new Bustle(users, groups);
    acked = bustle.acked;
    await inbox.until(() => inbox.events.length > 200, 'some events', 60_000);
    await dump(databaseUrls[0] ?? '', 'shard-0.sql');
    const { packets } = bustle;
    env = {
      DATA_DIR: path.join(folder.path, 'data'),
      DATABASE_URLS: databaseUrls.join(','),
      REDIS_URLS: redis.url,
      ACCESS_TOKEN_KEYS: path.join(nodes.folder, 'keys.json'),
    };
    beganMs = Date.now();
    const to = path.join(folder.path, 'backup');
    const taken = await operate(bundle, ['backup', '--to', to], env);
    console.log(taken.output);
    expect(taken).toMatchObject({ code: 0 });
    // Until everybody has given something away in every group.
    await vi.waitUntil(() => bustle.packets > packets + 96, { timeout: 60_000 });
    await dump(databaseUrls[1] ?? '', 'shard-1.sql');
    await bustle.stop();
    const last = await send(users[0] as TestUser, groups[0] ?? '', 'the last one');
    await inbox.until(() => briefs(inbox).includes(`added ${last}`), 'the last one', 60_000);
    cursor = cursorAt(inbox, -1);
  }

  /** One of them by itself, as anybody would. */
  async function dump(url: string, file: string): Promise<void> {
    const { hostname, port, pathname } = new URL(url);
    const place = [`--host=${hostname}`, `--port=${port}`, '--user=root', '--hex-blob'];
    const target = path.join(folder.path, file);
    const flags = ['--single-transaction', `--result-file=${target}`];
    await run('mariadb-dump', [...place, ...flags, pathname.slice(1)]);
  }

  function restoreInto(databaseUrls: readonly string[], from: string): void {
    for (const [index, url] of databaseUrls.entries()) {
      const { hostname, port, pathname } = new URL(url);
      const place = [`--host=${hostname}`, `--port=${port}`, '--user=root'];
      const input = readFileSync(path.join(from, shardFiles[index] ?? ''));
      execFileSync('mariadb', [...place, pathname.slice(1)], { input });
    }
  }

  /** A node on what was restored, beside a Redis that is as it was: it is ahead. */
  async function restored(from: string): Promise<Nodes> {
    const databaseUrls = await emptyDatabases();
    restoreInto(databaseUrls, from);
    return Nodes.start({
      ...{ redisUrls: [redis.url], count: 1, main: bundle.main, databaseUrls },
      env: {
        DATA_DIR: path.join(folder.path, 'backup'),
        ACCESS_TOKEN_KEYS: path.join(folder.path, 'backup', 'access-token-keys.json'),
      },
    });
  }

  const audit = (nodes: Nodes) =>
    operate(bundle, ['ledger:check', '--url', nodes.at(0).url], {
      ...env,
      DATA_DIR: path.join(folder.path, 'backup'),
    });

  it('is of one moment: what it holds goes on, no money is made or lost, and clients are reset', async () => {
    const backup = path.join(folder.path, 'backup');
    expect(readdirSync(backup)).toEqual(expect.arrayContaining(shardFiles));
    await using nodes = await restored(backup);
    const there = users.map((user) => at(nodes.at(0), user));
    const [ann, bob] = there as [TestUser, TestUser];
    const resumed = await openInbox(bob, cursor);
    await resumed.until(() => resumed.events.length > 0, 'an event', 30_000);
    expect(inboxOf(resumed)[0]?.__typename).toBe('InboxReset');
    const news = new Map<string, number>();
    const before = acked.filter(({ atMs }) => atMs < beganMs);
    expect(before.length).toBeGreaterThan(10);
    for (const id of groups) {
      // Red packets that were on their way are posted meanwhile.
      const after = await send(ann, id, `after it ${id}`);
      news.set(id, after);
      const history = await historyOf(ann, id);
      expect(history.get(after)).toBe(`after it ${id}`);
      expect([...history.keys()]).toEqual(range(1, history.size));
      for (const { conversationId, seq, text } of before) {
        if (conversationId === id) expect(history.get(seq)).toBe(text);
      }
    }
    for (const [id, seq] of news) {
      await resumed.until(() => tells(resumed, id, seq), 'what is new', 30_000);
    }
    await expect
      .poll(async () => (await audit(nodes)).output, { timeout: 60_000 })
      .toMatch(/^inFlight: 0$/m);
    expect(await audit(nodes)).toMatchObject({ code: 0 });
    for (const user of there) await user[Symbol.asyncDispose]();
  }, 180_000);

  it('of several moments is found by the audit', async () => {
    await using nodes = await restored(folder.path);
    await pause(1_000);
    const { code, output } = await audit(nodes);
    expect(code).toBe(1);
    expect(output).toMatch(/came from nowhere/);
    expect(output).toMatch(/never arrived/);
  }, 180_000);

  it('by other means leaves Redis ahead: what is new is told to nobody, until that is emptied', async () => {
    const id = groups[0] ?? '';
    await emptyRedis(redis);
    {
      await using nodes = await restored(folder.path);
      const ann = at(nodes.at(0), users[0] as TestUser);
      const inbox = await openInbox(ann);
      // More than the red packets that were on their way, which are posted meanwhile: then as now.
      await Promise.all(range(1, 200).map((one) => send(ann, id, `${one}`)));
      const last = await send(ann, id, 'the last one');
      await inbox.until(() => tells(inbox, id, last), 'what is new', 60_000);
      await ann[Symbol.asyncDispose]();
    }
    await using nodes = await restored(folder.path);
    const ann = at(nodes.at(0), users[0] as TestUser);
    const inbox = await openInbox(ann);
    const unheard = await send(ann, id, 'unheard');
    await pause(3_000);
    expect(tells(inbox, id, unheard)).toBe(false);
    await emptyRedis(redis);
    await inbox.until(() => briefs(inbox).includes('reset'), 'the reset', 30_000);
    const heard = await send(ann, id, 'heard');
    await inbox.until(() => tells(inbox, id, heard), 'what is new', 30_000);
    await ann[Symbol.asyncDispose]();
  }, 180_000);
});

/** Whether an inbox has told of a message. */
function tells(inbox: InboxRecording, id: string, seq: number): boolean {
  return inboxOf(inbox).some(
    (event) =>
      event.__typename === 'MessageAdded' &&
      event.message.conversation.id === id &&
      event.message.seq === seq,
  );
}

async function emptyRedis({ url }: TestRedis): Promise<void> {
  const client = new Redis(url);
  await client.flushall();
  client.disconnect();
}

/** On which of two shards they live. */
function shardsOf(ids: readonly string[]): ReadonlySet<number> {
  const idOf = (id: string): bigint =>
    decodeIdOf('User', id) ?? decodeIdOf('Conversation', id) ?? 0n;
  return new Set(ids.map((id) => Number((idOf(id) & 1023n) >> 9n)));
}
