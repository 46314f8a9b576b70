import { Redis } from 'ioredis';
import { systemClock } from '../../src/lib/clock.ts';
import { noFailpoints } from '../../src/lib/failpoint.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import type { Message } from '../../src/domain/timeline/timeline.ts';
import type { AppendJob } from '../../src/realtime/inbox/append-job.ts';
import { RedisInboxLog } from '../../src/realtime/inbox/inbox-log.redis.ts';
import { messageKey } from '../../src/realtime/inbox/timeline-reads.ts';
import { Stays } from '../../src/realtime/nodes/stays.redis.ts';
import { gateChannel, routeOf } from '../../src/realtime/nodes/stays.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { startRedis } from '../../test/support/redis.ts';
import { StreamPerUser } from '../rivals/stream-per-user.ts';
import { median, short } from '../runner/numbers.ts';
import { abba } from '../runner/rounds.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';

export const inboxLog: Scenario = {
  name: 'inbox-log',
  about: 'CPU of Redis for one recipient of one message: the append script, and a stream per user',
  defaults: { seconds: 2 },
  run,
};

/** A batch: so many conversations with one message each, so many recipients of each, and at how many gates they are. */
interface Case {
  readonly name: string;
  readonly conversations: number;
  readonly recipients: number;
  readonly gates: number;
  /** What a recipient may cost. Chosen a little above the first measurement: it guards what was reached, and proves no more. */
  readonly boundUs: number;
}

const cases: readonly Case[] = [
  { name: '1 of 2 offline', conversations: 1, recipients: 2, gates: 0, boundUs: 100 },
  { name: '16 of 5 offline', conversations: 16, recipients: 5, gates: 0, boundUs: 15 },
  { name: '1 of 200 offline', conversations: 1, recipients: 200, gates: 0, boundUs: 15 },
  { name: '1 of 2 online', conversations: 1, recipients: 2, gates: 2, boundUs: 100 },
  { name: '1 of 200 online', conversations: 1, recipients: 200, gates: 3, boundUs: 15 },
  { name: '16 of 5 online', conversations: 16, recipients: 5, gates: 3, boundUs: 15 },
];
const text = 'x'.repeat(100);
const firstId = 1n << 40n;

async function run(options: RunOptions): Promise<Outcome> {
  const measured = [];
  for (const one of cases) {
    const rounds = await abba(
      options.rounds,
      () => measure(one, options.seconds, ours),
      () => measure(one, options.seconds, rivals),
    );
    measured.push({ ...one, rounds });
    options.say(`${one.name}: ${short(median(rounds.map(({ a }) => a.redis)))} µs`);
  }
  return {
    measures: measured.map(({ name, boundUs, rounds }, index) => ({
      name: index === cases.length - 1 ? 'inbox-log' : `inbox-log-${name.replaceAll(' ', '-')}`,
      ratios: rounds.map(({ a }) => boundUs / a.redis),
      aim: 1,
      floor: floorOf(1),
      what: `${boundUs} µs (a guard, not an aim) by the CPU of Redis for a recipient: ${name}`,
    })),
    table: [
      'messages and recipients | FastIM: Redis µs | node µs | stream per user: Redis µs | node µs',
      ...measured.map(({ name, rounds }) =>
        [
          name,
          ...[rounds.map(({ a }) => a), rounds.map(({ b }) => b)].flatMap((side) => [
            short(median(side.map(({ redis }) => redis))),
            short(median(side.map(({ node }) => node))),
          ]),
        ].join(' | '),
      ),
    ],
    samples: measured,
    plots: [],
  };
}

/** One way to write inboxes, made ready. */
interface Contender extends AsyncDisposable {
  /** Appends the next message of each conversation. */
  append(seq: number): Promise<void>;
  /** How many entries the logs of these users have got. */
  entries(userId: bigint): Promise<number>;
}
type Make = (one: Case, url: string, client: Redis) => Promise<Contender>;

/** µs of CPU for one recipient of one message: of Redis, and of this process, which writes and hears as gates do. */
interface Cost {
  readonly redis: number;
  readonly node: number;
}

async function measure(one: Case, seconds: number, make: Make): Promise<Cost> {
  await using redis = await startRedis();
  const client = new Redis(redis.url);
  try {
    await using contender = await make(one, redis.url, client);
    let seq = 0;
    for (; seq < 20; seq += 1) await contender.append(seq + 1);
    const before = await cpuSeconds(client);
    const nodeBefore = process.cpuUsage();
    const endsAtMs = performance.now() + seconds * 1_000;
    const from = seq;
    while (performance.now() < endsAtMs) await contender.append((seq += 1));
    const cpu = (await cpuSeconds(client)) - before;
    const { user, system } = process.cpuUsage(nodeBefore);
    demand(
      (await contender.entries(userOf(one, 0, 0))) === Math.min(seq, 50),
      'each message has an entry',
    );
    const count = (seq - from) * one.conversations * one.recipients;
    return { redis: (cpu * 1e6) / count, node: (user + system) / count };
  } finally {
    client.disconnect();
  }
}

