import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { detailsOf, filled, summaryOf } from '../../bench/runner/document.ts';
import { newestRuns, type KeptRun } from '../../bench/runner/kept-run.ts';
import { svgOf } from '../../bench/runner/plot.ts';
import { keepResults } from '../../bench/runner/results.ts';
import type { Measure } from '../../bench/runner/scenario.ts';

const measure = (ratios: readonly number[], aim: number): Measure => ({
  name: 'send',
  ratios,
  aim,
  floor: aim * 0.7,
  what: 'messages a second',
});

it('draws charts that stand alone', () => {
  const svg = svgOf({
    key: '',
    title: 'a < b',
    xLabel: 'x',
    yLabel: 'y',
    names: ['1', '2'],
    series: [
      {
        name: 'FastIM',
        points: [
          [0, 1],
          [1, 30],
        ],
      },
    ],
  });
  expect(svg).toContain('a &lt; b');
  // The ground and two bars; one series needs no legend.
  expect(svg.match(/<rect/g)).toHaveLength(3);
});

describe('documents', () => {
  const run: KeptRun = {
    scenario: 'send',
    at: '2026-01-02T03:04:05.000Z',
    machine: {
      cpu: 'a CPU',
      cores: 2,
      memoryMib: 4_096,
      node: 'v20.19.0',
      mariadb: 'mariadbd  Ver 10.11.6-MariaDB for Linux',
      commit: 'abcdef0123',
      isDirty: false,
    },
    options: { rounds: 7, seconds: 5 },
    measures: [
      { ...measure([2, 3, 4], 1), name: 'send-lone', what: 'latency' },
      measure([30, 20, 10], 25),
    ],
    table: ['  senders | FastIM/s', '  1 | 200', 'said by the way', '    a statement'],
    charts: [{ file: '2026-01-02-send.svg', title: 'sends' }],
  };

  it('tell the figures of the newest runs, and what is missed', () => {
    const place = '<!-- results -->\nold\n<!-- /results -->';
    const summary = filled(`a\n${place}\nb`, { results: summaryOf([run], 'results') });
    expect(summary.startsWith('a\n<!-- results -->\n\n| measured')).toBe(true);
    expect(summary.endsWith('\n\n<!-- /results -->\nb')).toBe(true);
    expect(summary).not.toContain('old');
    expect(summary).toContain('| `send` | messages a second | 20 | 10 | 25 (missed) |');
    expect(summary).not.toContain('send-lone');
    const [lone, sends] = run.measures as [Measure, Measure];
    const missed = { ...run, measures: [{ ...lone, aim: 4 }, sends] };
    expect(summaryOf([missed], 'results')).toContain(
      '| `send-lone` | latency | 3 | 2 | 4 (missed) |',
    );
    expect(summary).toContain('2 cores of a CPU, 4 GiB, Node 20.19.0, MariaDB 10.11.6');
    expect(summary).toContain('![sends](results/2026-01-02-send.svg)');
    const details = detailsOf([run], 'results');
    expect(details).toContain('2026-01-02, commit abcdef0, 7 rounds of 5 s.');
    expect(details).toContain('| `send-lone` | latency | 3 | 2 | 1 |');
    expect(details).toContain('\n| senders | FastIM/s |\n| --- | --: |\n| 1 | 200 |\n\nsaid by');
    expect(details).toContain('said by the way\n\n    a statement\n');
  });

  it('must have a place for them', () => {
    expect(() => filled('a', { results: '' })).toThrow('no place');
  });

  it('have the newest run of each scenario, as it was kept', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-test-results-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { machine, options: ofRun, measures, table } = run;
    const plots = [{ key: 'x', title: 'of it', xLabel: '', yLabel: '', series: [] }];
    for (const day of [2, 3, 1]) {
      const at = new Date(Date.UTC(2026, 0, day));
      for (const scenario of ['send', 'start']) {
        const facts = { scenario, at, facts: { machine, options: ofRun } };
        await keepResults(folder, facts, { measures, table, samples: [], plots });
      }
    }
    const kept = await newestRuns(folder, ['start', 'send', 'soak']);
    expect(kept.map(({ scenario, at }) => `${scenario} ${at.slice(0, 10)}`)).toEqual([
      'start 2026-01-03',
      'send 2026-01-03',
    ]);
    expect(kept[0]).toMatchObject({
      table,
      measures,
      charts: [{ file: '2026-01-03-start-x.svg', title: 'of it' }],
    });
  });
});
