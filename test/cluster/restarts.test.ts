import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientsOf, Fleet } from '../../bench/fleet/fleet.ts';
import type { ClientKind } from '../../bench/fleet/protocol.ts';
import { settled, Talk } from '../../bench/fleet/talk.ts';
import { makeGroups, type Group } from '../../bench/load/fastim-groups.ts';
import { quantile, seeded } from '../../bench/runner/numbers.ts';
import { unthrottled } from '../../bench/servers/fastim.ts';
import { keysIn, seedPeople } from '../../bench/servers/people.ts';
import { redisListOf } from '../../src/lib/redis-address.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const groupSize = 31;
const groupCount = 10;
/** Who comes back at once, on a machine that does other things as well. */
const backWithinMs = 30_000;

/** Hundreds of clients with their inbox open; the first member of each group sends, and tries again until it is answered. */
describe.skipIf(!isHere)('clients of nodes that go', () => {
  let folder: string;
  let bundle: Bundle;
  let redis: TestRedis;
  let nodes: Nodes;
  let groups: Group[];

  beforeAll(async () => {
    console.log(`KILL_SEED=${seed}`);
    folder = await mkdtemp(path.join(tmpdir(), 'fastim-failover-'));
    const keysFile = path.join(folder, 'keys.json');
    const keys = await keysIn(keysFile);
    bundle = await bundleServer();
    redis = await startRedis();
    nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 3, main: bundle.main },
      // Nobody is handed on: all who go are of the gate that goes.
      env: { ...unthrottled, ACCESS_TOKEN_KEYS: keysFile, GATE_SHED_PERCENT: '0' },
    });
    const joinedBy = redisListOf([redis.url]);
    const storage = { kind: 'mysql', urls: nodes.databaseUrls, joinedBy } as const;
    const people = await seedPeople(storage, keys, groupSize * groupCount);
    groups = await makeGroups(nodes.at(0), people, groupSize);
  });

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function fleetOf(kind: ClientKind, some: readonly Group[], gateOf: (n: number) => number): Fleet {
    const clients = clientsOf(some, gateOf);
    const gates = nodes.all.map(({ url }) => `${url.replace(/^http/, 'ws')}/graphql`);
    return new Fleet({ kind, clients, gates, processes: 1, seed });
  }

  const talkOf = (): Talk =>
    new Talk({ groups, gates: nodes.all.map(({ url }) => url), random: seeded(seed) });

  it('all resume without a gap when their gate is killed, each having missed five events', async () => {
    await using fleet = fleetOf('at-once', groups, () => 0);
    await fleet.until(() => true, 60_000, 'all are live');
    using talk = talkOf();
    talk.down.add(nodes.at(0).url);
    await talk.toAll();
    await fleet.until(({ leastMessages }) => leastMessages >= 1, 60_000, 'all hear');
    talk.start(20);
    process.kill(nodes.at(0).pid ?? 0, 'SIGSTOP');
    for (let missed = 0; missed < 5; missed += 1) await talk.toAll();
    await pause(1_000);
    const killedAtMs = Date.now();
    await nodes.at(0).kill9();
    const count = groupCount * (groupSize - 1);
    await fleet.until(({ resumed }) => resumed >= count, 60_000, 'all have resumed');
    await talk.stop();
    const { outages } = await settled(fleet, talk, 30_000);
    expect(outages).toHaveLength(count);
    for (const { replayed } of outages) expect(replayed).toBeGreaterThanOrEqual(5);
    const times = outages.map(({ liveAtMs }) => liveAtMs - killedAtMs);
    console.log(`half after ${quantile(times, 0.5)} ms, all after ${Math.max(...times)} ms`);
    expect(Math.max(...times)).toBeLessThan(backWithinMs);
    await nodes.at(0).start();
  }, 240_000);

  it('a rolling restart of all nodes is seen by nobody who tries again, and loses nothing', async () => {
    await using fleet = fleetOf('at-once', groups.slice(2), (n) => n % 3);
    await using stock = fleetOf('graphql-ws', groups.slice(0, 2), (n) => n % 3);
    for (const one of [fleet, stock]) await one.until(() => true, 60_000, 'all are live');
    using talk = talkOf();
    talk.start(30);
    for (const node of nodes.all) {
      expect(await node.stop(), node.output).toBe(0);
      await node.start();
      // As an operator does who looks whether all is well.
      for (const one of [fleet, stock]) await one.until(() => true, 60_000, 'all are live again');
    }
    // What was refused for good makes it throw.
    await talk.stop();
    for (const [one, some] of [
      [fleet, groups.slice(2)],
      [stock, groups.slice(0, 2)],
    ] as const) {
      const { outages, longestDelaysMs } = await settled(one, talk, 30_000);
      expect(outages.length).toBeGreaterThanOrEqual(some.length * (groupSize - 1));
      expect(new Set(outages.map(({ closeCode }) => closeCode))).toEqual(new Set([4604]));
      const silences = outages.map(({ closedAtMs, liveAtMs }) => liveAtMs - closedAtMs);
      console.log(
        `${talk.acknowledged} sent, ${talk.retries} tries more; silent for ${quantile(silences, 0.5)} ms, ${Math.max(...silences)} ms at most; ${Math.max(...longestDelaysMs)} ms from commit to view`,
      );
      if (one === fleet) expect(Math.max(...silences)).toBeLessThan(backWithinMs);
    }
  }, 300_000);
});
