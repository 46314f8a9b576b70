import { parseArgs } from 'node:util';
import { bundleServer } from '../support/bundle.ts';
import { runChaos } from './chaos.ts';

// npm run test:chaos -- --minutes N [--seed S] [--idle MS] [--only KIND,…]: everything goes wrong that can, or these kinds
// alone, for so long. Those who have money wait so long between two claims, at most: the less, the more claims and the fewer
// messages.
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    only: { type: 'string' },
    idle: { type: 'string', default: '100' },
  },
});
const minutes = Number(values.minutes);
const claimsIdleMs = Number(values.idle);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!(minutes > 0) || !Number.isInteger(seed) || !(claimsIdleMs >= 0)) {
  console.error('npm run test:chaos -- --minutes N [--seed S] [--idle MS]');
  process.exit(2);
}
console.log(`seed ${seed}, ${minutes} minutes`);
// What is there then is checked; whoever cannot wait says it twice.
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
await using bundle = await bundleServer();
const beganMs = Date.now();
try {
  const report = await runChaos({
    main: bundle.main,
    seed,
    claimsIdleMs,
    ...(values.only !== undefined && { kinds: values.only.split(',') }),
    signal: stopping.signal,
    until: {
      acknowledged: Infinity,
      faults: Infinity,
      claims: Infinity,
      withinMs: minutes * 60_000,
    },
    say: (line) => console.log(`${((Date.now() - beganMs) / 1_000).toFixed(1)} s: ${line}`),
  });
  console.log(JSON.stringify(report));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
