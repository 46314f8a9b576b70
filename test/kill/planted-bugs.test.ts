import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import type { AnomalyName } from '../support/checker.ts';
import { pause } from './random.ts';
import { World } from './world.ts';

const bugs: readonly [bug: string, names: readonly AnomalyName[]][] = [
  ['ack-before-commit', ['lost-write']],
  ['outbox-row-not-written', ['unseen', 'log-mismatch']],
  ['replay-off-by-one', ['poll-skip']],
];

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleServer();
});
afterAll(() => bundle[Symbol.asyncDispose]());

/** Whether a crash shows a bug is a matter of timing: a few are enough. */
const livesMax = 8;

describe('the checker, over a server with a bug', () => {
  it.each(bugs)(
    'finds what %s breaks: %s',
    async (bug, names) => {
      await using world = await World.start({ main: bundle.main, seed: 1, keepsHistory: false });
      world.run();
      let found: AnomalyName[] = [];
      for (
        let life = 0;
        life < livesMax && !names.every((name) => found.includes(name));
        life += 1
      ) {
        await world.server.kill9();
        await world.dieAt(`bug:${bug},kill:before-commit@40`);
        await world.server.start({ FAILPOINTS: `bug:${bug}` });
        await pause(500);
        await world.settle(3_000);
        found = (await world.check()).map(({ name }) => name);
        world.run();
      }
      expect(found).toEqual(expect.arrayContaining([...names]));
    },
    120_000,
  );
});
