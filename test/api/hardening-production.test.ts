import { once } from 'node:events';
import { connect } from 'node:net';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signUp, type Reachable } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { wires } from '../support/wires.ts';

let open: TestServer;
let production: TestServer;
let closed: Reachable;
beforeAll(async () => {
  open = await startTestServer({ http: { allowedOrigins: ['https://app.example'] } });
  const http = { publicUrl: 'https://chat.example' };
  production = await startTestServer({ isProduction: true, http });
  closed = { url: `http://127.0.0.1:${production.config.http.port}` };
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await production[Symbol.asyncDispose]();
});

const json = { 'content-type': 'application/json' };
const body = (query: string) => JSON.stringify({ query });

/** Answers of every kind that a node gives. */
const requests: readonly (readonly [path: string, init: RequestInit])[] = [
  ['/health', {}],
  ['/ready', {}],
  ['/nothing', {}],
  ['/graphql', { headers: { accept: 'text/html' } }],
  ['/graphql', { method: 'OPTIONS', headers: { origin: 'https://app.example' } }],
  ['/graphql', { method: 'POST', headers: json, body: body('{ __typename }') }],
  ['/graphql', { method: 'POST', headers: json, body: body('{') }],
  ['/graphql', { method: 'POST', headers: json, body: '{' }],
  ['/graphql', { method: 'POST', headers: json, body: 'x'.repeat(300_000) }],
  ['/graphql', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }],
  ['/graphql', { method: 'DELETE' }],
  ['/graphql?query={__typename}', {}],
  ['/graphql?query=mutation{logout{session{id}}}', {}],
  [
    '/graphql',
    {
      method: 'POST',
      headers: { ...json, accept: 'text/event-stream' },
      body: body('{ __typename }'),
    },
  ],
];

