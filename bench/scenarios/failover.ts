import { setTimeout as pause } from 'node:timers/promises';
import { present } from '../../src/lib/assert.ts';
import { clientsOf, Fleet, type FleetTotals } from '../fleet/fleet.ts';
import type { ClientKind, Outage } from '../fleet/protocol.ts';
import { settled, Talk } from '../fleet/talk.ts';
import { makeGroups, type Group } from '../load/fastim-groups.ts';
import { quantile, seeded, sharesOver, short } from '../runner/numbers.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import { Cluster } from '../servers/cluster.ts';
import { profiling } from '../servers/fastim.ts';

const nodeCount = 3;
/** Of each group one sends, from elsewhere; the others have their inbox open at the gate that dies. */
const groupSize = 51;
/** One group of so many is connected to the gates that stay. */
const neighboursShare = 11;
const warmUps = 4;
const missedMin = 5;
const clientProcesses = 2;
const sendsPerSecond = 20;
/** How long statements are counted without a storm, to know what there is anyhow. */
const calmMs = 3_000;
const resumeAimMs = 3_000;
const statementsAim = 0.2;
const liveWithinMs = 60_000;
const resumedWithinMs = 60_000;
const settledWithinMs = 10_000;

export const failover: Scenario = {
  name: 'failover',
  about:
    'kill -9 of a gate with 5,000 clients, each of whom misses 5 events: until all have resumed',
  defaults: { rounds: 3 },
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const groups = options.isSmoke ? 3 : 110;
  await using cluster = await Cluster.prepare({ nodes: nodeCount, people: groups * groupSize });
  await cluster.startAll();
  const parties = await makeGroups(cluster.node(1), cluster.people, groupSize);
  await cluster.stopAll();
  const atOnce: Storm[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    atOnce.push(await storm(cluster, parties, 'at-once', options.seed + round));
    options.say(lineOf('at once', atOnce.at(-1)));
  }
  // What makes a profile are those who come at once.
  const stock = profiling.folder
    ? present(atOnce[0], 'a round')
    : await storm(cluster, parties, 'graphql-ws', options.seed);
  options.say(lineOf('graphql-ws', stock));
  return outcomeOf(atOnce, stock);
}

interface Storm {
  /** From the kill until each client was live again, in ms; ascending. */
  readonly resumedMs: readonly number[];
  readonly attempts: number;
  readonly replayed: number;
  readonly statements: number;
  /** Those that there would have been without the storm. */
  readonly calmStatements: number;
  readonly sent: number;
  /** CPU from the kill until the last one had resumed, in µs. */
  readonly cpuMicros: { readonly nodes: number; readonly stores: number; readonly clients: number };
}

/**
 * One gate dies with all its clients. New processes each time, so that no node knows any of them; but each has clients of
 * its own, as gates have.
 */
async function storm(
  cluster: Cluster,
  groups: readonly Group[],
  kind: ClientKind,
  seed: number,
): Promise<Storm> {
  await cluster.startAll();
  const nodes = [0, 1, 2].map((index) => cluster.node(index));
  const sockets = nodes.map(({ socketUrl }) => socketUrl);
  const neighbours = Math.ceil(groups.length / neighboursShare);
  await using others = new Fleet({
    ...{ kind: 'at-once', gates: sockets.slice(1), processes: 1, seed },
    clients: clientsOf(groups.slice(0, neighbours), (n) => n % 2),
  });
  const clients = clientsOf(groups.slice(neighbours), () => 0);
  await using fleet = new Fleet({
    ...{ kind, clients, gates: sockets, processes: clientProcesses, seed },
  });
  const gates = nodes.map(({ url }) => url);
  using talk = new Talk({ groups, gates, random: seeded(seed) });
  talk.down.add(gates[0] ?? '');
  for (const one of [fleet, others]) await one.until(() => true, liveWithinMs, 'all are live');
  await talk.toAll();
  await warmUp(others, talk);
  await fleet.until(({ leastMessages }) => leastMessages >= 1, liveWithinMs, 'all hear');
  talk.start(sendsPerSecond);
  const before = await cluster.statements();
  const calmBegan = performance.now();
  await pause(calmMs);
  const calmPerMs = ((await cluster.statements()) - before) / (performance.now() - calmBegan);

  const dying = nodes[0]?.pid ?? 0;
  process.kill(dying, 'SIGSTOP');
  for (let missed = 0; missed < missedMin; missed += 1) await talk.toAll();
  // All of it is in the logs.
  await pause(1_000);
  const cpu = (): Storm['cpuMicros'] => ({
    nodes: nodes.slice(1).reduce((sum, node) => sum + node.cpuMicros(), 0),
    stores: cluster.storeCpuMicros(),
    clients: fleet.cpuMicros(),
  });
  const cpuBefore = cpu();
  const statementsBefore = await cluster.statements();
  const killedAtMs = Date.now();
  process.kill(dying, 'SIGKILL');
  await fleet.until(({ resumed }) => resumed >= clients.length, resumedWithinMs, 'all resumed');
  const statements = (await cluster.statements()) - statementsBefore;
  const calmStatements = calmPerMs * (Date.now() - killedAtMs);
  const cpuAfter = cpu();
  await talk.stop();
  const { outages, seen } = await settled(fleet, talk, settledWithinMs);
  demand(
    outages.length === clients.length && outages.every(({ replayed }) => replayed >= missedMin),
    `${outages.length} outages of ${clients.length} clients, in which one missed ${Math.min(...outages.map(({ replayed }) => replayed))} events`,
  );
  talk.check(seen);
  await settled(others, talk, settledWithinMs);
  const resumedMs = outages.map(({ liveAtMs }) => liveAtMs - killedAtMs).sort((a, b) => a - b);
  await cluster.stopAll();
  return {
    ...{ resumedMs, statements, calmStatements, sent: talk.acknowledged },
    cpuMicros: {
      nodes: cpuAfter.nodes - cpuBefore.nodes,
      stores: cpuAfter.stores - cpuBefore.stores,
      clients: cpuAfter.clients - cpuBefore.clients,
    },
    attempts: sum(outages, ({ attempts }) => attempts),
    replayed: sum(outages, ({ replayed }) => replayed),
  };
}

