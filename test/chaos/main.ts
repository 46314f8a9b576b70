import { parseArgs } from 'node:util';
import { bundleServer } from '../support/bundle.ts';
import { runChaos } from './chaos.ts';

// npm run test:chaos -- --minutes N [--seed S]: everything goes wrong that can, for so long.
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('npm run test:chaos -- --minutes N [--seed S]');
  process.exit(2);
}
console.log(`seed ${seed}, ${minutes} minutes`);
await using bundle = await bundleServer();
const beganMs = Date.now();
try {
  const report = await runChaos({
    main: bundle.main,
    seed,
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
