import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { chaosBugs } from '../chaos/bugs.ts';
import { ChaosFailure, runChaos } from '../chaos/chaos.ts';
import { bundleServer } from '../support/bundle.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';

const isHere = mariadbAvailable() && redisAvailable();
const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const least = { acknowledged: 30_000, faults: 40, claims: 10_000 };
/** Two cores of their own take half of this. A machine that does not get so far is slow, which breaks no promise. */
const withinMs = 7.5 * 60_000;
const slowShare = 1 / 3;

it.skipIf(!isHere)(
  'whatever goes wrong, no promise is broken and no money made or lost',
  async ({ onTestFailed }) => {
    console.log(`CHAOS_SEED=${seed}`);
    const lines: string[] = [];
    // Also where it hangs, and so can say nothing itself.
    onTestFailed(() =>
      console.log([`CHAOS_SEED=${seed}`, lines[0], ...lines.slice(-12)].join('\n')),
    );
    await using bundle = await bundleServer();
    const beganMs = Date.now();
    const until = { ...least, withinMs };
    const say = (line: string): void => void lines.push(line);
    const report = await runChaos({
      main: bundle.main,
      seed,
      until,
      bustle: { claimsIdleMs: 200 },
      say,
    });
    const seconds = Math.round((Date.now() - beganMs) / 1_000);
    console.log(`${JSON.stringify(report)} in ${seconds} s`);
    const isSlow = seconds * 1_000 >= withinMs;
    if (isSlow)
      console.error(`!!! A SLOW MACHINE: within ${seconds} s ${JSON.stringify(least)} are wanted`);
    const share = isSlow ? slowShare : 1;
    expect(report.acknowledged).toBeGreaterThanOrEqual(least.acknowledged * share);
    expect(report.claims).toBeGreaterThanOrEqual(least.claims * share);
    expect(report.faults).toBeGreaterThanOrEqual(least.faults * share);
    expect(report.kinds).toBeGreaterThanOrEqual(10);
    expect(report.audits).toBeGreaterThan(30 * share);
    expect(report.endedSessions).toBeGreaterThan(30 * share);
  },
  10 * 60_000,
);

describe.skipIf(!isHere)('the chaos, over nodes with a bug', () => {
  it.each(chaosBugs)(
    'finds $name',
    async ({ planted, kinds, seenAs }) => {
      await using bundle = await bundleServer(planted);
      const failure = await runChaos({
        main: bundle.main,
        seed: 1,
        kinds,
        until: { acknowledged: Infinity, faults: Infinity, claims: Infinity, withinMs: 180_000 },
        bustle: { claimsIdleMs: 1_000 },
        settledWithinMs: 15_000,
        say: () => undefined,
      }).catch((error: unknown) => error);
      if (!(failure instanceof ChaosFailure)) throw new Error('not found', { cause: failure });
      expect(
        seenAs.some((name) => failure.names.has(name)),
        String(failure.cause),
      ).toBe(true);
      await rm(failure.folder, { recursive: true, force: true });
    },
    300_000,
  );
});
