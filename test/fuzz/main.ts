/** `npm run fuzz -- --iterations N --seed S` */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const [iterations, seed] = [Number(values.iterations), Number(values.seed)];
console.log(`seed ${seed}, ${iterations} cases`);
const report = await fuzz({
  iterations,
  seed,
  onProgress: (done) => console.log(`${done} cases`),
});
const mebibytes = (bytes: readonly number[]): string =>
  bytes.map((count) => Math.round(count / 2 ** 20)).join(' → ');
console.log(Object.fromEntries(report.codes));
console.log(`RSS ${mebibytes(report.rssBytes)} MiB, heap ${mebibytes(report.heapBytes)} MiB`);
console.log(`the sane client waited ${report.saneWorstMs} ms at most`);
for (const finding of report.findings) console.error(`\n${finding}`);
process.exitCode = report.findings.length > 0 ? 1 : 0;
