import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { svgOf } from './plot.ts';
import { measureLine } from './report.ts';
import type { Outcome } from './scenario.ts';

/**
 * Keeps a run: `<date>-<scenario>.json` with the raw samples, and its charts beside it. A second run on one day takes
 * the place of the first.
 * @returns the files.
 */
export async function keepResults(
  folder: string,
  run: { readonly scenario: string; readonly at: Date; readonly facts: object },
  { measures, table, samples, plots }: Outcome,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const stem = path.join(folder, `${run.at.toISOString().slice(0, 10)}-${run.scenario}`);
  const charts = plots.map((plot) => ({
    file: `${path.basename(stem)}${plot.key === '' ? '' : `-${plot.key}`}.svg`,
    title: plot.title,
    svg: svgOf(plot),
  }));
  const json = {
    scenario: run.scenario,
    at: run.at.toISOString(),
    ...run.facts,
    measures: measures.map((measure) => ({ ...measure, line: measureLine(measure) })),
    table,
    charts: charts.map(({ file, title }) => ({ file, title })),
    samples,
  };
  const files: [string, string][] = [
    [`${stem}.json`, `${JSON.stringify(json, rounded, 1)}\n`],
    ...charts.map(({ file, svg }): [string, string] => [path.join(folder, file), svg]),
  ];
  for (const [file, content] of files) await writeFile(file, content);
  return files.map(([file]) => file);
}

/** Six digits are more than any clock here is good for. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(6))
    : value;
}
