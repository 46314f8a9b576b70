import { ownCpuMicros } from '../runner/machine.ts';
import { median, quantile } from '../runner/numbers.ts';
import type { RunOptions } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import type { ServerChild } from '../servers/server-child.ts';
import { closedLoop } from './closed-loop.ts';
import type { Work } from './done.ts';
import { demandSwift } from './loop-lag.ts';

/** What one contender did in one measurement of requests that all are alike. */
export interface CostSample {
  readonly contender: string;
  readonly perSecond: number;
  readonly count: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly serverCpuMicros: number;
  readonly databaseCpuMicros: number;
  readonly generatorCpuMicros: number;
  readonly generatorLagP99Ms: number;
}

/** Workers with one request in flight each, for the time of a measurement. */
export async function costRound(
  contender: string,
  server: ServerChild,
  workers: readonly Work[],
  options: RunOptions,
  databaseCpu: () => number,
): Promise<CostSample> {
  const cost = { server: 0, database: 0, generator: 0 };
  const { count, elapsedMs, latencies, lagP99Ms } = await closedLoop(workers, options, {
    start: () => {
      cost.server = server.cpuMicros();
      cost.database = databaseCpu();
      cost.generator = ownCpuMicros();
    },
    end: () => {
      cost.server = server.cpuMicros() - cost.server;
      cost.database = databaseCpu() - cost.database;
      cost.generator = ownCpuMicros() - cost.generator;
    },
  });
  demandSwift(lagP99Ms, options.isLenient);
  demand(count > 0, `${contender} answered nothing`);
  return {
    contender,
    perSecond: (count / elapsedMs) * 1000,
    count,
    latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    serverCpuMicros: cost.server / count,
    databaseCpuMicros: cost.database / count,
    generatorCpuMicros: cost.generator / count,
    generatorLagP99Ms: lagP99Ms,
  };
}

/** The median of one field over the rounds of one contender. */
export function middle(
  rounds: readonly (readonly CostSample[])[],
  contender: number,
  pick: (sample: CostSample) => number,
): number {
  return median(rounds.flatMap((samples) => samples.slice(contender, contender + 1).map(pick)));
}
