import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

const iterations = 20_000;
/** What allocators and caches may still take once half of the cases are over. */
const growthMaxBytes = 48 * 2 ** 20;

it('meets nothing but faults of the table, and stays as large as it was', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  console.log(`FUZZ_SEED=${seed}`);
  const report = await fuzz({ iterations, seed });
  console.log(Object.fromEntries(report.codes), `sane client: ${report.saneWorstMs} ms at most`);
  expect(report.findings.join('\n'), `seed ${seed}`).toBe('');
  expect(report.iterations).toBeGreaterThanOrEqual(iterations);
  // It has met what is behind the door, too.
  expect(report.codes.get('OK')).toBeGreaterThan(iterations / 25);
  const [warm, end] = report.rssBytes;
  expect(end - warm, `RSS ${warm} → ${end}, seed ${seed}`).toBeLessThan(growthMaxBytes);
}, 300_000);
