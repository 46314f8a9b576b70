import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../test/support/process.ts';
import { median, short } from '../runner/numbers.ts';
import { thereAndBack } from '../runner/rounds.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { startDatabase, type BenchDatabase } from '../servers/database.ts';
import { startArgs } from '../servers/fastim-build.ts';
import { ServerChild } from '../servers/server-child.ts';

const boundMs = 2_000;

export const start: Scenario = {
  name: 'start',
  about: 'from the command of npm start to ready: SQLite and MariaDB, the first time and again',
  run,
};

const cases = ['MariaDB, first', 'MariaDB, again', 'SQLite, again', 'SQLite, first'] as const;

async function run(options: RunOptions): Promise<Outcome> {
  await using database = await startDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-bench-start-'));
  try {
    const again = { mysql: await database.createDatabase(), sqlite: path.join(folder, 'again') };
    await startOnce(again.sqlite);
    await startOnce(again.sqlite, again.mysql);
    let fresh = 0;
    const newFolder = (): string => path.join(folder, String((fresh += 1)));
    const rounds = await thereAndBack(options.rounds, [
      async () => startOnce(newFolder(), await database.createDatabase()),
      () => startOnce(again.sqlite, again.mysql),
      () => startOnce(again.sqlite),
      () => startOnce(newFolder()),
    ]);
    return outcomeOf(rounds);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns ms to ready. */
async function startOnce(
  dataDir: string,
  databaseUrl?: Awaited<ReturnType<BenchDatabase['createDatabase']>>,
): Promise<number> {
  await using server = await ServerChild.start({
    name: 'fastim',
    port: await freePort(),
    args: startArgs(),
    env: { DATA_DIR: dataDir, DATABASE_URLS: databaseUrl ?? '', LOG_LEVEL: 'warn' },
    readyPath: '/ready',
  });
  return server.readyAfterMs;
}

function outcomeOf(rounds: readonly (readonly number[])[]): Outcome {
  const of = (index: number): number[] => rounds.map((round) => round[index] ?? Infinity);
  const names = ['start-mariadb-first', 'start-mariadb-again', 'start-sqlite-again', 'start'];
  return {
    measures: cases.map((what, index) => ({
      name: names[index] ?? what,
      ratios: of(index).map((ms) => boundMs / ms),
      aim: 1,
      floor: floorOf(1),
      what: `2 s by the time to ready: ${what}, ${short(median(of(index)))} ms`,
    })),
    table: [
      'case | median ms | worst ms',
      ...cases.map((what, index) =>
        [what, short(median(of(index))), short(Math.max(...of(index)))].join(' | '),
      ),
    ],
    samples: rounds,
    plots: [
      {
        key: '',
        title: 'start: from the command of npm start to ready',
        xLabel: 'data',
        yLabel: 'ms',
        names: cases,
        bound: boundMs,
        series: [
          { name: 'FastIM', points: cases.map((_, index) => [index, median(of(index))] as const) },
        ],
      },
    ],
  };
}
