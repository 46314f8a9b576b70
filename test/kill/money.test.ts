import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { createMariadbDatabase, mariadbAvailable } from '../support/machine.ts';
import { MoneyWorld } from './money-world.ts';
import { pause, Random } from './random.ts';

/** How often each place kills, and how many claims are answered in all; more by night. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 1);
const claimsMin = Number(process.env['MONEY_CLAIMS'] ?? 10_000);
/** How far apart kills under load are at most. */
const killEveryMs = Number(process.env['MONEY_KILL_MS'] ?? 6_000);
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

/** Where the process ends, and at most how often it has come by there before. */
const places: readonly [place: string, timesMax: number][] = [
  ['before-booking', 30],
  ['after-booking', 30],
  ['after-debit', 6],
  ['after-post', 6],
  ['before-claim', 30],
  ['after-claim', 30],
  ['before-arrival-noted', 6],
  ['before-wallet-told', 6],
  ['before-wallet-forgotten', 6],
  ['before-commit', 20],
];

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleServer();
  console.log(`KILL_SEED=${seed} KILL_ROUNDS=${rounds} MONEY_CLAIMS=${claimsMin}`);
});
afterAll(() => bundle?.[Symbol.asyncDispose]());

const databases = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, createMariadbDatabase));

describe.each([
  { name: 'SQLite', isHere: () => true, shards: 0 },
  { name: 'two MariaDB shards', isHere: mariadbAvailable, shards: 2 },
])('money, killed on $name', ({ isHere, shards }) => {
  it(
    'is neither made nor lost, at any moment, wherever the server dies',
    async ({ skip }) => {
      if (!isHere()) skip();
      const random = new Random(seed);
      const databaseUrls = await databases(shards);
      await using world = await MoneyWorld.start({ main: bundle.main, random, databaseUrls });
      await world.server.kill9();
      world.crowd.run();
      for (let round = 0; round < rounds; round += 1) {
        for (const [place, timesMax] of places) {
          await world.dieAt(`kill:${place}@${random.between(1, timesMax)}`);
        }
      }
      await world.server.start();
      let kills = 0;
      while (world.crowd.claims < claimsMin && world.crowd.anomalies.length === 0) {
        await pause(random.between(killEveryMs >> 1, killEveryMs));
        await world.server.kill9();
        await world.server.start();
        kills += 1;
        if (kills % 10 === 0) console.log(`${kills} kills, ${world.crowd.claims} claims so far`);
      }
      await world.crowd.pause();
      expect((await world.crowd.check()).slice(0, 20)).toEqual([]);
      expect(world.crowd.audits).toBeGreaterThan(10);
      console.log(
        `${world.crowd.claims} claims, ${world.crowd.audits} audits, ${kills} kills under load`,
      );
    },
    600_000 * rounds + claimsMin * 30,
  );
});

describe('the auditor', () => {
  it('finds credits that came before their claims were committed', async ({ skip }) => {
    // It takes a second connection to book what is not committed.
    if (!mariadbAvailable()) skip();
    const random = new Random(1);
    const databaseUrls = await databases(2);
    await using world = await MoneyWorld.start({ main: bundle.main, random, databaseUrls });
    await world.server.kill9();
    world.crowd.run();
    for (let life = 0; life < 4 && world.crowd.anomalies.length === 0; life += 1) {
      await world.dieAt('bug:credit-before-claim,kill:before-claim@20');
      await world.server.start();
      await pause(1_000);
      await world.server.kill9();
    }
    expect(world.crowd.anomalies.join('\n')).toMatch(/came from nowhere|booked|twice/);
  }, 180_000);

  it('finds what was booked twice because it was delivered twice', async () => {
    const random = new Random(2);
    await using world = await MoneyWorld.start({ main: bundle.main, random });
    await world.server.kill9();
    world.crowd.run();
    await world.dieAt('bug:effect-twice,kill:before-arrival-noted@10');
    await world.server.start({ FAILPOINTS: 'bug:effect-twice' });
    await pause(2_000);
    expect(world.crowd.anomalies.join('\n')).toMatch(/came from nowhere/);
  }, 120_000);
});
