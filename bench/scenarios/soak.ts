import { setTimeout as pause } from 'node:timers/promises';
import { promised, whenDone } from '../load/done.ts';
import { openLoop } from '../load/open-loop.ts';
import type { Sender } from '../load/sender.ts';
import { connectFastim, type SendContender } from '../load/senders.ts';
import { sendRound } from '../load/send-round.ts';
import { operation } from '../load/socket.ts';
import {
  flatness,
  growthPerMinute,
  loopDelays,
  watchMemory,
  type LoopDelay,
  type Point,
} from '../load/watch-server.ts';
import { demandSwift } from '../load/loop-lag.ts';
import { quantile, seeded, short } from '../runner/numbers.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import { startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';

const groupSize = 5;
const loopDelayMaxMs = 20;
const flatAim = 0.95;
const settleWithinMs = 10_000;

export const soak: Scenario = {
  name: 'soak',
  about: 'ten minutes of mixed load at half of saturation: memory and event loop',
  defaults: { rounds: 1, seconds: 600 },
  run,
};

const page = operation(
  'query Page($id: ID!) { conversation(id: $id) { messages(last: 50) { edges { node { seq content { ... on TextContent { text } } sender { id } } } } } }',
);
const markRead = operation(
  'mutation Read($input: MarkReadInput!) { markRead(input: $input) { member { readSeq unreadCount } } }',
);
const setTyping = operation(
  'mutation Typing($id: ID!, $is: Boolean!) { setTyping(conversationId: $id, isTyping: $is) { conversationId } }',
);
const viewer = operation('query Me { viewer { user { id username } unreadCount } }');

async function run(options: RunOptions): Promise<Outcome> {
  const senders = options.isSmoke ? 8 : 256;
  await using database = await startDatabase();
  await using fastim = await startFastim({
    databaseUrls: [await database.createDatabase()],
    people: senders * groupSize,
    watchesLoop: true,
  });
  await using contender = await connectFastim(fastim, groupSize);
  const saturation = await sendRound(
    contender,
    senders,
    { ...options, seconds: options.isSmoke ? 1 : 10 },
    () => database.cpuMicros(),
  );
  const perSecond = saturation.perSecond / 2;
  options.say(
    `saturated at ${short(saturation.perSecond)} sends a second; half of it for ${options.seconds} s`,
  );
  // What the burst left is done before.
  await pause(options.isSmoke ? 100 : 5_000);
  return await measure(contender, perSecond, fastim.loopFile, saturation, options);
}

async function measure(
  contender: SendContender,
  perSecond: number,
  loopFile: string,
  saturation: unknown,
  options: RunOptions,
): Promise<Outcome> {
  const { server, senders, deliveries } = contender;
  process.kill(server.pid, 'SIGUSR2');
  const began = Date.now();
  const memory = watchMemory(server, options.isSmoke ? 100 : 1_000);
  const cpu = server.cpuMicros();
  const chance = seeded(options.seed);
  const latencies: Record<string, number[]> = {};
  const result = await openLoop(
    perSecond,
    { seconds: options.seconds, underWayMax: 10_000 },
    (intended, turn, done) => {
      const sender = senders[Math.floor(chance() * senders.length)];
      const drawn = chance();
      promised(async () => {
        if (!sender) return;
        const kind = await act(sender, drawn);
        (latencies[kind] ??= []).push(performance.now() - intended);
      })(turn, done);
    },
  );
  await deliveries.settle(settleWithinMs);
  contender.check();
  demandSwift(result.lagP99Ms, options.isLenient);
  demand(result.heldBack === 0, `${result.heldBack} requests could not begin: it is saturated`);
  await pause(1_100);
  return outcomeOf({
    points: memory.stop(),
    delays: await loopDelays(loopFile, began),
    latencies,
    saturation,
    perSecond: (result.offered / result.elapsedMs) * 1000,
    serverCpuMicros: (server.cpuMicros() - cpu) / Math.max(result.offered, 1),
    generatorLagP99Ms: result.lagP99Ms,
  });
}

/** Mostly sends, as in a chat; each answer is checked for its form. */
async function act(
  sender: Sender,
  drawn: number,
): Promise<'send' | 'page' | 'read' | 'typing' | 'viewer'> {
  const { socket, conversationId } = sender;
  if (drawn < 0.7) {
    await whenDone((done) => sender.send(done));
    return 'send';
  }
  if (drawn < 0.8) {
    const { conversation } = await socket.request<{
      conversation: { messages: { edges: { node: { seq: number } }[] } };
    }>(page({ id: conversationId }));
    const seqs = conversation.messages.edges.map(({ node }) => node.seq);
    demand(
      seqs.every((seq, index) => index === 0 || seq === (seqs[index - 1] ?? 0) + 1),
      `a page of ${conversationId} had a gap`,
    );
    return 'page';
  }
  if (drawn < 0.9) {
    await socket.request(markRead({ input: { conversationId, seq: 1_000_000 } }));
    return 'read';
  }
  if (drawn < 0.96) {
    await socket.request(setTyping({ id: conversationId, is: drawn < 0.93 }));
    return 'typing';
  }
  await socket.request(viewer({}));
  return 'viewer';
}

interface Soaked {
  readonly points: readonly Point[];
  readonly delays: readonly LoopDelay[];
  readonly latencies: Readonly<Record<string, number[]>>;
  readonly saturation: unknown;
  readonly perSecond: number;
  readonly serverCpuMicros: number;
  readonly generatorLagP99Ms: number;
}

function outcomeOf({ points, delays, latencies, ...rest }: Soaked): Outcome {
  const overall = delays.at(-1)?.overallP99Ms ?? Infinity;
  const summary = Object.entries(latencies).map(([kind, all]) => ({
    kind,
    count: all.length,
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    p999: quantile(all, 0.999),
  }));
  const first = delays[0]?.at ?? 0;
  return {
    measures: [
      {
        name: 'soak-memory',
        ratios: [flatness(points)],
        aim: flatAim,
        floor: flatAim,
        what: `memory of the middle third by that of the last: ${short(growthPerMinute(points))} MiB a minute`,
      },
      {
        name: 'soak',
        ratios: [loopDelayMaxMs / Math.max(overall, 0.01)],
        aim: 1,
        floor: floorOf(1),
        what: `20 ms by the event loop's delay at p99: ${short(overall)} ms`,
      },
    ],
    table: [
      `${short(rest.perSecond)} requests a second, ${short(rest.serverCpuMicros)} µs of CPU each`,
      'request | count | p50 ms | p99 ms | p99.9 ms',
      ...summary.map(({ kind, count, p50, p99, p999 }) =>
        [kind, count, short(p50), short(p99), short(p999)].join(' | '),
      ),
    ],
    samples: { ...rest, latencies: summary, memoryMib: points, loopDelay: delays },
    plots: [
      {
        key: 'memory',
        title: 'soak: resident memory of the server',
        xLabel: 'seconds',
        yLabel: 'MiB',
        series: [{ name: 'RSS', points }],
      },
      {
        key: 'loop',
        title: "soak: delay of the server's event loop in each second",
        xLabel: 'seconds',
        yLabel: 'ms',
        bound: loopDelayMaxMs,
        series: [
          {
            name: 'p99',
            points: delays.map(({ at, p99Ms }) => [(at - first) / 1000, p99Ms] as const),
          },
          {
            name: 'p50',
            points: delays.map(({ at, p50Ms }) => [(at - first) / 1000, p50Ms] as const),
          },
        ],
      },
    ],
  };
}
