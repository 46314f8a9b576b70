import { ownCpuMicros } from '../runner/machine.ts';
import { quantile } from '../runner/numbers.ts';
import type { RunOptions } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import { closedLoop } from './closed-loop.ts';
import { demandSwift } from './loop-lag.ts';
import type { SendContender } from './senders.ts';

/** How long what was acknowledged may take to be delivered once nobody sends any more. */
const settleWithinMs = 10_000;

/** What one contender did in one measurement. */
export interface SendSample {
  readonly contender: string;
  readonly senders: number;
  /** Acknowledged and delivered within the time, a second. */
  readonly perSecond: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly serverCpuMicros: number;
  readonly databaseCpuMicros: number;
  /** Of this process, for one message acknowledged, delivered and checked. */
  readonly generatorCpuMicros: number;
  readonly generatorLagP99Ms: number;
}

/**
 * So many senders, each with one message in flight, for the time of a measurement. Every acknowledgement and every
 * delivery is checked; what was not yet delivered at the end does not count, and must be delivered soon after.
 */
export async function sendRound(
  contender: SendContender,
  senders: number,
  options: RunOptions,
  databaseCpu: () => number,
): Promise<SendSample> {
  const { deliveries, server } = contender;
  const cost = { server: 0, database: 0, generator: 0, delivered: 0 };
  const result = await closedLoop(
    contender.senders.slice(0, senders).map((sender) => (_turn, done) => sender.send(done)),
    options,
    {
      start: () => {
        cost.server = server.cpuMicros();
        cost.database = databaseCpu();
        cost.generator = ownCpuMicros();
        cost.delivered = deliveries.count;
      },
      end: () => {
        cost.server = server.cpuMicros() - cost.server;
        cost.database = databaseCpu() - cost.database;
        cost.generator = ownCpuMicros() - cost.generator;
        cost.delivered = deliveries.count - cost.delivered;
      },
    },
  );
  await deliveries.settle(settleWithinMs);
  contender.check();
  demandSwift(result.lagP99Ms, options.isLenient);
  demand(result.count > 0, `${server.name} acknowledged nothing`);
  const done = Math.min(result.count, cost.delivered);
  const { latencies } = result;
  return {
    contender: server.name,
    senders,
    perSecond: (done / result.elapsedMs) * 1000,
    acknowledged: result.count,
    delivered: cost.delivered,
    latencyMs: {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      max: quantile(latencies, 1),
    },
    serverCpuMicros: cost.server / result.count,
    databaseCpuMicros: cost.database / result.count,
    generatorCpuMicros: cost.generator / result.count,
    generatorLagP99Ms: result.lagP99Ms,
  };
}
