import { ownCpuMicros } from '../runner/machine.ts';
import { quantile } from '../runner/numbers.ts';
import type { RunOptions } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import type { ClaimSide } from './claim-sides.ts';
import { closedLoop } from './closed-loop.ts';
import type { HotPacket } from './claimers.ts';
import { demandSwift } from './loop-lag.ts';
import { openLoop } from './open-loop.ts';

/** What one contender did in one measurement. */
export interface ClaimSample {
  readonly contender: string;
  readonly claimers: number;
  readonly wonPerSecond: number;
  readonly lostPerSecond: number;
  /** Answers that came before the credit. */
  readonly pending: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** For one answer. */
  readonly serverCpuMicros: number;
  readonly databaseCpuMicros: number;
  readonly generatorCpuMicros: number;
  readonly generatorLagP99Ms: number;
}

/**
 * So many claimers, each with one claim in flight, one packet after the other. Every answer is checked.
 * @param packetsMax as many as they can need.
 */
export async function claimRound(
  side: ClaimSide,
  claimers: number,
  packetsMax: number,
  options: RunOptions,
  databaseCpu: () => number,
): Promise<ClaimSample> {
  const { server, tally } = side;
  const packets = await side.makePackets(packetsMax);
  const reading = () => ({
    ...tally,
    server: server.cpuMicros(),
    database: databaseCpu(),
    generator: ownCpuMicros(),
  });
  let before = reading();
  let after = before;
  const result = await closedLoop(
    side.claimers
      .slice(0, claimers)
      .map((claimer) => (turn, done) => claimer.claim(packetAt(packets, turn), done)),
    options,
    { start: () => (before = reading()), end: () => (after = reading()) },
  );
  for (const { socket } of side.claimers) socket.check();
  demandSwift(result.lagP99Ms, options.isLenient);
  const per = (key: keyof typeof before) => after[key] - before[key];
  const answers = Math.max(1, per('won') + per('lost'));
  const { latencies, elapsedMs } = result;
  return {
    contender: server.name,
    claimers,
    wonPerSecond: (per('won') / elapsedMs) * 1000,
    lostPerSecond: (per('lost') / elapsedMs) * 1000,
    pending: per('pending'),
    latencyMs:
      latencies.length === 0
        ? { p50: Infinity, p99: Infinity }
        : { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    serverCpuMicros: per('server') / answers,
    databaseCpuMicros: per('database') / answers,
    generatorCpuMicros: per('generator') / answers,
    generatorLagP99Ms: result.lagP99Ms,
  };
}

/** Latencies of those who came too late, and of those who won, in ms, where claims begin at a fixed rate. */
export interface SteadySample {
  readonly perSecond: number;
  readonly won: number;
  readonly lost: number;
  readonly wonP99Ms: number;
  readonly lostP50Ms: number;
  readonly lostP99Ms: number;
  readonly generatorLagP99Ms: number;
}

/** Claims at a fixed rate: all claimers of a packet one after the other, then those of the next. */
export async function steadyRound(
  side: ClaimSide,
  perSecond: number,
  options: RunOptions,
): Promise<SteadySample> {
  const { claimers } = side;
  const packets = await side.makePackets(
    Math.ceil((perSecond * options.seconds) / claimers.length) + 1,
  );
  const wonMs: number[] = [];
  const lostMs: number[] = [];
  const result = await openLoop(
    perSecond,
    { seconds: options.seconds, underWayMax: claimers.length },
    (intended, turn, done) => {
      const packet = packetAt(packets, Math.floor(turn / claimers.length));
      claimers[turn % claimers.length]?.claim(packet, done, (isWon) => {
        (isWon ? wonMs : lostMs).push(performance.now() - intended);
      });
    },
  );
  demandSwift(result.lagP99Ms, options.isLenient);
  demand(
    options.isLenient || result.heldBack === 0,
    `${result.heldBack} claims could not begin: it is saturated`,
  );
  demand(wonMs.length > 0 && lostMs.length > 0, 'nobody won, or nobody lost');
  return {
    perSecond: (result.offered / result.elapsedMs) * 1000,
    won: wonMs.length,
    lost: lostMs.length,
    wonP99Ms: quantile(wonMs, 0.99),
    lostP50Ms: quantile(lostMs, 0.5),
    lostP99Ms: quantile(lostMs, 0.99),
    generatorLagP99Ms: result.lagP99Ms,
  };
}

function packetAt(packets: readonly HotPacket[], index: number): HotPacket {
  const packet = packets[index];
  demand(packet !== undefined, 'there were too few packets');
  return packet;
}
