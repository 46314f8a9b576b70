import { setTimeout as pause } from 'node:timers/promises';
import { clientsOf, Fleet, type FleetTotalReport } from '../fleet/fleet.ts';
import type { ClientKind, Outage } from '../fleet/protocol.ts';
import { settled, Talk } from '../fleet/talk.ts';
import { makeGroups, type Group } from '../load/fastim-groups.ts';
import { quantile, seeded, sharesOver, short } from '../runner/numbers.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import { Cluster } from '../servers/cluster.ts';

const nodeCount = 3;
const groupSize = 51;
const sendsPerSecond = 50;
const silenceAimMs = 2_000;
const drained = 4604;
const liveWithinMs = 60_000;
const settledWithinMs = 20_000;
/** Between one node that is ready again and the next one that goes. */
const restMs = 2_000;

export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  about:
    'each of three nodes is asked to end and starts again, under load: how long clients hear nothing',
  defaults: { rounds: 1 },
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const count = options.isSmoke ? 3 : 30;
  await using cluster = await Cluster.prepare({ nodes: nodeCount, people: count * groupSize });
  await cluster.startAll();
  const groups = await makeGroups(cluster.node(0), cluster.people, groupSize);
  const rounds: Restart[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    rounds.push(await restartAll(cluster, groups, options.seed + round));
    options.say(lineOf(rounds.at(-1)));
  }
  return outcomeOf(rounds);
}

interface Side {
  /** From the close of a connection until the client was live again, in ms; ascending. */
  readonly silencesMs: readonly number[];
  /** From a commit until a client had it: the longest of each client, in ms. */
  readonly longestDelaysMs: readonly number[];
}

interface Restart {
  readonly atOnce: Side;
  readonly stock: Side;
  readonly sent: number;
  readonly retries: number;
  readonly longestSendMs: number;
  readonly tookMs: number;
}

/** Two of three groups come back at once, the others as graphql-ws' own client does. */
async function restartAll(
  cluster: Cluster,
  groups: readonly Group[],
  seed: number,
): Promise<Restart> {
  const nodes = Array.from({ length: nodeCount }, (_, index) => cluster.node(index));
  const gates = nodes.map(({ socketUrl }) => socketUrl);
  const split = Math.ceil((groups.length * 2) / 3);
  const fleetOf = (kind: ClientKind, some: readonly Group[]): Fleet =>
    new Fleet({
      ...{ kind, gates, processes: 1, seed },
      clients: clientsOf(some, (n) => n % nodeCount),
    });
  await using atOnce = fleetOf('at-once', groups.slice(0, split));
  await using stock = fleetOf('graphql-ws', groups.slice(split));
  const fleets = [atOnce, stock];
  for (const fleet of fleets) await fleet.until(() => true, liveWithinMs, 'all are live');
  using talk = new Talk({ groups, gates: nodes.map(({ url }) => url), random: seeded(seed) });
  await talk.toAll();
  talk.start(sendsPerSecond);
  const began = performance.now();
  for (let index = 0; index < nodeCount; index += 1) {
    await pause(restMs);
    await cluster.stop(index);
    await cluster.start(index);
    for (const fleet of fleets) await fleet.until(() => true, liveWithinMs, 'all are live again');
  }
  const tookMs = performance.now() - began;
  await talk.stop();
  const [one, other] = [
    await settled(atOnce, talk, settledWithinMs),
    await settled(stock, talk, settledWithinMs),
  ];
  for (const { outages } of [one, other]) {
    const codes = new Set(outages.map(({ closeCode }) => closeCode));
    demand(codes.size === 1 && codes.has(drained), `closed with ${[...codes].join(', ')}`);
  }
  return {
    ...{ atOnce: sideOf(one), stock: sideOf(other), tookMs },
    ...{ sent: talk.acknowledged, retries: talk.retries, longestSendMs: talk.longestMs },
  };
}

const silenceOf = ({ closedAtMs, liveAtMs }: Outage): number => liveAtMs - closedAtMs;

function sideOf({ outages, longestDelaysMs }: FleetTotalReport): Side {
  return { silencesMs: outages.map(silenceOf).sort((a, b) => a - b), longestDelaysMs };
}

const longest = ({ silencesMs }: Side): number => silencesMs.at(-1) ?? 0;

function cellsOf(name: string, { silencesMs, longestDelaysMs }: Side): string {
  return [
    ...[name, silencesMs.length],
    ...[0.5, 0.99, 1].map((share) => short(quantile(silencesMs, share))),
    ...[0.5, 1].map((share) => short(quantile(longestDelaysMs, share))),
  ].join(' | ');
}

function lineOf(restart: Restart | undefined): string {
  if (!restart) return '';
  const { atOnce, stock, sent, retries, longestSendMs, tookMs } = restart;
  return `${short(tookMs / 1000)} s for ${nodeCount} nodes; longest silence ${longest(atOnce)} ms at once, ${longest(stock)} ms with graphql-ws' backoff; ${sent} sends, ${retries} tries more, the longest ${short(longestSendMs)} ms, none refused`;
}

function outcomeOf(rounds: readonly Restart[]): Outcome {
  const [first] = rounds;
  return {
    measures: [
      {
        name: 'rolling-restart',
        ratios: rounds.map(({ atOnce }) => silenceAimMs / Math.max(longest(atOnce), 1)),
        aim: 1,
        floor: floorOf(1),
        what: `2 s by the longest silence of a client that dials again at once: ${rounds.map(({ atOnce }) => longest(atOnce)).join(', ')} ms; graphql-ws' own backoff: ${rounds.map(({ stock }) => longest(stock)).join(', ')} ms`,
      },
    ],
    table: [
      'clients | resumed | silent ms 50 % | 99 % | longest | commit to view ms 50 % | longest',
      ...rounds.flatMap(({ atOnce, stock }) => [
        cellsOf('at once', atOnce),
        cellsOf('graphql-ws', stock),
      ]),
      ...rounds.map(lineOf),
    ],
    samples: rounds,
    plots: [
      {
        key: '',
        title: 'rolling restart: clients by how long they heard nothing',
        xLabel: 'seconds',
        yLabel: '%',
        series: [
          { name: 'at once', points: sharesOver(first?.atOnce.silencesMs ?? []) },
          { name: 'graphql-ws', points: sharesOver(first?.stock.silencesMs ?? []) },
        ],
      },
    ],
  };
}
