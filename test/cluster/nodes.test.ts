import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { createMariadbDatabase, mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { pause } from '../kill/random.ts';
import { World } from '../kill/world.ts';

const isHere = mariadbAvailable() && redisAvailable();
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const rounds = Number(process.env['KILL_ROUNDS'] ?? 2);

describe.skipIf(!isHere)('three nodes on two shards and one Redis', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let world: World;

  beforeAll(async () => {
    console.log(`KILL_SEED=${seed} KILL_ROUNDS=${rounds}`);
    bundle = await bundleServer();
    redis = await startRedis();
    const databaseUrls = [await createMariadbDatabase(), await createMariadbDatabase()];
    const cluster = { nodes: 3, redisUrl: redis.url };
    world = await World.start({ main: bundle.main, seed, databaseUrls, cluster });
  });

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  async function settles(): Promise<void> {
    expect(await world.settle(30_000)).toEqual([]);
    expect(await world.check()).toEqual([]);
    // Who subscribes while Redis is away is told to come again.
    expect(world.errors.filter((error) => !error.includes('"UNAVAILABLE"'))).toEqual([]);
  }

  it('every member sees every message once, in one order, whichever node they dial', async () => {
    world.run();
    await expect.poll(() => world.acknowledged, { timeout: 60_000 }).toBeGreaterThan(100);
    await settles();
  }, 120_000);

  it('a node that is killed leaves nothing undone: others take its rows over', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const before = world.acknowledged;
      world.run();
      await pause(world.random.between(500, 1_500));
      const node = world.random.pick(world.nodes);
      if (!node) throw new Error('no node');
      world.down.add(node);
      await node.kill9();
      await pause(1_000);
      await settles();
      expect(world.acknowledged).toBeGreaterThan(before);
      await node.start();
      world.down.delete(node);
    }
  }, 240_000);

  it('a node that stops for a while and goes on disturbs no order', async () => {
    for (let round = 0; round < rounds; round += 1) {
      world.run();
      await pause(world.random.between(300, 1_000));
      const node = world.random.pick(world.nodes);
      if (!node?.pid) throw new Error('no node');
      world.down.add(node);
      process.kill(node.pid, 'SIGSTOP');
      await pause(world.random.between(4_500, 6_000));
      process.kill(node.pid, 'SIGCONT');
      world.down.delete(node);
      await settles();
    }
  }, 240_000);

  it('while Redis does not answer writing goes on, and afterwards all of it is told', async () => {
    world.run();
    await pause(500);
    const before = world.acknowledged;
    redis.pause();
    await expect.poll(() => world.acknowledged, { timeout: 30_000 }).toBeGreaterThan(before + 20);
    // Longer than a node waits for an answer.
    await pause(3_000);
    redis.resume();
    await settles();
  }, 120_000);
});
