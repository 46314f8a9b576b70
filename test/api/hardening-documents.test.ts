import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../src/limits.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { askHttp, openSocket, wires, type RawOperation } from '../support/wires.ts';

let server: TestServer;
let user: TestUser;
let accessToken: string;
beforeAll(async () => {
  server = await startTestServer();
  user = await signUp(server, 'ann');
  ({ accessToken } = user.auth);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const many = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join(' ');
const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 'x');
/** As text, since JSON.stringify would not go so deep. */
const nestedText = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

const introspection = `fragment T on __Schema { types { name fields { name args { name type { ...K } } type { ...K } } } }
  fragment K on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;
const userIds = 'query ($v: [ID!]!) { viewer { user { id } } a: __typename }';

/** What costs the most for the least, each kind by itself. */
const hostile: readonly (readonly [what: string, operation: RawOperation, message: RegExp])[] = [
  ['a flood of tokens', { query: `{ ${many(5_000, () => 'a')} }` }, /tokens/],
  [
    'a flood of aliases',
    { query: `{ viewer { ${many(101, (at) => `a${at}: unreadCount`)} } }` },
    /aliases/,
  ],
  ['a field again and again', { query: `{ ${many(1_900, () => '__typename')} }` }, /repeated/],
  ['a flood of directives', { query: `{ __typename ${'@a '.repeat(1_900)} }` }, /directives/],
  [
    'deep fields',
    {
      query: `{ node(id: "m_1_1") { ... on Message ${'{ replyTo '.repeat(300)} { id } ${'}'.repeat(300)} } }`,
    },
    /levels/,
  ],
  [
    'deep fragments',
    {
      query: `{ node(id: "m_1_1") { ...F0 } } ${many(100, (at) => `fragment F${at} on Message { replyTo { ...F${at + 1} } }`)} fragment F100 on Message { id }`,
    },
    /levels/,
  ],
  [
    'fragments that double',
    {
      query: `{ viewer { user { ...F0 } } } ${many(30, (at) => `fragment F${at} on User { a: id ...F${at + 1} b: id ...F${at + 1} }`)} fragment F30 on User { id }`,
    },
    /aliases/,
  ],
  [
    'a cycle of fragments',
    {
      query:
        '{ viewer { user { ...A } } } fragment A on User { ...B } fragment B on User { ...A id }',
    },
    /within itself/,
  ],
  [
    'fragments that nobody uses',
    { query: `{ __typename } ${many(400, (at) => `fragment F${at} on User { id }`)}` },
    /never used/,
  ],
  ['many operations', { query: many(500, (at) => `query Q${at} { __typename }`) }, /operations/],
  [
    'circular introspection',
    { query: `{ __schema { types ${'{ fields { type '.repeat(5)}{ name }${' } }'.repeat(5)} } }` },
    /introspection depth/,
  ],
  [
    'introspection again and again',
    { query: `{ ${many(90, (at) => `a${at}: __schema { ...T }`)} } ${introspection}` },
    /costs/,
  ],
  [
    'pages within pages',
    {
      query:
        '{ viewer { conversations(first: 200) { edges { node { messages(last: 200) { edges { node { id seq changeSeq createdAt } } } } } } } }',
    },
    /costs/,
  ],
  [
    'many passwords in one document',
    {
      query: `mutation { ${many(9, (at) => `a${at}: login(input: { username: "ann", password: "${at}", device: { id: "d" } }) { accessToken }`)} }`,
    },
    /costs/,
  ],
  ['an endless name', { query: `{ ${'a'.repeat(50_000)} }` }, /^Cannot query field "a{1,400}…$/],
  [
    'a literal that nests',
    { query: `{ user(username: ${nestedText(1_900)}) { id } }` },
    // How deep a parser may go differs from one Node to the next.
    /^(String cannot represent .{1,400}…|Nested too deep\.)$/,
  ],
  [
    'a list in variables without end',
    { query: userIds, variables: { v: Array.from({ length: 11_000 }, () => 1) } },
    /10000 values/,
  ],
  [
    'variables that nobody asked for',
    { query: '{ __typename }', variables: { x: { y: Array.from({ length: 11_000 }, () => 1) } } },
    /10000 values/,
  ],
  ['variables that nest', { query: userIds, variables: { v: nested(60) } }, /48 levels/],
  [
    'wrong values in variables',
    { query: userIds, variables: { v: Array.from({ length: 5_000 }, () => ({})) } },
    /Variable "\$v" is never used|got invalid value/,
  ],
];

describe.each(wires)('over %s nothing is executed of', (_name, wire) => {
  test.each(hostile)('%s', async (_what, operation, message) => {
    const began = performance.now();
    const answer = await wire(server, { ...operation, accessToken });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(answer).not.toHaveProperty('data');
    expect(answer.errors?.[0]?.message).toMatch(message);
    for (const { extensions } of answer.errors ?? []) {
      expect(extensions).toEqual({ code: 'INVALID_ARGUMENT', retryable: false });
    }
    expect(JSON.stringify(answer).length).toBeLessThan(10_000);
  });

  test('nothing less is refused than content of the depth and width that it may have', async () => {
    const deep = Array.from({ length: 30 }).reduce<unknown>((inner) => ({ a: inner }), 1);
    const data = { deep, wide: Array.from({ length: 7_000 }, () => 1) };
    const conversationId = await user.directWith(user);
    const sent = await wire(server, {
      accessToken,
      query:
        'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { seq } } }',
      variables: {
        input: {
          conversationId,
          clientMessageId: 'deep',
          content: { custom: { type: 'x', data } },
        },
      },
    });
    expect(sent.data).toMatchObject({ sendMessage: { message: { seq: expect.any(Number) } } });
  });
});

describe('over HTTP alone', () => {
  const post = (body: string) =>
    fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
      body,
    });

  test.each([
    ['a batch', `[${'{"query":"{__typename}"},'.repeat(5_000)}{"query":"{__typename}"}]`],
    ['a body that nests', nestedText(100_000)],
    ['an extension that nests', `{"query":"{","extensions":{"a":${nestedText(50_000)}}}`],
  ])('%s is refused', async (_what, body) => {
    const began = performance.now();
    const { errors } = (await (await post(body)).json()) as { errors: { extensions: object }[] };
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(errors[0]?.extensions).toEqual({ code: 'INVALID_ARGUMENT', retryable: false });
  });

  test('variables that nest too deep for any stack are refused', async () => {
    const body = `{"query":"query ($v: JSON) { __typename }","variables":{"v":${nestedText(100_000)}}}`;
    const answer = (await (await post(body)).json()) as { errors: { message: string }[] };
    expect(answer.errors[0]?.message).toMatch('48 levels');
  });

  test('a document of any length beyond the limit is refused unread', async () => {
    const query = `{ __typename } #${'x'.repeat(limits.documentCharsMax)}`;
    const { answer } = await askHttp(server, { query });
    expect(answer.errors?.[0]?.message).toMatch('characters');
  });
});

describe('over WebSocket alone', () => {
  test('variables that nest too deep for any stack, and ids without end, are refused', async () => {
    const socket = await openSocket(server, { accessToken });
    const frames: { type: string; payload: { message: string }[] }[] = [];
    socket.on('message', (data: Buffer) => frames.push(JSON.parse(String(data)) as never));
    const query = 'subscription ($v: [ID!]!) { presence(userIds: $v) { isOnline } }';
    socket.send(
      `{"id":"1","type":"subscribe","payload":{"query":"${query}","variables":{"v":${nestedText(25_000)}}}}`,
    );
    socket.send(
      JSON.stringify({
        id: 'x'.repeat(limits.operationIdCharsMax + 1),
        type: 'subscribe',
        payload: { query: '{ __typename }' },
      }),
    );
    await expect.poll(() => frames.length).toBe(2);
    expect(frames.map(({ type, payload }) => [type, payload[0]?.message])).toEqual([
      ['error', 'Variables nest to 48 levels at most.'],
      ['error', 'The id of an operation has at most 128 characters.'],
    ]);
    socket.terminate();
  });
});
