import { claimRound, steadyRound } from '../load/claim-round.ts';
import type { ClaimSample, SteadySample } from '../load/claim-round.ts';
import { connectFastim, connectRival, packetOptions, type ClaimSide } from '../load/claim-sides.ts';
import { median, short } from '../runner/numbers.ts';
import { weakest } from '../runner/report.ts';
import { abba } from '../runner/rounds.ts';
import { floorOf, type Measure, type Outcome, type RunOptions } from '../runner/scenario.ts';
import type { Scenario } from '../runner/scenario.ts';
import { startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';
import { startPacketRival } from '../servers/packet-rival.ts';

const crowd = { whole: 2_000, smoke: 200 };
const aims = { granted: 30, lost: 10 };
const lateMaxMs = 20;
/** More than anybody can need: what a machine could grant, and answer, in a second. */
const ratesMax = { granted: 12_000, answers: 60_000 };

export const claims: Scenario = {
  name: 'claims',
  about: 'claims of one hot red packet after another against a locked row per claim',
  run,
};

interface Rounds {
  readonly granted: readonly { readonly a: ClaimSample; readonly b: ClaimSample }[];
  readonly crowded: readonly { readonly a: ClaimSample; readonly b: ClaimSample }[];
  readonly steady: readonly SteadySample[];
}

async function run(options: RunOptions): Promise<Outcome> {
  const claimers = options.isSmoke ? crowd.smoke : crowd.whole;
  const people = claimers + 1;
  await using database = await startDatabase();
  await using fastim = await startFastim({
    databaseUrls: [await database.createDatabase()],
    people,
  });
  await using rival = await startPacketRival(await database.createDatabase(), people);
  await using ours = await connectFastim(fastim);
  await using theirs = await connectRival(rival);
  options.say(`${claimers} claimers, ${packetOptions.shares} shares a packet`);
  const cpu = (): number => database.cpuMicros();
  const packetsFor = (perSecond: number, perPacket: number): number =>
    Math.ceil((perSecond * (options.seconds + options.warmSeconds + 1)) / perPacket);
  const measure = (side: ClaimSide, who: number, perSecond: number) =>
    claimRound(side, who, packetsFor(perSecond, who), options, cpu);
  const { shares } = packetOptions;
  const granted = await abba(
    options.rounds,
    () => measure(ours, shares, ratesMax.granted),
    () => measure(theirs, shares, ratesMax.granted / 10),
  );
  options.say(row(shares, granted));
  const crowded = await abba(
    options.rounds,
    () => measure(ours, claimers, ratesMax.answers),
    () => measure(theirs, claimers, ratesMax.answers / 10),
  );
  options.say(row(claimers, crowded));
  const saturation = median(crowded.map(({ a }) => a.wonPerSecond + a.lostPerSecond));
  const steady: SteadySample[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    steady.push(await steadyRound(ours, saturation / 2, options));
  }
  await ours.check();
  await theirs.check();
  return outcomeOf({ granted, crowded, steady });
}

function outcomeOf({ granted, crowded, steady }: Rounds): Outcome {
  const measures: Measure[] = [
    {
      name: 'claims-granted',
      ratios: granted.map(({ a, b }) => a.wonPerSecond / b.wonPerSecond),
      aim: aims.granted,
      floor: floorOf(aims.granted),
      what: `shares granted a second, ${packetOptions.shares} claimers for as many shares: FastIM's by the rival's`,
    },
    {
      name: 'claims-lost',
      ratios: crowded.map(({ a, b }) => a.lostPerSecond / Math.max(b.lostPerSecond, 1)),
      aim: aims.lost,
      floor: floorOf(aims.lost),
      what: "answers a second to those who come too late, all claimers at once: FastIM's by the rival's",
    },
    {
      name: 'claims-late',
      ratios: steady.map(({ lostP99Ms }) => lateMaxMs / lostP99Ms),
      aim: 1,
      floor: floorOf(1),
      what: `${lateMaxMs} ms by the time to such an answer at p99 and half of saturation: ${short(median(steady.map(({ lostP99Ms }) => lostP99Ms)))} ms`,
    },
  ];
  const last = weakest(measures);
  const middle = (pick: (sample: SteadySample) => number): string =>
    short(median(steady.map(pick)));
  return {
    measures: [...measures, ...(last ? [{ ...last, name: 'claims' }] : [])],
    table: [
      'claimers | FastIM won/s | lost/s | rival won/s | lost/s | p50 ms | p99 ms | rival p50 | server µs | database µs | generator µs | rival server µs | credits pending',
      row(packetOptions.shares, granted),
      row(crowded[0]?.a.claimers ?? 0, crowded),
      `at ${middle(({ perSecond }) => perSecond)} claims a second: too late p50 ${middle(({ lostP50Ms }) => lostP50Ms)} ms, p99 ${middle(({ lostP99Ms }) => lostP99Ms)} ms; won p99 ${middle(({ wonP99Ms }) => wonP99Ms)} ms`,
    ],
    samples: { granted, crowded, steady },
    plots: [
      {
        key: '',
        title: 'claims: answers a second',
        xLabel: 'claims of one red packet after another',
        yLabel: 'answers a second',
        names: ['won of 100', 'too late of all'],
        series: [
          {
            name: 'FastIM',
            points: [
              [0, median(granted.map(({ a }) => a.wonPerSecond))],
              [1, median(crowded.map(({ a }) => a.lostPerSecond))],
            ],
          },
          {
            name: 'a locked row per claim',
            points: [
              [0, median(granted.map(({ b }) => b.wonPerSecond))],
              [1, median(crowded.map(({ b }) => b.lostPerSecond))],
            ],
          },
        ],
      },
    ],
  };
}

function row(
  claimers: number,
  rounds: readonly { readonly a: ClaimSample; readonly b: ClaimSample }[],
): string {
  const of = (pick: (round: { readonly a: ClaimSample; readonly b: ClaimSample }) => number) =>
    short(median(rounds.map(pick)));
  return [
    String(claimers).padStart(6),
    of(({ a }) => a.wonPerSecond),
    of(({ a }) => a.lostPerSecond),
    of(({ b }) => b.wonPerSecond),
    of(({ b }) => b.lostPerSecond),
    of(({ a }) => a.latencyMs.p50),
    of(({ a }) => a.latencyMs.p99),
    of(({ b }) => b.latencyMs.p50),
    of(({ a }) => a.serverCpuMicros),
    of(({ a }) => a.databaseCpuMicros),
    of(({ a }) => a.generatorCpuMicros),
    of(({ b }) => b.serverCpuMicros),
    of(({ a }) => a.pending),
  ].join(' | ');
}
