import { connectFastim, connectRival, type SendContender } from '../load/senders.ts';
import { sendRound, type SendSample } from '../load/send-round.ts';
import { median, short } from '../runner/numbers.ts';
import type { Plot } from '../runner/plot.ts';
import { abba } from '../runner/rounds.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';
import { startRival } from '../servers/rival.ts';

const groupSize = 5;
const senderCounts = { whole: [64, 256, 512], smoke: [4, 8] };

export const send: Scenario = {
  name: 'send',
  about: 'acknowledged durable sends on MariaDB against a Prisma transaction per message',
  run: (options) => runSend('send', 'mysql', 25, options),
};

export const sendSqlite: Scenario = {
  name: 'send-sqlite',
  about: 'the same on SQLite',
  run: (options) => runSend('send-sqlite', 'sqlite', 10, options),
};

interface Round {
  readonly fastim: SendSample;
  readonly rival: SendSample;
}

async function runSend(
  name: string,
  engine: 'mysql' | 'sqlite',
  aim: number,
  options: RunOptions,
): Promise<Outcome> {
  const counts = options.isSmoke ? senderCounts.smoke : senderCounts.whole;
  const groups = { count: Math.max(...counts), size: groupSize };
  const people = groups.count * groups.size;
  await using database = engine === 'mysql' ? await startDatabase() : null;
  const url = async (): Promise<string | undefined> => database?.createDatabase();
  const ours = await url();
  await using fastim = await startFastim({
    databaseUrls: ours === undefined ? [] : [ours],
    people,
  });
  const theirs = await url();
  await using rival = await startRival({
    kind: 'yoga',
    ...(theirs === undefined ? {} : { databaseUrl: theirs }),
    people,
    groups,
  });
  options.say(`${people} people in ${groups.count} groups on ${engine}, all with an inbox`);
  await using ourSide = await connectFastim(fastim, groupSize);
  await using theirSide = await connectRival(rival, groups);
  const cpu = (): number => database?.cpuMicros() ?? 0;
  const rounds = new Map<number, Round[]>();
  for (const senders of [1, ...counts]) {
    rounds.set(senders, await roundsOf(senders, ourSide, theirSide, cpu, options));
  }
  return outcomeOf(name, aim, counts, rounds);
}

async function roundsOf(
  senders: number,
  fastim: SendContender,
  rival: SendContender,
  databaseCpu: () => number,
  options: RunOptions,
): Promise<Round[]> {
  const pairs = await abba(
    options.rounds,
    () => sendRound(fastim, senders, options, databaseCpu),
    () => sendRound(rival, senders, options, databaseCpu),
  );
  const rounds = pairs.map(({ a, b }) => ({ fastim: a, rival: b }));
  options.say(row(senders, rounds));
  return rounds;
}

/** The ratio of a round is the median over the numbers of senders. */
function outcomeOf(
  name: string,
  aim: number,
  counts: readonly number[],
  rounds: ReadonlyMap<number, readonly Round[]>,
): Outcome {
  const of = (senders: number): readonly Round[] => rounds.get(senders) ?? [];
  const rates = (senders: number): number[] =>
    of(senders).map(({ fastim, rival }) => fastim.perSecond / rival.perSecond);
  const lone = of(1).map(({ fastim, rival }) => rival.latencyMs.p50 / fastim.latencyMs.p50);
  return {
    measures: [
      {
        name: `${name}-lone`,
        ratios: lone,
        aim: 1,
        floor: floorOf(1),
        what: "median latency of a lone sender: the rival's by FastIM's",
      },
      {
        name,
        ratios: of(counts[0] ?? 1).map((_, round) =>
          median(counts.map((senders) => rates(senders)[round] ?? 0)),
        ),
        aim,
        floor: floorOf(aim),
        what: `messages a second: FastIM's by the rival's, median over ${counts.join(', ')} senders`,
      },
    ],
    table: [
      'senders | FastIM/s | rival/s | ratio | p50 ms | p99 ms | rival p50 | server µs | database µs | generator µs | rival server µs | rival generator µs',
      ...[1, ...counts].map((senders) => row(senders, of(senders))),
    ],
    samples: Object.fromEntries(rounds),
    plots: [rateplot(name, counts, of)],
  };
}

function row(senders: number, rounds: readonly Round[]): string {
  const of = (pick: (round: Round) => number): string => short(median(rounds.map(pick)));
  return [
    String(senders).padStart(7),
    of(({ fastim }) => fastim.perSecond),
    of(({ rival }) => rival.perSecond),
    of(({ fastim, rival }) => fastim.perSecond / rival.perSecond),
    of(({ fastim }) => fastim.latencyMs.p50),
    of(({ fastim }) => fastim.latencyMs.p99),
    of(({ rival }) => rival.latencyMs.p50),
    of(({ fastim }) => fastim.serverCpuMicros),
    of(({ fastim }) => fastim.databaseCpuMicros),
    of(({ fastim }) => fastim.generatorCpuMicros),
    of(({ rival }) => rival.serverCpuMicros),
    of(({ rival }) => rival.generatorCpuMicros),
  ].join(' | ');
}

function rateplot(
  name: string,
  counts: readonly number[],
  of: (senders: number) => readonly Round[],
): Plot {
  const all = [1, ...counts];
  const points = (pick: (round: Round) => number) =>
    all.map((senders, index) => [index, median(of(senders).map(pick))] as const);
  return {
    key: '',
    title: `${name}: acknowledged and delivered messages a second`,
    xLabel: 'senders, one message in flight each',
    yLabel: 'messages a second',
    names: all.map(String),
    series: [
      { name: 'FastIM', points: points(({ fastim }) => fastim.perSecond) },
      { name: 'Prisma transaction per message', points: points(({ rival }) => rival.perSecond) },
    ],
  };
}
