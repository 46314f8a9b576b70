import { costRound, middle, type CostSample } from '../load/cost-round.ts';
import { promised } from '../load/done.ts';
import { makeGroups } from '../load/fastim-groups.ts';
import { LoadHttp } from '../load/http.ts';
import { openSockets, operation, type LoadSocket } from '../load/socket.ts';
import { Closers } from '../runner/closers.ts';
import { short } from '../runner/numbers.ts';
import { weakest } from '../runner/report.ts';
import { thereAndBack } from '../runner/rounds.ts';
import { floorOf, type Measure, type Outcome, type RunOptions } from '../runner/scenario.ts';
import type { Scenario } from '../runner/scenario.ts';
import { demand } from '../runner/void.ts';
import { startDatabase } from '../servers/database.ts';
import { startFastim } from '../servers/fastim.ts';
import { startRival } from '../servers/rival.ts';
import type { ServerChild } from '../servers/server-child.ts';

interface Comparison {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
  readonly aim: number;
}

/** An open socket is the cheap road beside stock Yoga's requests; and no dearer than Yoga's own socket. */
const comparisons: readonly Comparison[] = [
  { name: 'http', ours: 'FastIM HTTP', theirs: 'Yoga HTTP', aim: 1.8 },
  { name: 'socket', ours: 'FastIM socket', theirs: 'Yoga HTTP', aim: 4 },
  { name: 'sockets', ours: 'FastIM socket', theirs: 'Yoga socket', aim: 1 },
];
const groupSize = 5;

export const request: Scenario = {
  name: 'request',
  about: 'server CPU of a cheap query and a cheap mutation against stock Yoga and mercurius',
  defaults: { seconds: 3 },
  run,
};

/** The same words for all: FastIM's API and the rivals' agree in them. */
const query = operation('query Me { viewer { user { id } } }');
const fastimTyping = operation(
  `mutation Typing($conversationId: ID!, $isTyping: Boolean!) {
    setTyping(conversationId: $conversationId, isTyping: $isTyping) { conversationId }
  }`,
);
const rivalTyping = operation(
  `mutation Typing($conversationId: ID!, $isTyping: Boolean!) {
    setTyping(conversationId: $conversationId, isTyping: $isTyping)
  }`,
);

/** Somebody who asks, and what must come back. */
interface Asker {
  readonly call: <Data>(payload: string) => Promise<Data>;
  readonly userId: string;
  readonly conversationId: string;
}

interface Contender {
  readonly name: string;
  readonly server: ServerChild;
  readonly askers: readonly Asker[];
  readonly typing: (variables: object) => string;
  readonly typed: (data: { setTyping: unknown }) => unknown;
}

const kinds = ['query', 'mutation'] as const;
const ways = ['HTTP', 'socket'] as const;

async function run(options: RunOptions): Promise<Outcome> {
  const groups = { count: options.isSmoke ? 2 : 16, size: groupSize };
  const people = groups.count * groupSize;
  await using database = await startDatabase();
  await using fastim = await startFastim({
    databaseUrls: [await database.createDatabase()],
    people,
  });
  const databaseUrl = await database.createDatabase();
  await using yoga = await startRival({ kind: 'yoga', databaseUrl, people, groups });
  await using mercurius = await startRival({ kind: 'mercurius', databaseUrl, people: 0, groups });
  const made = await makeGroups(fastim.server, fastim.people, groupSize);
  const ours = made.map(({ id, members }) => ({
    accessToken: members[0]?.accessToken ?? '',
    userId: members[0]?.id ?? '',
    conversationId: id,
  }));
  const theirs = (tokens: readonly string[]) =>
    made.map((_, index) => ({
      accessToken: tokens[index * groupSize] ?? '',
      userId: String(index * groupSize + 1),
      conversationId: String(index + 1),
    }));
  await using closers = new Closers();
  const contenders: Contender[] = [
    ...(await both('FastIM', fastim.server, ours, closers)).map((each) => ({
      ...each,
      typing: fastimTyping,
      typed: (data: { setTyping: unknown }) =>
        (data.setTyping as { conversationId: string }).conversationId,
    })),
    ...(await both('Yoga', yoga.server, theirs(yoga.accessTokens), closers)).map(asRival),
    ...(
      await both('mercurius', mercurius.server, theirs(mercurius.accessTokens), closers, ['HTTP'])
    ).map(asRival),
  ];
  const samples: Record<string, CostSample[][]> = {};
  for (const kind of kinds) {
    samples[kind] = await thereAndBack(
      options.rounds,
      contenders.map(
        (contender) => () =>
          costRound(
            contender.name,
            contender.server,
            workersOf(contender, kind).map(promised),
            options,
            () => database.cpuMicros(),
          ),
      ),
    );
    options.say(`${kind}: done`);
  }
  return outcomeOf(contenders, samples);
}

