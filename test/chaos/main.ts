import { parseArgs } from 'node:util';
import { bundleServer } from '../support/bundle.ts';
import { runChaos } from './chaos.ts';

// Everything goes wrong that can, or the kinds that --only names alone, for so many minutes, or until so many claims were
// answered. --idle and --chat: how long those who have money, and those who chat, wait between two calls, at most.
// --people: how many have money; --shares: of a packet, at most.
const usage =
  'npm run test:chaos -- [--minutes N] [--claims N] [--seed S] [--only KIND,…]' +
  ' [--idle MS] [--people N] [--shares N] [--chat MS]';
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    claims: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    only: { type: 'string' },
    idle: { type: 'string', default: '100' },
    people: { type: 'string', default: '12' },
    shares: { type: 'string', default: '10' },
    chat: { type: 'string', default: '25' },
  },
});
const number = (name: 'minutes' | 'claims' | 'seed' | 'idle' | 'people' | 'shares' | 'chat') =>
  Number(values[name]);
const bustle = {
  claimsIdleMs: number('idle'),
  people: number('people'),
  sharesMax: number('shares'),
  chatIdleMs: number('chat'),
};
const seed = number('seed');
const isWhole = [seed, bustle.people, bustle.sharesMax].every(Number.isInteger);
const isPositive = [number('minutes'), number('claims'), bustle.people, bustle.sharesMax].every(
  (value) => value > 0,
);
if (!isWhole || !isPositive || !(bustle.claimsIdleMs >= 0) || !(bustle.chatIdleMs >= 1)) {
  console.error(usage);
  process.exit(2);
}
console.log(`seed ${seed}, ${number('minutes')} minutes, ${JSON.stringify(bustle)}`);
// What is there then is checked; whoever cannot wait says it twice.
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
await using bundle = await bundleServer();
const beganMs = Date.now();
try {
  const report = await runChaos({
    main: bundle.main,
    seed,
    bustle,
    ...(values.only !== undefined && { kinds: values.only.split(',') }),
    signal: stopping.signal,
    until: {
      acknowledged: 0,
      faults: 0,
      claims: number('claims'),
      withinMs: number('minutes') * 60_000,
    },
    say: (line) => console.log(`${((Date.now() - beganMs) / 1_000).toFixed(1)} s: ${line}`),
  });
  console.log(JSON.stringify(report));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
