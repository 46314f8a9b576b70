// npm run bench -- <scenario> [--rounds N] [--seconds S] [--seed N] [--check] [--smoke] [--loaded] [--cpu-prof FOLDER]
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAverage, machineFacts, watchOthers } from './runner/machine.ts';
import { readCommandLine, type CommandLine } from './runner/options.ts';
import { profileLines } from './runner/profile.ts';
import { isReached, reportLines } from './runner/report.ts';
import { keepResults } from './runner/results.ts';
import type { RunOptions, Scenario } from './runner/scenario.ts';
import { demand, VoidRun } from './runner/void.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { ensureBuilt } from './servers/fastim-build.ts';
import { profiling } from './servers/fastim.ts';
import { ownPids } from './servers/server-child.ts';

const resultsFolder = fileURLToPath(new URL('results', import.meta.url));
/** Cores that others may use on average while a run is measured. */
const othersMax = 0.5;
const exitMissed = 1;
const exitVoid = 2;

process.exit(await main());

async function main(): Promise<number> {
  let line: CommandLine;
  try {
    line = readCommandLine(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return exitVoid;
  }
  const chosen = scenarios.filter(({ name }) => line.scenarios.includes(name));
  if (chosen.length === 0 || chosen.length < line.scenarios.length) {
    console.error('npm run bench -- <scenario> [--rounds N] [--seconds S] [--check] [--smoke]');
    for (const { name, about } of scenarios) console.error(`  ${name.padEnd(12)} ${about}`);
    return exitVoid;
  }
  try {
    await ensureBuilt();
  } catch (error) {
    return voided('the build', error);
  }
  if (line.profileFolder !== undefined) profiling.folder = path.resolve(line.profileFolder);
  let code = 0;
  for (const scenario of chosen) code = Math.max(code, await runOne(scenario, line));
  return code;
}

async function runOne(scenario: Scenario, line: CommandLine): Promise<number> {
  const options = optionsOf(scenario, line);
  const at = new Date();
  const before = loadAverage();
  console.log(`${scenario.name}: ${scenario.about}`);
  try {
    const others = watchOthers(ownPids);
    const outcome = await scenario.run(options);
    const othersCores = others();
    console.log(`  others used ${othersCores.toFixed(2)} cores of this machine meanwhile`);
    demand(
      options.isLenient || othersCores <= othersMax,
      `others used ${othersCores.toFixed(2)} cores: stop them, or say --loaded`,
    );
    if (profiling.folder !== null) {
      console.log((await profileLines(profiling.folder, 25)).join('\n'));
      return 0;
    }
    const facts = {
      machine: machineFacts(),
      options: { ...options, say: undefined },
      loadAverage: { before, after: loadAverage() },
      othersCores,
    };
    const folder = options.isLenient ? path.join(tmpdir(), 'fastim-bench-smoke') : resultsFolder;
    const kept = await keepResults(folder, { scenario: scenario.name, at, facts }, outcome);
    console.log(`  kept ${kept.map((file) => path.relative(process.cwd(), file)).join(', ')}`);
    console.log(reportLines(outcome.measures, outcome.table).join('\n'));
    return line.isCheck && !outcome.measures.every(isReached) ? exitMissed : 0;
  } catch (error) {
    return voided(scenario.name, error);
  }
}

/** @throws what is a bug of the bench. */
function voided(what: string, error: unknown): number {
  if (!(error instanceof VoidRun)) throw error;
  console.error(`VOID ${what}: ${error.message}`);
  return exitVoid;
}

function optionsOf(scenario: Scenario, line: CommandLine): RunOptions {
  const { rounds = 7, seconds = 5 } = scenario.defaults ?? {};
  const whole = { rounds: line.rounds ?? rounds, seconds: line.seconds ?? seconds };
  const smoke = { rounds: line.rounds ?? 1, seconds: line.seconds ?? 2 };
  return {
    ...(line.isSmoke ? smoke : whole),
    warmSeconds: line.isSmoke ? 1 : 2,
    isSmoke: line.isSmoke,
    isLenient: line.isSmoke || line.isLoadedAllowed || line.profileFolder !== undefined,
    seed: line.seed,
    say: (text) => console.log(`  ${text}`),
  };
}