describe('every answer', () => {
  test.each(requests.map(([path, init]) => [init.method ?? 'GET', path, init] as const))(
    '%s %s has the headers that keep browsers safe',
    async (_method, path, init) => {
      for (const server of [open, closed]) {
        const { headers } = await fetch(server.url + path, init);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
        expect(headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(headers.get('referrer-policy')).toBe('no-referrer');
        expect(headers.get('strict-transport-security')).toBe(
          server === closed ? 'max-age=31536000' : null,
        );
        for (const name of ['server', 'x-powered-by', 'via']) expect(headers.has(name)).toBe(false);
        if (path.startsWith('/graphql') && !('accept' in (init.headers ?? {}))) {
          expect(headers.get('cache-control')).toBe('no-store');
        }
        expect(JSON.stringify([...headers])).not.toMatch(/yoga|apollo|express|graphql-js/i);
      }
    },
  );

  const upgrade =
    'GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  test.each([
    ['an upgrade of a page of another origin', `${upgrade}Origin: https://evil.example\r\n`, 403],
    ['an upgrade without a key', upgrade, 400],
    ['an upgrade of another version', `${upgrade}${key}Sec-WebSocket-Version: 1\r\n`, 400],
    [
      'an offer of HTTP/2 that is passed over',
      'GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n',
      404,
    ],
    ['a request without a host', 'GET /health HTTP/1.1\r\n', 400],
    ['no request', 'nothing\r\n', 400],
    [
      'a request that expects what nobody knows',
      'GET /nothing HTTP/1.1\r\nHost: x\r\nExpect: more\r\n',
      404,
    ],
  ])('so has what is answered to %s', async (_what, request, status) => {
    const socket = connect(Number(new URL(closed.url).port), '127.0.0.1');
    socket.write(`${request}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(String(answer)).toContain('x-content-type-options: nosniff\r\n');
    expect(String(answer)).toContain('strict-transport-security: max-age=31536000\r\n');
    expect(String(answer)).not.toMatch(/Sec-WebSocket-Key|Invalid Upgrade|text\/html/);
    socket.destroy();
  });
});

/** What tools send to tell engines apart, and what engines answer to it. */
const probes = [
  '',
  ' ',
  'aaa',
  'queryy { __typename }',
  '{ __typename @include }',
  '{ __typename @deprecated }',
  'query @skip { __typename }',
  'query @deprecated { __typename }',
  '{ a }',
  '{ viewr { unreadCount } }',
  '{ viewer { unreadCoun } }',
  '{ user(usernam: "x") { id } }',
  '{ node(id: []) { id } }',
  'query ($x: Nope) { __typename }',
  '{ alias1$1: __typename }',
  '{ __typename',
  '{ ...F }',
  'fragment F on Nope { id }',
  'subscription { __typename }',
  'subscription { inbox { __typename } typing(conversationId: "x") { __typename } }',
  'mutation { __typename @skip(if: 1) }',
  '{ __schema { types { name } } }',
  '{ __type(name: "User") { name } }',
  getIntrospectionQuery(),
];
const fingerprints =
  /Did you mean|Syntax Error|Unexpected|Expected|Cannot query|Unknown|Directive|Variable|introspection has been|asyncExecutionResult|GRAPHQL_|stack|node_modules|yoga|apollo|envelop/i;

/** Variables that do not fit, of which GraphQL tells what would. */
const misfits: readonly (readonly [query: string, variables: unknown])[] = [
  ['query ($i: GateInput!) { gate(input: $i) { url } }', { i: { appI: 'default' } }],
  ['query ($i: GateInput!) { gate(input: $i) { url } }', { i: { appId: 5 } }],
  ['query ($i: GateInput!) { gate(input: $i) { url } }', {}],
  ['query ($a: String) { gate(input: { appId: $a }) { url } }', { a: null }],
  [
    'mutation ($d: DeviceInput!) { login(input: { username: "ann", password: "wrong horse", device: $d }) { accessToken } }',
    { d: { id: 'x', platform: 'IOSS' } },
  ],
  ['subscription ($c: InboxCursor) { inbox(after: $c) { cursor } }', { c: 5 }],
  ['subscription ($id: ID!) { typing(conversationId: $id) { isTyping } }', { id: [] }],
  ['query ($id: ID!) { node(id: $id) { id } }', { id: { id: 'x' } }],
];

describe.each(wires)('in production, over %s', (_name, wire) => {
  test.each(misfits)('nor does it show by variables: %s', async (query, variables) => {
    const { errors = [] } = await wire(closed, { query, variables });
    expect(errors.length).toBeGreaterThan(0);
    for (const { message, extensions } of errors) {
      expect(message).not.toMatch(fingerprints);
      expect(message).not.toMatch(/\b(GateInput|DeviceInput|Platform|IOS|InboxCursor|appId)\b/);
      expect(extensions).toEqual({ code: 'INVALID_ARGUMENT', retryable: false });
    }
  });

  test.each(probes)('nothing of the engine or the schema shows: %s', async (query) => {
    const { errors = [] } = await wire(closed, { query });
    for (const { message, extensions } of errors) {
      expect(message).not.toMatch(fingerprints);
      expect(message).not.toMatch(/\b(User|Query|Viewer|Mutation|InboxEvent|unreadCount)\b/);
      expect(Object.keys(extensions ?? {}).sort()).toEqual(['code', 'retryable']);
    }
    expect(errors.length).toBeGreaterThan(0);
  });

  test('the rest works', async () => {
    expect(await wire(closed, { query: '{ __typename gate { gateId } }' })).toEqual({
      data: { __typename: 'Query', gate: { gateId: 'gate-1' } },
    });
  });

  test('while elsewhere the schema may be asked for, and names are suggested', async () => {
    const { data } = await wire(open, { query: '{ __schema { queryType { name } } }' });
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
    const { errors } = await wire(open, { query: '{ viewr { unreadCount } }' });
    expect(errors?.[0]?.message).toMatch('Did you mean "viewer"');
  });
});

describe('in production', () => {
  test('there is no GraphiQL, built or not', async () => {
    for (const path of ['/graphql', '/graphiql/index.html', '/graphiql/', '/graphiql/main.js']) {
      const response = await fetch(closed.url + path, { headers: { accept: 'text/html' } });
      expect(response.headers.get('content-type')).not.toContain('html');
      expect(response.status).toBeGreaterThanOrEqual(400);
    }
  });

  test.each([
    '',
    '?query=',
    '?foo=1',
    '?query={__typename}&variables=[1',
    '?query={a}&variables=1',
  ])('nor does it by GET: %s', async (search) => {
    const headers = { accept: 'application/json' };
    const answer = await fetch(`${closed.url}/graphql${search}`, { headers });
    const { errors } = (await answer.json()) as { errors: { message: string }[] };
    expect(errors[0]?.message).not.toMatch(/query string|param|JSON at|Expected/);
    expect(errors[0]).toMatchObject({ extensions: { code: 'INVALID_ARGUMENT' } });
  });

  test('people sign in and work as elsewhere', async () => {
    await using user = await signUp(closed, 'ann');
    expect(await user.directWith(user)).toMatch(/^c_/);
    await user.socket();
  });
});
