import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { createMariadbDatabase, mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { MoneyWorld } from '../kill/money-world.ts';
import { pause, Random } from '../kill/random.ts';

const isHere = mariadbAvailable() && redisAvailable();
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
/** More by night. */
const claimsMin = Number(process.env['MONEY_CLAIMS'] ?? 10_000);
const killEveryMs = Number(process.env['MONEY_KILL_MS'] ?? 3_000);

/** Where one of three dies while the others go on. */
const places: readonly [place: string, timesMax: number][] = [
  ['after-debit', 4],
  ['after-post', 4],
  ['after-claim', 20],
  ['before-booking', 20],
  ['before-arrival-noted', 4],
];

describe.skipIf(!isHere)('money on three nodes, two shards and one Redis', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let world: MoneyWorld;
  const random = new Random(seed);

  beforeAll(async () => {
    console.log(`KILL_SEED=${seed} MONEY_CLAIMS=${claimsMin} MONEY_KILL_MS=${killEveryMs}`);
    bundle = await bundleServer();
    redis = await startRedis();
    const databaseUrls = [await createMariadbDatabase(), await createMariadbDatabase()];
    const cluster = { nodes: 3, redisUrl: redis.url };
    world = await MoneyWorld.start({ main: bundle.main, random, databaseUrls, cluster });
  });

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  async function settles(): Promise<void> {
    await world.crowd.pause();
    expect((await world.crowd.check()).slice(0, 20)).toEqual([]);
  }

  it('is constant while claims and expiries of one packet meet on all of them', async () => {
    const before = world.crowd.claims;
    world.crowd.run();
    while (world.crowd.claims < before + 1_000 && world.crowd.anomalies.length === 0)
      await pause(100);
    await settles();
  }, 180_000);

  it('is constant wherever one of them dies', async () => {
    world.crowd.run();
    for (const [place, timesMax] of places) {
      const node = random.pick(world.nodes) ?? world.server;
      world.down.add(node);
      await node.kill9();
      world.down.delete(node);
      await world.dieAt(`kill:${place}@${random.between(1, timesMax)}`, node);
      await node.start();
    }
    await settles();
  }, 300_000);

  it(
    'is constant while one after the other is killed under load',
    async () => {
      world.crowd.run();
      while (world.crowd.claims < claimsMin && world.crowd.anomalies.length === 0) {
        const node = random.pick(world.nodes) ?? world.server;
        await pause(random.between(killEveryMs >> 1, killEveryMs));
        await node.kill9();
        await pause(random.between(100, 1_000));
        await node.start();
      }
      await settles();
      expect(world.crowd.audits).toBeGreaterThan(10);
      console.log(`${world.crowd.claims} claims, ${world.crowd.audits} audits`);
    },
    180_000 + claimsMin * 15,
  );
});
