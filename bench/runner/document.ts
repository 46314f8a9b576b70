import type { KeptRun } from './kept-run.ts';
import { median, short } from './numbers.ts';
import { isReached } from './report.ts';
import type { Measure } from './scenario.ts';

const head = ['| measured | what | median | worst | aim |', '| --- | --- | --: | --: | --: |'];

/**
 * A row for each scenario, one more for whatever else it misses, and the chart of the first. `results`: the folder, as the
 * document names it.
 */
export function summaryOf(runs: readonly KeptRun[], results: string): string {
  const rows = runs.flatMap(({ measures }) => headlinesOf(measures).map(rowOf));
  const charts = runs.slice(0, 1).flatMap((run) => chartsOf(run, results));
  return [...head, ...rows, '', placeOf(runs), '', ...charts].join('\n');
}

/** Everything: each scenario with all that it measured, its absolute figures and its charts. */
export function detailsOf(runs: readonly KeptRun[], results: string): string {
  const parts = runs.map((run) =>
    [
      `### ${run.scenario}`,
      '',
      `${run.at.slice(0, 10)}, ${commitOf(run)}, ${timesOf(run)}`,
      '',
      ...head,
      ...named(run.measures).map(rowOf),
      '',
      ...tableOf(run.table),
      '',
      ...chartsOf(run, results),
    ].join('\n'),
  );
  return [placeOf(runs), ...parts].join('\n\n');
}

/**
 * A document with each of the blocks in its place, between `<!-- <name> -->` and `<!-- /<name> -->`.
 * @throws where there is no such place.
 */
export function filled(document: string, blocks: Readonly<Record<string, string>>): string {
  let text = document;
  for (const [name, block] of Object.entries(blocks)) {
    const begin = `<!-- ${name} -->`;
    const end = `<!-- /${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from === -1 || to === -1) throw new Error(`there is no place for ${name}`);
    text = `${text.slice(0, from + begin.length)}\n\n${block}\n\n${text.slice(to)}`;
  }
  return text;
}

/** One that stands for its scenario is not told twice. */
function named(measures: readonly Measure[]): readonly Measure[] {
  const last = measures.at(-1);
  const isTwice = measures.slice(0, -1).some(({ what }) => what === last?.what);
  return isTwice ? measures.slice(0, -1) : measures;
}

/** The one that stands for its scenario, and before it what is missed besides. */
function headlinesOf(measures: readonly Measure[]): readonly Measure[] {
  const last = measures.at(-1);
  return measures.filter(
    (measure) => measure === last || (!isReached(measure) && measure.what !== last?.what),
  );
}

function rowOf(measure: Measure): string {
  const { name, what, ratios, aim } = measure;
  const cells = [
    `\`${name}\``,
    what,
    short(median(ratios)),
    short(Math.min(...ratios)),
    `${short(aim)}${isReached(measure) ? '' : ' (missed)'}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

type LineKind = 'cells' | 'code' | 'words';
const kindOf = (line: string): LineKind =>
  line.includes(' | ') ? 'cells' : line.startsWith('    ') ? 'code' : 'words';

/** Lines of cells become a table, whose first is its head; lines that are indented code; others paragraphs. */
function tableOf(lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => {
    const kind = kindOf(line);
    const isFirst = kind === 'words' || kind !== kindOf(lines[index - 1] ?? '');
    const gap = isFirst ? [''] : [];
    if (kind !== 'cells') return [...gap, line];
    const rule = `| --- ${'| --: '.repeat(line.split(' | ').length - 1)}|`;
    return [...gap, `| ${line.trim()} |`, ...(isFirst ? [rule] : [])];
  });
}

function chartsOf({ charts }: KeptRun, results: string): string[] {
  return charts.map(({ file, title }) => `![${title}](${results}/${file})`);
}

/** Where all of it was measured. */
function placeOf(runs: readonly KeptRun[]): string {
  const places = runs.map(({ machine: { cpu, cores, memoryMib, node, mariadb } }) => {
    const memory = `${short(memoryMib / 1024)} GiB`;
    const database =
      mariadb === null ? '' : `, ${mariadb.replace(/^.*?(\d+\.\d+\.\d+).*$/, 'MariaDB $1')}`;
    return `${cores} cores of ${cpu}, ${memory}, Node ${node.replace('v', '')}${database}`;
  });
  const different = [...new Set(places)];
  return different.length === 0 ? 'Nothing yet.' : `Measured on ${different.join('; ')}.`;
}

const commitOf = ({ machine: { commit, isDirty } }: KeptRun): string =>
  `commit ${commit.slice(0, 7)}${isDirty ? ' with changes' : ''}`;

function timesOf({ options: { rounds, seconds } }: KeptRun): string {
  return `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s.`;
}
