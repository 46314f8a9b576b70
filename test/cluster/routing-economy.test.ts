import { Redis } from 'ioredis';
import { createConnection } from 'mariadb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/lib/id.ts';
import { present } from '../../src/lib/assert.ts';
import { appendStretches } from '../../src/realtime/inbox/append-scripts.redis.ts';
import { decodeIdOf } from '../../src/resolvers/global-id.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { addedSeqs, briefsOf, follow, openInbox, pause, range } from '../support/live.ts';
import { send, toldGroupOf, type InboxRecording } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();
const batches = 10;
/** After what is on its way at a beginning: presence, routes, the first looks at an outbox. */
const quietMs = 2_000;

/** What one Redis was asked for. */
interface Calls {
  /** Of the script that appends. */
  readonly appends: number;
  /** By channel, the gate's life left out: `gate:node-1`, `conv:…`. */
  readonly published: Readonly<Record<string, number>>;
}

describe.skipIf(!isHere)('what a batch costs Redis', () => {
  let bundle: Bundle;
  let redises: TestRedis[];
  let clients: Redis[];
  let nodes: Nodes;
  let ann: TestUser;
  /** At the second node, two by each Redis. */
  let readers: TestUser[];
  /** At the third node, without a connection. */
  let absent: TestUser[];

  beforeAll(async () => {
    bundle = await bundleServer();
    redises = [await startRedis(), await startRedis()];
    clients = redises.map(({ url }) => new Redis(url));
    const redisUrls = redises.map(({ url }) => url);
    nodes = await Nodes.start({ redisUrls, count: 3, main: bundle.main });
    ann = await userOf(0, 0, 'ann');
    readers = [];
    for (const bucket of [0, 0, 1, 1]) readers.push(await userOf(1, bucket, 'reader'));
    absent = [await userOf(2, 0, 'absent'), await userOf(2, 1, 'absent')];
  }, 120_000);

  afterAll(async () => {
    for (const user of [ann, ...(readers ?? [])]) await user?.[Symbol.asyncDispose]();
    for (const client of clients ?? []) client.disconnect();
    await nodes?.[Symbol.asyncDispose]();
    for (const redis of redises ?? []) await redis.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  let names = 0;
  /** A new user whose log is in that Redis. */
  async function userOf(node: number, bucket: number, name: string): Promise<TestUser> {
    for (;;) {
      const user = await signUp(nodes.at(node), `${name}_${(names += 1)}`);
      if (slotOf(present(decodeIdOf('User', user.id), 'an id')) % 2 === bucket) return user;
    }
  }

  /** What each Redis was asked for during some work. `INFO commandstats` and MONITOR must agree. */
  async function callsOf(work: () => Promise<unknown>): Promise<Calls[]> {
    await pause(quietMs);
    const watched = await Promise.all(clients.map(watch));
    await work();
    // What follows a commit is there; the rest would be too much.
    await pause(1_000);
    return Promise.all(watched.map((end) => end()));
  }

  /** One message in each batch, the next when all have it. */
  async function say(id: string, inboxes: readonly InboxRecording[], count: number): Promise<void> {
    for (const index of range(1, count)) {
      const seq = await send(ann, id, `${id} ${(names += 1)} ${index}`);
      for (const inbox of inboxes) {
        await inbox.until(() => addedSeqs(inbox).at(-1) === seq, `message ${seq}`, 20_000);
      }
    }
  }

  it('one call where it has a recipient, one publish for each gate with a member online', async () => {
    const id = await toldGroupOf(ann, ...readers, ...absent);
    const inboxes = await Promise.all(readers.map((user) => openInbox(user)));
    const calls = await callsOf(() => say(id, inboxes, batches));
    const gates = { 'gate:node-1': batches };
    expect(calls).toEqual([
      { appends: batches, published: gates },
      { appends: batches, published: gates },
    ]);
    // Now ann has one open, too, whose log is in the first.
    inboxes.push(await openInbox(ann));
    const [first, second] = await callsOf(() => say(id, inboxes, batches));
    expect(first?.published).toEqual({ ...gates, 'gate:node-0': batches });
    expect(second).toEqual({ appends: batches, published: gates });
    for (const inbox of inboxes) inbox.stop();
  }, 180_000);

  it('nothing where it has no recipient, and no publish where nobody is online', async () => {
    const id = await toldGroupOf(ann, present(absent[0], 'one of the first Redis'));
    const calls = await callsOf(() => say(id, [], batches));
    expect(calls).toEqual([
      { appends: batches, published: {} },
      { appends: 0, published: {} },
    ]);
  }, 120_000);

  it('one publish more for a conversation that is followed, however many follow it', async () => {
    const id = await toldGroupOf(ann, ...readers);
    const followed = await Promise.all(readers.map((user) => follow(user, id)));
    for (const one of followed) await one.until(() => briefsOf(one).length > 0, 'the beginning');
    const calls = await callsOf(() => say(id, [], batches));
    const channel = `conv:${String(decodeIdOf('Conversation', id))}`;
    const all = calls.map(({ published }) => published[channel] ?? 0);
    expect(all.sort()).toEqual([0, batches]);
    const others = calls.flatMap(({ published }) => Object.keys(published));
    expect(others).toEqual([channel]);
    for (const one of followed) one.stop();
  }, 120_000);

  it('no more for what is sent at once than for its batches', async () => {
    const id = await toldGroupOf(ann, ...readers, ...absent);
    const inboxes = await Promise.all(readers.map((user) => openInbox(user)));
    const messages = 200;
    const before = await rowsWritten();
    const calls = await callsOf(async () => {
      const texts = range(1, messages).map((index) => `${id} at once ${index}`);
      await Promise.all(texts.map((text) => send(ann, id, text)));
      for (const inbox of inboxes) {
        await inbox.until(() => addedSeqs(inbox).length >= messages, 'all of them', 30_000);
      }
    });
    const rows = (await rowsWritten()) - before;
    console.log(`${messages} messages in ${rows} batches: ${JSON.stringify(calls)}`);
    expect(rows).toBeLessThan(messages);
    for (const { appends, published } of calls) {
      expect(appends).toBeLessThanOrEqual(rows);
      expect(published).toEqual({ 'gate:node-1': appends });
    }
    for (const inbox of inboxes) expect(addedSeqs(inbox)).toEqual(range(2, messages + 1));
    for (const inbox of inboxes) inbox.stop();
  }, 120_000);

  /** Outbox rows that were ever written. */
  async function rowsWritten(): Promise<number> {
    let last = 0;
    for (const url of nodes.databaseUrls) {
      const connection = await createConnection(url.replace('mysql:', 'mariadb:'));
      const [row] = await connection.query<{ last: bigint | null }[]>(
        'SELECT MAX(id) AS last FROM OutboxRow',
      );
      last += Number(row?.last ?? 0);
      await connection.end();
    }
    return last;
  }
});

/** @returns what ends the watching. */
async function watch(client: Redis): Promise<() => Promise<Calls>> {
  const before = await publishesOf(client);
  const monitor = await client.monitor();
  let appends = 0;
  const published: Record<string, number> = {};
  monitor.on('monitor', (_time: string, [command = '', first = '']: string[]) => {
    const name = command.toLowerCase();
    if (name === 'evalsha' && first === appendStretches.sha) appends += 1;
    if (name !== 'publish') return;
    const channel = first.replace(/^(gate:[^.]+)\..*$/, '$1');
    published[channel] = (published[channel] ?? 0) + 1;
  });
  return async () => {
    const count = (await publishesOf(client)) - before;
    // What Redis has counted it has told by then.
    await pause(200);
    monitor.disconnect();
    expect(Object.values(published).reduce((sum, calls) => sum + calls, 0)).toBe(count);
    return { appends, published };
  };
}

async function publishesOf(client: Redis): Promise<number> {
  const text = await client.info('commandstats');
  return Number(/^cmdstat_publish:calls=(\d+)/m.exec(text)?.[1] ?? 0);
}
