import { print } from 'graphql';
import { ColdStartDocument, type ColdStartQuery } from '../../client/generated/documents.ts';
import { inParallel } from '../load/fastim-groups.ts';
import { LoadHttp } from '../load/http.ts';
import { messageChars } from '../load/senders.ts';
import { openSockets, operation, Refusal, type LoadSocket } from '../load/socket.ts';
import { median, short } from '../runner/numbers.ts';
import { floorOf, type Outcome, type RunOptions, type Scenario } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import {
  CountingProxy,
  ofConnections,
  roundTrips,
  type Passage,
} from '../servers/counting-proxy.ts';
import { startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';
import { textOf } from '../servers/people.ts';

const aimTrips = 3;
/** How long the server is watched while nobody asks: what it asks by itself is not the query's. */
const idleMs = 3_000;
/** The time between two such queries: nothing is warm because another one was just answered. */
const quietMs = 1_500;

export const coldStart: Scenario = {
  name: 'cold-start',
  about: 'the one query of a client that starts: 500 conversations, 50,000 messages, two shards',
  defaults: { rounds: 9 },
  run,
};

const coldStartQuery = operation(print(ColdStartDocument));
const createGroup = operation(/* GraphQL */ `
  mutation CreateGroup($input: CreateGroupInput!) {
    createGroup(input: $input) {
      conversation {
        id
      }
    }
  }
`);
const sendMessage = operation(/* GraphQL */ `
  mutation Fill($input: SendMessageInput!) {
    sendMessage(input: $input) {
      message {
        seq
      }
    }
  }
`);

interface ShardSample {
  readonly statements: readonly string[];
  readonly trips: number;
  readonly bytes: number;
}
interface Sample {
  readonly ms: number;
  readonly bytes: number;
  readonly conversations: number;
  readonly shards: readonly ShardSample[];
}

async function run(options: RunOptions): Promise<Outcome> {
  const size = options.isSmoke
    ? { conversations: 10, messages: 4 }
    : { conversations: 500, messages: 99 };
  await using first = await startDatabase();
  await using second = await startDatabase();
  await using proxyOne = await CountingProxy.start(first.server.port);
  await using proxyTwo = await CountingProxy.start(second.server.port);
  const proxies = [proxyOne, proxyTwo];
  const through = (url: string, proxy: CountingProxy): string =>
    url.replace(/:\d+\//, `:${proxy.port}/`);
  await using fastim = await startFastim({
    databaseUrls: [
      through(await first.createDatabase(), proxyOne),
      through(await second.createDatabase(), proxyTwo),
    ],
    people: 9,
  });
  const { server, people } = fastim;
  const http = new LoadHttp(server.url, 8);
  const sockets = await openSockets(
    server.socketUrl,
    people.map(({ accessToken }) => ({ accessToken })),
  );
  try {
    await fill(
      people.map(({ id }) => id),
      sockets,
      size,
    );
    options.say(`${size.conversations} conversations of ${size.messages + 1} messages`);
    await pause(idleMs);
    for (const proxy of proxies) proxy.take();
    await pause(idleMs);
    const own = new Set(
      proxies.flatMap((proxy) => proxy.take().passages.map(({ text }) => key(text))),
    );
    // Whether connections are there, and alive, is the query's affair whoever else asks it.
    for (const text of ofConnections) own.delete(text);
    const token = people[0]?.accessToken ?? '';
    const pageSize = await largestPage(http, token, size.conversations);
    const samples: Sample[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      await pause(quietMs);
      samples.push(await ask(http, token, pageSize, size.messages + 1, proxies, own));
    }
    return outcomeOf(samples);
  } finally {
    http.close();
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

/** The first of them is in all conversations, with two others each; all send. */
async function fill(
  ids: readonly string[],
  sockets: readonly LoadSocket[],
  size: { readonly conversations: number; readonly messages: number },
): Promise<void> {
  const groups = Array.from({ length: size.conversations }, (_, index) => index);
  await inParallel(
    groups,
    async (index) => {
      const others = [1 + (index % 8), 1 + ((index + 1) % 8)];
      const creator = others[0] ?? 1;
      const memberIds = [0, others[1] ?? 2].map((place) => ids[place]);
      const input = { clientRequestId: `group_${index}`, title: `group ${index}`, memberIds };
      const { createGroup: made } = await socketOf(sockets, creator).request<{
        createGroup: { conversation: { id: string } };
      }>(createGroup({ input }));
      for (let n = 1; n <= size.messages; n += 1) {
        const sender = others[n % 2] ?? 1;
        const text = textOf(`group ${index} message ${n}`, messageChars);
        await socketOf(sockets, sender).request(
          sendMessage({
            input: {
              conversationId: made.conversation.id,
              clientMessageId: `client_${n}`,
              content: { text: { text } },
            },
          }),
        );
      }
    },
    64,
  );
}

/** As many conversations as one query may ask for. */
async function largestPage(http: LoadHttp, token: string, conversations: number): Promise<number> {
  try {
    await http.request(coldStartQuery({ first: conversations }), token);
    return conversations;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return Math.min(conversations, 200);
  }
}

async function ask(
  http: LoadHttp,
  token: string,
  first: number,
  lastSeq: number,
  proxies: readonly CountingProxy[],
  own: ReadonlySet<string>,
): Promise<Sample> {
  for (const proxy of proxies) proxy.take();
  const began = performance.now();
  const { viewer } = await http.request<ColdStartQuery>(coldStartQuery({ first }), token);
  const ms = performance.now() - began;
  const { edges } = viewer.conversations;
  demand(edges.length === first, `${edges.length} conversations came in place of ${first}`);
  for (const { node } of edges) {
    demand(
      node.lastSeq === lastSeq && node.lastMessage?.seq === lastSeq,
      `a conversation's last message was ${node.lastMessage?.seq ?? 'missing'}, not ${lastSeq}`,
    );
  }
  const shards = proxies.map((proxy): ShardSample => {
    const { passages, bytes } = proxy.take();
    const asked = passages.filter(({ text }: Passage) => !own.has(key(text)));
    const statements = asked.map(({ text, sentAtMs, answeredAtMs }) => {
      return `${at(sentAtMs, began)} to ${at(answeredAtMs, began)}: ${key(text)}`;
    });
    return { statements, trips: roundTrips(asked), bytes };
  });
  return { ms, bytes: JSON.stringify(viewer).length, conversations: edges.length, shards };
}

function outcomeOf(samples: readonly Sample[]): Outcome {
  const trips = samples.map(({ shards }) => Math.max(...shards.map((shard) => shard.trips)));
  const statements = samples.map(({ shards }) =>
    Math.max(...shards.map((shard) => shard.statements.length)),
  );
  const middle = (pick: (sample: Sample) => number): string => short(median(samples.map(pick)));
  return {
    measures: [
      {
        name: 'cold-start',
        ratios: trips.map((count) => aimTrips / Math.max(count, 1)),
        aim: 1,
        floor: floorOf(1),
        what: `3 round trips by those to the shard with the most: ${short(median(trips))}`,
      },
    ],
    table: [
      'conversations | ms | answer bytes | statements a shard | round trips a shard | bytes from the databases',
      [
        middle(({ conversations }) => conversations),
        middle(({ ms }) => ms),
        middle(({ bytes }) => bytes),
        short(median(statements)),
        short(median(trips)),
        middle(({ shards }) => shards.reduce((sum, { bytes }) => sum + bytes, 0)),
      ].join(' | '),
      ...(samples.at(-1)?.shards ?? []).flatMap(({ statements }, index) => [
        `  the last round's statements to shard ${index}:`,
        ...statements.map((text) => `    ${text}`),
      ]),
    ],
    samples,
    plots: [
      {
        key: '',
        title: 'cold-start: time of the one query',
        xLabel: 'round',
        yLabel: 'ms',
        series: [
          { name: 'FastIM', points: samples.map(({ ms }, index) => [index + 1, ms] as const) },
        ],
      },
    ],
  };
}

function at(ms: number, began: number): string {
  return `${(ms - began).toFixed(1)} ms`;
}

/** A statement without its values: enough to know it again. */
function key(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/'(?:[^'\\]|\\.)*'/g, '?')
    .replace(/\b\d+\b/g, '?')
    .slice(0, 160);
}

function socketOf(sockets: readonly LoadSocket[], place: number): LoadSocket {
  const socket = sockets[place];
  demand(socket !== undefined, 'everybody is connected');
  return socket;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