const ours: Make = async (one, url) => {
  const log = createLogger({ level: 'silent' });
  const buckets = new RedisBuckets([url], { log, limits });
  await buckets.start();
  const inboxes = new RedisInboxLog({
    buckets,
    clock: systemClock,
    failpoints: noFailpoints,
    limits,
  });
  const gates = Array.from({ length: one.gates }, (_, at) => {
    return new Stays({ buckets, gate: `gate.${at}`, clock: systemClock, log, limits });
  });
  for (const gate of gates) await gate.start();
  for (const [at, userId] of usersOf(one).entries()) {
    await inboxes.open(userId);
    await gates[at % one.gates]?.set(routeOf(userId), true, 1);
  }
  const [place] = inboxes.places;
  const channels = gates.map((_, at) => [gateChannel(`gate.${at}`)]);
  const deafen = await listen(url, channels);
  return {
    async append(seq) {
      if (place) await inboxes.append(place, jobOf(one, seq));
    },
    async entries(userId) {
      const { epoch, lastOffset } = await inboxes.open(userId);
      const after = lastOffset > 50n ? lastOffset - 50n : 0n;
      return (await inboxes.read(userId, { epoch, offset: after }, 100)).length;
    },
    async [Symbol.asyncDispose]() {
      deafen();
      for (const gate of gates) await gate.stop();
      await buckets.stop();
    },
  };
};

const rivals: Make = async (one, url, client) => {
  const rival = new StreamPerUser(client, limits.inboxLogEventsKept);
  const rows = Array.from({ length: one.conversations }, (_, at) => ({
    text,
    recipients: recipientsOf(one, at),
  }));
  const users = usersOf(one);
  const channels = Array.from({ length: one.gates }, (_, gate) =>
    users.filter((_user, at) => at % one.gates === gate).map((userId) => `user:${userId}`),
  );
  const deafen = await listen(url, channels);
  return {
    append: () => rival.append(rows, one.gates > 0),
    entries: async (userId) => Math.min(await client.xlen(`inbox:${userId}`), 50),
    async [Symbol.asyncDispose]() {
      deafen();
    },
  };
};

/** What gates hear, each on a connection of its own: a publish that nobody hears costs Redis less. @returns what ends it. */
async function listen(url: string, gates: readonly (readonly string[])[]): Promise<() => void> {
  const clients = await Promise.all(
    gates.map(async (channels) => {
      const client = new Redis(url);
      await client.subscribe(...channels);
      return client;
    }),
  );
  return () => {
    for (const client of clients) client.disconnect();
  };
}

function jobOf(one: Case, seq: number): AppendJob {
  const messages = new Map<string, Message>();
  const stretches = Array.from({ length: one.conversations }, (_, at) => {
    const conversationId = firstId + BigInt(at);
    messages.set(messageKey({ conversationId, seq }), messageOf(conversationId, seq));
    const event = { kind: 'added', conversationId, firstSeq: seq, count: 1 } as const;
    const recipients = recipientsOf(one, at).map((userId) => ({ userId, joinedSeq: 1 }));
    return {
      conversationId,
      firstEventNo: seq,
      nextEventNo: seq + 1,
      membersEventNo: 1,
      atMs: Date.now(),
      events: [{ eventNo: seq, event, recipients }],
    };
  });
  return { kind: 'events', stretches, telling: { messages, regimes: new Map() } };
}

function messageOf(conversationId: bigint, seq: number): Message {
  return {
    conversationId,
    seq,
    senderId: firstId,
    clientMessageId: `m${seq}`,
    content: { kind: 'TEXT', text },
    createdAtMs: Date.now(),
    editedAtMs: null,
    recalledAtMs: null,
    changeSeq: 0,
    replyToSeq: null,
  };
}

const userOf = ({ recipients }: Case, conversation: number, at: number): bigint =>
  firstId * 2n + BigInt(conversation * recipients + at);

function recipientsOf(one: Case, conversation: number): bigint[] {
  return Array.from({ length: one.recipients }, (_, at) => userOf(one, conversation, at));
}

function usersOf(one: Case): bigint[] {
  return Array.from({ length: one.conversations }, (_, at) => recipientsOf(one, at)).flat();
}

async function cpuSeconds(client: Redis): Promise<number> {
  const info = await client.info('cpu');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? NaN);
  return of('used_cpu_user') + of('used_cpu_sys');
}