const asRival = (each: Omit<Contender, 'typing' | 'typed'>): Contender => ({
  ...each,
  typing: rivalTyping,
  typed: ({ setTyping }) => setTyping,
});

/** One contender over HTTP and over the socket. */
async function both(
  name: string,
  server: ServerChild,
  people: readonly { accessToken: string; userId: string; conversationId: string }[],
  closers: Closers,
  which: readonly ('HTTP' | 'socket')[] = ways,
): Promise<Omit<Contender, 'typing' | 'typed'>[]> {
  const http = new LoadHttp(server.url, people.length);
  closers.defer(() => http.close());
  const overHttp = people.map((person) => ({
    ...person,
    call: <Data>(payload: string) => http.request<Data>(payload, person.accessToken),
  }));
  if (!which.includes('socket')) return [{ name: `${name} HTTP`, server, askers: overHttp }];
  const sockets = await openSockets(
    server.socketUrl,
    people.map(({ accessToken }) => ({ accessToken })),
  );
  closers.defer(() => Promise.all(sockets.map((socket) => socket.close())));
  const overSocket = people.map((person, index) => {
    const socket = sockets[index] as LoadSocket;
    return { ...person, call: <Data>(payload: string) => socket.request<Data>(payload) };
  });
  return [
    { name: `${name} HTTP`, server, askers: overHttp },
    { name: `${name} socket`, server, askers: overSocket },
  ];
}

function workersOf(
  { askers, typing, typed, name }: Contender,
  kind: (typeof kinds)[number],
): ((turn: number) => Promise<void>)[] {
  return askers.map(({ call, userId, conversationId }) =>
    kind === 'query'
      ? async () => {
          const { viewer } = await call<{ viewer: { user: { id: string } } }>(query({}));
          demand(viewer.user.id === userId, `${name} took ${userId} for ${viewer.user.id}`);
        }
      : async (turn) => {
          const data = await call<{ setTyping: unknown }>(
            typing({ conversationId, isTyping: turn % 2 === 0 }),
          );
          demand(typed(data) === conversationId, `${name} answered another conversation`);
        },
  );
}

function outcomeOf(
  contenders: readonly Contender[],
  samples: Readonly<Record<string, CostSample[][]>>,
): Outcome {
  const place = (name: string): number => contenders.findIndex((each) => each.name === name);
  const measureOf = (kind: (typeof kinds)[number], { name, ours, theirs, aim }: Comparison) => ({
    name: `request-${name}-${kind}`,
    ratios: (samples[kind] ?? []).map(
      (round) =>
        (round[place(theirs)]?.serverCpuMicros ?? 0) / (round[place(ours)]?.serverCpuMicros ?? 1),
    ),
    aim,
    floor: floorOf(aim),
    what: `server CPU of a ${kind}: that of ${theirs} by that of ${ours}`,
  });
  const measures = kinds.flatMap((kind) =>
    comparisons.map((comparison): Measure => measureOf(kind, comparison)),
  );
  const last = weakest(measures);
  const cpu = (kind: string, index: number): number =>
    middle(samples[kind] ?? [], index, ({ serverCpuMicros }) => serverCpuMicros);
  return {
    measures: [...measures, ...(last ? [{ ...last, name: 'request' }] : [])],
    table: [
      'contender | query µs | mutation µs | query/s | mutation/s | generator µs for a query',
      ...contenders.map(({ name }, index) =>
        [
          name,
          ...kinds.map((kind) => short(cpu(kind, index))),
          ...kinds.map((kind) =>
            short(middle(samples[kind] ?? [], index, ({ perSecond }) => perSecond)),
          ),
          short(
            middle(samples['query'] ?? [], index, ({ generatorCpuMicros }) => generatorCpuMicros),
          ),
        ].join(' | '),
      ),
    ],
    samples,
    plots: [
      {
        key: '',
        title: 'request: CPU of the server for one request',
        xLabel: 'contender',
        yLabel: 'µs',
        names: contenders.map(({ name }) => name),
        series: kinds.map((kind) => ({
          name: kind,
          points: contenders.map((_, index) => [index, cpu(kind, index)] as const),
        })),
      },
    ],
  };
}
