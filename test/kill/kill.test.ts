import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { createMariadbDatabase, mariadbAvailable } from '../support/machine.ts';
import { World } from './world.ts';

/** How often each place kills; more by night. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 2);
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

/** Where the process ends, and at most how often it has come by there before. */
const places: readonly [place: string, timesMax: number][] = [
  ['before-commit', 40],
  ['after-commit', 40],
  ['during-fan-out', 40],
  ['after-append', 40],
  ['before-done', 4],
  ['during-replay', 12],
  ['before-read-told', 3],
  ['before-read-forgotten', 3],
];

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleServer();
  console.log(`KILL_SEED=${seed} KILL_ROUNDS=${rounds}`);
});
afterAll(() => bundle[Symbol.asyncDispose]());

const engines = [
  { name: 'SQLite', isHere: () => true, shards: 0 },
  { name: 'two MariaDB shards', isHere: mariadbAvailable, shards: 2 },
];

describe.each(engines)('killed on $name', ({ isHere, shards }) => {
  let world: World;
  beforeAll(async () => {
    if (!isHere()) return;
    const databaseUrls = await Promise.all(Array.from({ length: shards }, createMariadbDatabase));
    world = await World.start({ main: bundle.main, seed, databaseUrls });
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  it.each(places)(
    '%s, no promise is broken',
    async (place, timesMax) => {
      if (!isHere()) return;
      await world.server.kill9();
      const before = world.acknowledged;
      world.run();
      for (let round = 0; round < rounds; round += 1) {
        await world.dieAt(`kill:${place}@${world.random.between(1, timesMax)}`);
      }
      await world.server.start();
      expect(await world.settle()).toEqual([]);
      expect(await world.check()).toEqual([]);
      expect(world.errors).toEqual([]);
      expect(world.acknowledged).toBeGreaterThan(before);
    },
    60_000 * rounds,
  );
});
