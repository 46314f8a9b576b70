import { costRound, middle, type CostSample } from '../load/cost-round.ts';
import { promised } from '../load/done.ts';
import { inParallel, makeGroups, type Group } from '../load/fastim-groups.ts';
import { LoadHttp } from '../load/http.ts';
import { openSockets, operation, type LoadSocket } from '../load/socket.ts';
import { messageChars } from '../load/senders.ts';
import { Closers } from '../runner/closers.ts';
import { seeded, short } from '../runner/numbers.ts';
import { thereAndBack } from '../runner/rounds.ts';
import { weakest } from '../runner/report.ts';
import { floorOf, type Measure, type Outcome, type RunOptions } from '../runner/scenario.ts';
import type { Scenario } from '../runner/scenario.ts';
import { demand, VoidRun } from '../runner/void.ts';
import { startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';
import { textOf } from '../servers/people.ts';
import { startRival } from '../servers/rival.ts';
import type { ServerChild } from '../servers/server-child.ts';

const aim = 3;
const pageSize = 50;
const groupSize = 5;

export const history: Scenario = {
  name: 'history',
  about: 'pages of 50 messages against Prisma findMany in stock Yoga, on MariaDB',
  run,
};

const fastimPage = operation(/* GraphQL */ `
  query Page($id: ID!, $before: String!) {
    conversation(id: $id) {
      messages(last: 50, before: $before) {
        edges {
          node {
            id
            seq
            sender {
              id
              username
              displayName
            }
            clientMessageId
            content {
              ... on TextContent {
                text
              }
            }
            createdAt
          }
        }
      }
    }
  }
`);
const rivalPage = operation(/* GraphQL */ `
  query Page($id: ID!, $before: Int!) {
    messages(conversationId: $id, before: $before, take: 50) {
      id
      seq
      sender {
        id
        username
        displayName
      }
      clientMessageId
      text
      createdAt
    }
  }
`);
const fastimSend = operation(/* GraphQL */ `
  mutation Fill($input: SendMessageInput!) {
    sendMessage(input: $input) {
      message {
        seq
      }
    }
  }
`);

interface Entry {
  readonly seq: number;
  readonly text: string;
  readonly sender: { readonly username: string };
}

/** One who reads a page that ends before a seq of a group, both counted from 1 and 0, and gets what is in it. */
type Reader = (group: number, before: number) => Promise<readonly Entry[]>;

const contents = new Map<number, string>();
const groupsMax = 1_000;

/** What is sent as the nth message of a group; made once, since a reader holds 50 of them against each page. */
function contentOf(group: number, n: number): string {
  const key = n * groupsMax + group;
  const content = contents.get(key) ?? textOf(`group ${group} message ${n}`, messageChars);
  contents.set(key, content);
  return content;
}

async function run(options: RunOptions): Promise<Outcome> {
  const size = options.isSmoke ? { groups: 2, messages: 60 } : { groups: 40, messages: 500 };
  const clients = options.isSmoke ? 2 : 16;
  const groups = { count: size.groups, size: groupSize };
  const people = size.groups * groupSize;
  await using database = await startDatabase();
  await using fastim = await startFastim({
    databaseUrls: [await database.createDatabase()],
    people,
  });
  await using rival = await startRival({
    kind: 'yoga',
    databaseUrl: await database.createDatabase(),
    people,
    groups,
    messagesPerGroup: size.messages,
    textOf: (group, seq) => contentOf(group - 1, seq),
  });
  const made = await makeGroups(fastim.server, fastim.people, groupSize);
  const ourSockets = await openSockets(
    fastim.server.socketUrl,
    made.map(({ members }) => ({ accessToken: members[0]?.accessToken })),
  );
  const theirSockets = await openSockets(
    rival.server.socketUrl,
    made.map((_, index) => ({ accessToken: rival.accessTokens[index * groupSize] })),
  );
  await fill(made, ourSockets, size.messages);
  options.say(`${size.groups} groups of ${size.messages} messages, ${clients} readers`);
  await using closers = new Closers();
  const ourHttp = new LoadHttp(fastim.server.url, clients);
  const theirHttp = new LoadHttp(rival.server.url, clients);
  closers.defer(() => ourHttp.close());
  closers.defer(() => theirHttp.close());
  closers.defer(() =>
    Promise.all([...ourSockets, ...theirSockets].map((socket) => socket.close())),
  );
  const contenders: readonly (readonly [string, ServerChild, Reader, number])[] = [
    ['FastIM HTTP', fastim.server, fastimReader(made, httpOf(ourHttp, tokensOf(made))), 1],
    ['rival HTTP', rival.server, rivalReader(httpOf(theirHttp, every(rival.accessTokens))), 0],
    ['FastIM socket', fastim.server, fastimReader(made, socketOf(ourSockets)), 1],
    ['rival socket', rival.server, rivalReader(socketOf(theirSockets)), 0],
  ];
  const rounds = await thereAndBack(
    options.rounds,
    contenders.map(([name, server, reader, created]) => (round) => {
      const chance = seeded(options.seed * 1000 + round);
      const worker = promised(() => readPage(reader, size, created, chance));
      const workers = Array.from({ length: clients }, () => worker);
      return costRound(name, server, workers, options, () => database.cpuMicros());
    }),
  );
  return outcomeOf(
    contenders.map(([name]) => name),
    rounds,
  );
}

/** A page at random, checked: its length, its seqs, its texts. */
async function readPage(
  reader: Reader,
  size: { readonly groups: number; readonly messages: number },
  /** System messages before the first of ours. */
  created: number,
  chance: () => number,
): Promise<void> {
  const group = Math.floor(chance() * size.groups);
  const end = pageSize + Math.floor(chance() * (size.messages - pageSize + 1));
  const before = end + created + 1;
  const entries = await reader(group, before);
  demand(entries.length === pageSize, `a page had ${entries.length} messages`);
  for (const [index, { seq, text }] of entries.entries()) {
    const n = end - pageSize + 1 + index;
    if (seq !== n + created || text !== contentOf(group, n)) {
      throw new VoidRun(`message ${n} of group ${group} was another: seq ${seq}, ${text}`);
    }
  }
}

type Call = <Data>(group: number, payload: string) => Promise<Data>;

const httpOf =
  (http: LoadHttp, tokens: readonly string[]): Call =>
  (group, payload) =>
    http.request(payload, tokens[group] ?? '');
const socketOf =
  (sockets: readonly LoadSocket[]): Call =>
  (group, payload) => {
    const socket = sockets[group];
    demand(socket !== undefined, 'every group has a socket');
    return socket.request(payload);
  };
const tokensOf = (groups: readonly Group[]): string[] =>
  groups.map(({ members }) => members[0]?.accessToken ?? '');
const every = (tokens: readonly string[]): string[] =>
  tokens.filter((_, index) => index % groupSize === 0);

function fastimReader(groups: readonly Group[], call: Call): Reader {
  interface Page {
    conversation: { messages: { edges: { node: Entry & { content: { text: string } } }[] } };
  }
  return async (group, before) => {
    const payload = fastimPage({ id: groups[group]?.id, before: String(before) });
    const { conversation } = await call<Page>(group, payload);
    return conversation.messages.edges.map(({ node }) => ({ ...node, text: node.content.text }));
  };
}

function rivalReader(call: Call): Reader {
  return async (group, before) => {
    const payload = rivalPage({ id: String(group + 1), before });
    return (await call<{ messages: Entry[] }>(group, payload)).messages;
  };
}

/** Sends what the rival has in its tables. */
async function fill(
  groups: readonly Group[],
  sockets: readonly LoadSocket[],
  messages: number,
): Promise<void> {
  await inParallel(groups, async ({ id: conversationId }, index) => {
    for (let n = 1; n <= messages; n += 1) {
      const content = { text: { text: contentOf(index, n) } };
      const input = { conversationId, clientMessageId: `client_${n}`, content };
      await sockets[index]?.request(fastimSend({ input }));
    }
  });
}

function outcomeOf(names: readonly string[], rounds: CostSample[][]): Outcome {
  const measure = (name: string, ours: number, theirs: number): Measure => ({
    name: `history-${name}`,
    ratios: rounds.map(
      (samples) => (samples[ours]?.perSecond ?? 0) / (samples[theirs]?.perSecond ?? 1),
    ),
    aim,
    floor: floorOf(aim),
    what: `pages a second over ${name === 'http' ? 'HTTP' : 'the socket'}: FastIM's by the rival's`,
  });
  const measures = [measure('http', 0, 1), measure('socket', 2, 3)];
  const last = weakest(measures);
  return {
    measures: [...measures, ...(last ? [{ ...last, name: 'history' }] : [])],
    table: [
      'contender | pages/s | p50 ms | p99 ms | server µs | database µs | generator µs',
      ...names.map((name, index) => {
        const of = (pick: (sample: CostSample) => number) => short(middle(rounds, index, pick));
        return [
          name,
          of(({ perSecond }) => perSecond),
          of(({ latencyMs }) => latencyMs.p50),
          of(({ latencyMs }) => latencyMs.p99),
          of(({ serverCpuMicros }) => serverCpuMicros),
          of(({ databaseCpuMicros }) => databaseCpuMicros),
          of(({ generatorCpuMicros }) => generatorCpuMicros),
        ].join(' | ');
      }),
    ],
    samples: rounds,
    plots: [
      {
        key: '',
        title: 'history: pages of 50 a second',
        xLabel: '16 readers, one page in flight each',
        yLabel: 'pages a second',
        names: ['HTTP', 'socket'],
        series: ['FastIM', 'stock Yoga, Prisma findMany'].map((name, side) => ({
          name,
          points: [0, 1].map(
            (way) => [way, middle(rounds, way * 2 + side, (sample) => sample.perSecond)] as const,
          ),
        })),
      },
    ],
  };
}
