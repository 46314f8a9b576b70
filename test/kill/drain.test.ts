import { expect, it } from 'vitest';
import { bundleServer } from '../support/bundle.ts';
import { pause } from './random.ts';
import { World } from './world.ts';

it('asked to end under load, closes every socket with 4604, loses nothing, exits with 0', async () => {
  await using bundle = await bundleServer();
  await using world = await World.start({ main: bundle.main, seed: 3 });
  world.run({ cuts: false });
  await pause(500);
  const before = world.clients.map(({ closeCodes }) => closeCodes.length);
  expect(await world.server.stop()).toBe(0);
  world.clients.forEach(({ closeCodes }, index) => {
    expect(closeCodes.slice(before[index])).toContain(4604);
  });
  await world.server.start();
  expect(await world.settle()).toEqual([]);
  expect(await world.check()).toEqual([]);
  expect(world.errors).toEqual([]);
}, 60_000);
