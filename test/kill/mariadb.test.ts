import { expect, it } from 'vitest';
import { bundleServer } from '../support/bundle.ts';
import { mariadbAvailable } from '../support/machine.ts';
import { startMariadb } from '../support/mariadb.ts';
import { pause } from './random.ts';
import { World } from './world.ts';

const rounds = Number(process.env['KILL_ROUNDS'] ?? 2);

it('loses nothing acknowledged when MariaDB is killed under load', async ({ skip }) => {
  if (!mariadbAvailable()) skip();
  await using bundle = await bundleServer();
  const mariadb = await startMariadb();
  try {
    const databaseUrls = [await mariadb.createDatabase(), await mariadb.createDatabase()];
    await using world = await World.start({ main: bundle.main, seed: 5, databaseUrls });
    world.run();
    for (let round = 0; round < rounds; round += 1) {
      await pause(world.random.between(300, 1_000));
      const before = world.acknowledged;
      await mariadb.kill9();
      // The lock that makes it the only node died with its database: it must not go on.
      expect((await world.server.gone()).code).toBe(1);
      await mariadb.start();
      await world.server.start();
      await pause(500);
      expect(world.acknowledged).toBeGreaterThan(before);
    }
    expect(await world.settle()).toEqual([]);
    expect(await world.check()).toEqual([]);
    expect(world.errors).toEqual([]);
  } finally {
    await mariadb.stop();
  }
}, 120_000);
