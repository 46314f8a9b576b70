import { setTimeout as pause } from 'node:timers/promises';
import { demandSwift } from '../load/loop-lag.ts';
import { openLoop, type OpenLoopResult } from '../load/open-loop.ts';
import type { Sender } from '../load/sender.ts';
import { connectFastim, type SendContender } from '../load/senders.ts';
import { sendRound, type SendSample } from '../load/send-round.ts';
import { Refusal } from '../load/socket.ts';
import { TimedLatencies } from '../load/timed-latencies.ts';
import {
  flatness,
  growthPerMinute,
  loopDelays,
  watchMemory,
  type Point,
} from '../load/watch-server.ts';
import { quantile, short } from '../runner/numbers.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { demand, VoidRun } from '../runner/void.ts';
import { connectTo, startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';

const groupSize = 5;
const bounds = { refusedMs: 50, acceptedMs: 1_000, recoveryMs: 5_000, flat: 0.95 };
const settleWithinMs = 60_000;
const probe = { everyMs: 100, forMs: 10_000 };

export const overload: Scenario = {
  name: 'overload',
  about: 'two minutes at twice the rate that it can take: refusals, latency, memory, recovery',
  defaults: { rounds: 1, seconds: 120 },
  run,
};

interface Stormed {
  readonly saturation: SendSample;
  readonly calmMs: number;
  readonly offered: OpenLoopResult;
  /** For one that was offered, refused or not. */
  readonly serverCpuMicros: number;
  readonly acceptedMs: readonly number[];
  readonly refusedMs: readonly number[];
  readonly memory: readonly Point[];
  /** At p99 in each second of it, in ms. */
  readonly bySecond: Readonly<Record<'accepted' | 'refused' | 'serverLoop', readonly number[]>>;
  /** After the storm: when, in ms, and how long a lone send took; Infinity: refused. */
  readonly probes: readonly (readonly [atMs: number, ms: number])[];
}

async function run(options: RunOptions): Promise<Outcome> {
  const senders = options.isSmoke ? 8 : 512;
  await using database = await startDatabase();
  const url = await database.createDatabase();
  await using fastim = await startFastim({
    databaseUrls: [url],
    people: senders * groupSize,
    watchesLoop: true,
  });
  await using contender = await connectFastim(fastim, groupSize);
  const sustained = { ...options, seconds: options.isSmoke ? 1 : 10 };
  const cpu = (): number => database.cpuMicros();
  const calm = await sendRound(contender, 1, { ...sustained, seconds: 1 }, cpu);
  const saturation = await sendRound(contender, senders, sustained, cpu);
  options.say(`takes ${short(saturation.perSecond)} a second; twice that for ${options.seconds} s`);
  const before = await countMessages(url);
  const stormed = await storm(contender, saturation, calm.latencyMs.p50, fastim.loopFile, options);
  contender.check();
  const kept = (await countMessages(url)) - before;
  const acknowledged =
    stormed.acceptedMs.length + stormed.probes.filter(([, ms]) => ms < Infinity).length;
  demand(kept >= acknowledged, `${acknowledged} were acknowledged, ${kept} are in the database`);
  demand(
    options.isLenient || stormed.refusedMs.length > 0,
    'nothing was refused, so this was no overload',
  );
  return outcomeOf(stormed, kept);
}

async function storm(
  contender: SendContender,
  saturation: SendSample,
  calmMs: number,
  loopFile: string,
  options: RunOptions,
): Promise<Stormed> {
  const { senders, server, deliveries } = contender;
  const accepted = new TimedLatencies();
  const refused = new TimedLatencies();
  const beganAt = Date.now();
  const memory = watchMemory(server, options.isSmoke ? 100 : 1_000);
  const rate = saturation.perSecond * 2;
  const cpu = server.cpuMicros();
  const result = await openLoop(
    rate,
    { seconds: options.seconds, underWayMax: Math.ceil(rate * 20) },
    (intended, turn, done) => {
      senders[turn % senders.length]?.send((failure) => {
        (failure ? refused : accepted).add(intended, performance.now());
        done(failure && wrongIn(failure));
      });
    },
  );
  const serverCpuMicros = (server.cpuMicros() - cpu) / Math.max(result.offered, 1);
  const probes = await recovery(senders);
  // An event that came as an error explains the gap that it leaves.
  contender.check();
  await deliveries.settle(settleWithinMs);
  demandSwift(result.lagP99Ms, options.isLenient);
  return {
    saturation,
    calmMs,
    offered: result,
    serverCpuMicros,
    acceptedMs: accepted.all,
    refusedMs: refused.all,
    bySecond: {
      accepted: accepted.p99BySecond(),
      refused: refused.p99BySecond(),
      serverLoop: (await loopDelays(loopFile, beganAt)).map(({ p99Ms }) => p99Ms),
    },
    memory: memory.stop(),
    probes,
  };
}

/** Nothing where the server says, as it should, that it cannot now and when to come again. */
function wrongIn(failure: Error): Error | undefined {
  if (!(failure instanceof Refusal)) return failure;
  const { code, retryAfterMs, message } = failure;
  if (code === 'UNAVAILABLE' && typeof retryAfterMs === 'number') return undefined;
  return new VoidRun(`a send was refused with ${String(code)}: ${message}`);
}

/** Lone sends once the storm is over. */
async function recovery(senders: readonly Sender[]): Promise<[number, number][]> {
  const probes: [number, number][] = [];
  const began = performance.now();
  while (performance.now() - began < probe.forMs) {
    const sender = senders[probes.length % senders.length];
    if (!sender) break;
    const at = performance.now();
    const isAccepted = await isTaken(sender);
    probes.push([at - began, isAccepted ? performance.now() - at : Infinity]);
    await pause(probe.everyMs);
  }
  return probes;
}

/** @returns whether it was acknowledged, and not refused as it may be. */
function isTaken(sender: Sender): Promise<boolean> {
  return new Promise((resolve, reject) => {
    sender.send((failure) => {
      const wrong = failure && wrongIn(failure);
      if (wrong) reject(wrong);
      else resolve(failure === undefined);
    });
  });
}

async function countMessages(url: string): Promise<number> {
  const connection = await connectTo(url);
  try {
    const rows = await connection.query<{ n: bigint }[]>('SELECT COUNT(*) AS n FROM Message');
    return Number(rows[0]?.n ?? 0);
  } finally {
    await connection.end();
  }
}

/** When it began that no more than one lone send in twenty took longer than is normal; never: as long as was watched. */
export function recoveredAfter(probes: Stormed['probes'], normalMs: number): number {
  const at = probes.findIndex((_, index) => {
    const after = probes.slice(index);
    return after.filter(([, ms]) => ms > normalMs).length * 20 <= after.length;
  });
  return at === 0 ? 0 : (probes[at]?.[0] ?? probe.forMs);
}

function outcomeOf(stormed: Stormed, kept: number): Outcome {
  const { acceptedMs, refusedMs, bySecond, memory, probes, calmMs, offered, serverCpuMicros } =
    stormed;
  demand(acceptedMs.length > 0, 'nothing was accepted');
  const accepted = quantile(acceptedMs, 0.99);
  const refused = refusedMs.length === 0 ? 0 : quantile(refusedMs, 0.99);
  const refusedP50 = refusedMs.length === 0 ? 0 : quantile(refusedMs, 0.5);
  // Normal: what a lone send took before, three times over, or 50 ms.
  const normalMs = Math.max(3 * calmMs, 50);
  const recoveredMs = recoveredAfter(probes, normalMs);
  const measure = (name: string, bound: number, value: number, what: string) => ({
    name,
    ratios: [bound / Math.max(value, 0.001)],
    aim: 1,
    floor: floorOf(1),
    what,
  });
  return {
    measures: [
      measure(
        'overload-refused',
        bounds.refusedMs,
        refused,
        `50 ms by the time to a refusal at p99: ${short(refused)} ms, ${refusedMs.length} refused`,
      ),
      {
        name: 'overload-memory',
        ratios: [flatness(memory)],
        aim: bounds.flat,
        floor: bounds.flat,
        what: `memory of the middle third by that of the last: ${short(growthPerMinute(memory))} MiB a minute`,
      },
      measure(
        'overload-recovery',
        bounds.recoveryMs,
        recoveredMs,
        `5 s by the time until 19 of 20 lone sends took no more than ${short(normalMs)} ms again: ${short(recoveredMs)} ms`,
      ),
      measure(
        'overload',
        bounds.acceptedMs,
        accepted,
        `1 s by the latency of accepted sends at p99: ${short(accepted)} ms, ${acceptedMs.length} accepted`,
      ),
    ],
    table: [
      `offered ${offered.offered} in ${short(offered.elapsedMs / 1000)} s (${offered.heldBack} held back), accepted ${acceptedMs.length}, refused ${refusedMs.length}; ${short(serverCpuMicros)} µs of the server's CPU for one`,
      `refused p50 ${short(refusedP50)} ms; event loops late at p99: the server's ${short(quantile(bySecond.serverLoop, 0.5))} ms in the median second, the generator's ${short(offered.lagP99Ms)} ms`,
      `accepted p50 ${short(quantile(acceptedMs, 0.5))} ms, p99 ${short(accepted)} ms; ${kept} messages more in the database`,
    ],
    samples: {
      ...stormed,
      acceptedMs: spread(acceptedMs),
      refusedMs: spread(refusedMs),
      probes: probes.map(([at, ms]) => [at, ms === Infinity ? null : ms]),
    },
    plots: [
      {
        key: 'memory',
        title: 'overload: resident memory of the server',
        xLabel: 'seconds',
        yLabel: 'MiB',
        series: [{ name: 'RSS', points: memory }],
      },
    ],
  };
}

/** Millions of latencies, by their quantiles. */
function spread(values: readonly number[]): Record<string, number> {
  if (values.length === 0) return {};
  const shares = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1];
  return {
    count: values.length,
    ...Object.fromEntries(shares.map((share) => [`p${share * 100}`, quantile(values, share)])),
  };
}