/** Has the gates that stay do what they will do, so that their code is as warm as on any day. */
async function warmUp(others: Fleet, talk: Talk): Promise<void> {
  for (let resumed = 1; resumed <= warmUps; resumed += 1) {
    others.cut();
    await talk.toAll();
    const all = (totals: FleetTotals): boolean => totals.resumed >= totals.count * resumed;
    await others.until(all, liveWithinMs, 'all of the others have resumed');
  }
}

function sum(outages: readonly Outage[], of: (outage: Outage) => number): number {
  return outages.reduce((total, outage) => total + of(outage), 0);
}

const share = (resumed: readonly number[], of: number): number => quantile(resumed, of);

function perResume({ statements, calmStatements, resumedMs }: Storm): number {
  return Math.max(0, statements - calmStatements) / resumedMs.length;
}

function each({ cpuMicros, resumedMs }: Storm, of: keyof Storm['cpuMicros']): string {
  return short(cpuMicros[of] / resumedMs.length);
}

function lineOf(name: string, storm: Storm | undefined): string {
  if (!storm) return '';
  const { resumedMs } = storm;
  const times = [0.5, 0.99, 0.999, 1].map((of) => short(share(resumedMs, of)));
  return `${name}: ${resumedMs.length} resumed, half after ${times[0]} ms, 99 % after ${times[1]} ms, 99.9 % after ${times[2]} ms, all after ${times[3]} ms; ${short(perResume(storm))} statements each (${storm.statements}, of them ${short(storm.calmStatements)} anyhow); CPU of nodes ${each(storm, 'nodes')}, databases and Redis ${each(storm, 'stores')}, clients ${each(storm, 'clients')} µs each`;
}

function outcomeOf(atOnce: readonly Storm[], stock: Storm): Outcome {
  const [first] = atOnce;
  return {
    measures: [
      {
        name: 'failover-graphql-ws',
        ratios: [resumeAimMs / share(stock.resumedMs, 0.999)],
        aim: 0,
        floor: 0,
        what: `3 s by the time until 99.9 % have resumed, graphql-ws' own backoff: ${short(share(stock.resumedMs, 0.999))} ms`,
      },
      {
        name: 'failover-statements',
        ratios: atOnce.map((storm) => statementsAim / Math.max(perResume(storm), 0.001)),
        aim: 1,
        floor: floorOf(1),
        what: `0.2 by the SQL statements of a resume: ${short(perResume(first ?? stock))}`,
      },
      {
        name: 'failover',
        ratios: atOnce.map(({ resumedMs }) => resumeAimMs / share(resumedMs, 0.999)),
        aim: 1,
        floor: floorOf(1),
        what: `3 s by the time until 99.9 % have resumed who dial again at once: ${atOnce.map(({ resumedMs }) => short(share(resumedMs, 0.999))).join(', ')} ms`,
      },
    ],
    table: [
      'clients | 50 % ms | 99 % ms | 99.9 % ms | all ms | statements each | events each | CPU µs of the nodes | of databases and Redis | of the clients',
      ...[
        ...atOnce.map((storm) => ['at once', storm] as const),
        ['graphql-ws', stock] as const,
      ].map(([name, storm]) =>
        [
          name,
          ...[0.5, 0.99, 0.999, 1].map((of) => short(share(storm.resumedMs, of))),
          short(perResume(storm)),
          short(storm.replayed / storm.resumedMs.length),
          ...(['nodes', 'stores', 'clients'] as const).map((of) => each(storm, of)),
        ].join(' | '),
      ),
    ],
    samples: { atOnce, stock },
    plots: [
      {
        key: '',
        title: 'failover: clients that have resumed after kill -9 of their gate',
        xLabel: 'seconds',
        yLabel: '%',
        series: [
          ...(first ? [{ name: 'at once', points: sharesOver(first.resumedMs) }] : []),
          { name: 'graphql-ws', points: sharesOver(stock.resumedMs) },
        ],
      },
    ],
  };
}
