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

  test('so has an upgrade that is refused', async () => {
    const socket = connect(Number(new URL(closed.url).port), '127.0.0.1');
    socket.write(
      'GET /graphql HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(String(answer)).toContain('x-content-type-options: nosniff\r\n');
    expect(String(answer)).toContain('strict-transport-security: max-age=31536000\r\n');
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

describe.each(wires)('in production, over %s', (_name, wire) => {
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

  test('people sign in and work as elsewhere', async () => {
    await using user = await signUp(closed, 'ann');
    expect(await user.directWith(user)).toMatch(/^c_/);
    await user.socket();
  });
});
