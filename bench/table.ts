// npm run bench:table: writes the newest results into the documents; with --check, exits 1 where they say otherwise.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { detailsOf, filled, summaryOf } from './runner/document.ts';
import { newestRuns } from './runner/kept-run.ts';
import { scenarios } from './scenarios/scenarios.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const runs = await newestRuns(
  fileOf('bench/results'),
  scenarios.map(({ name }) => name),
);
const documents = {
  'README.md': { 'results: summary': summaryOf(runs, 'bench/results') },
  'docs/performance.md': { 'results: details': detailsOf(runs, '../bench/results') },
};

const isCheck = process.argv.includes('--check');
for (const [name, blocks] of Object.entries(documents)) {
  const file = fileOf(name);
  const before = readFileSync(file, 'utf8');
  const options = await resolveConfig(file);
  const after = await format(filled(before, blocks), { ...options, filepath: file });
  if (after === before) continue;
  if (isCheck) {
    console.error(`${name} does not say what bench/results says: npm run bench:table`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, after);
    console.log(`${name}: written`);
  }
}
process.exit();
