import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GateDocument, RegisterDocument } from '../../client/generated/documents.ts';
import { limits } from '../../src/limits.ts';
import { post } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ http: { allowedOrigins: ['https://app.example'] } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const graphql = (init: RequestInit & { search?: string }) =>
  fetch(`${server.url}/graphql${init.search ?? ''}`, init);
const json = { 'content-type': 'application/json' };
const codeOf = async (response: Response) => {
  const { errors } = (await response.json()) as { errors: { extensions: object }[] };
  return errors.map(({ extensions }) => extensions);
};

describe('what a node answers beside GraphQL', () => {
  test('it is alive, and ready once it has started', async () => {
    const health = await fetch(`${server.url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'alive' }]);
    const ready = await fetch(`${server.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  test('anything else is nothing', async () => {
    for (const path of ['/', '/graphql/x', '/health/x', '/graphiql/../src/main.ts', '/.env']) {
      const response = await fetch(`${server.url}${path}`);
      expect([path, response.status]).toEqual([path, 404]);
    }
  });

  test('the gate to dial is this one', async () => {
    const { data } = await post(server, GateDocument, {});
    expect(data?.gate).toMatchObject({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      httpUrl: `${server.url}/graphql`,
      alternates: [],
    });
    const unknown = await post(server, GateDocument, { input: { appId: 'nobody' } });
    expect(unknown.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND', retryable: false });
  });
});

describe('CSRF: what a page of another origin can send without asking changes nothing', () => {
  const mutation = 'mutation { logout { session { id } } }';

  test.each([
    ['a form', 'application/x-www-form-urlencoded', `query=${encodeURIComponent(mutation)}`],
    ['plain text', 'text/plain', JSON.stringify({ query: mutation })],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['another JSON', 'application/jsonp', JSON.stringify({ query: mutation })],
    ['GraphQL as text', 'application/graphql', mutation],
  ])('POST of %s is refused', async (_what, type, body) => {
    const response = await graphql({ method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBe(415);
    expect(await codeOf(response)).toEqual([{ code: 'INVALID_ARGUMENT', retryable: false }]);
  });

  test('GET runs queries, never mutations', async () => {
    const get = (query: string) => graphql({ search: `?query=${encodeURIComponent(query)}` });
    expect(await (await get('{ gate { gateId } }')).json()).toHaveProperty('data.gate.gateId');
    const response = await get(mutation);
    expect(response.status).toBe(405);
    expect(await codeOf(response)).toEqual([{ code: 'INVALID_ARGUMENT', retryable: false }]);
    const chosen = await get(`query Q { __typename } ${mutation.replace('{', 'M {')}`);
    expect(await codeOf(chosen)).toEqual([{ code: 'INVALID_ARGUMENT', retryable: false }]);
  });

  test('other methods are refused', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      expect((await graphql({ method, headers: json, body: '{}' })).status).toBe(405);
    }
  });

  test('pages of allowed origins may ask, others may not', async () => {
    const preflight = (origin: string) =>
      graphql({
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://app.example');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    for (const origin of ['https://evil.example', 'null', 'https://app.example.evil']) {
      const refused = await preflight(origin);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('clients that offer HTTP/2 in clear text, as curl --http2 and Java do', () => {
  const body = JSON.stringify({ query: '{ __typename }' });
  const head = [
    'POST /graphql HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA',
  ];
  const answers = (text: string) => text.split('{"data":{"__typename":"Query"}}').length - 1;

  test.each([
    ['in one write', 0],
    ['the body later', 50],
  ])('are answered as if they had not, and go on on the same wire: %s', async (_how, pauseMs) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    let text = '';
    socket.on('data', (data) => (text += String(data)));
    for (const round of [1, 2, 3]) {
      if (pauseMs === 0) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
      else {
        socket.write(`${head.join('\r\n')}\r\n\r\n`);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        socket.write(body);
      }
      await expect.poll(() => answers(text)).toBe(round);
    }
    expect(text).not.toMatch(/HTTP\/1.1 (?!200)/);
    socket.destroy();
  });

  test('hold one wire each, however often they offer it', async () => {
    const perAddress = 2;
    await using small = await startTestServer({ budgets: { connectionsPerAddress: perAddress } });
    const port = Number(new URL(small.url).port);
    const sockets = Array.from({ length: 2 * perAddress }, () => connect(port, '127.0.0.1'));
    for (const socket of sockets) {
      for (const _ of [1, 2]) {
        socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
      }
    }
    const refused = connect(port, '127.0.0.1');
    refused.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    refused.on('error', () => undefined);
    await once(refused, 'close');
    for (const socket of sockets) socket.destroy();
  });
});

describe('requests that are none', () => {
  test.each([
    ['no JSON', '{', 400],
    ['an array: batching is off', '[{"query":"{__typename}"}]', 400],
    ['no query', '{}', 400],
    ['a query that is no string', '{"query":1}', 400],
    ['variables that are no object', '{"query":"{__typename}","variables":"x"}', 400],
  ])('%s', async (_what, body, status) => {
    const response = await graphql({ method: 'POST', headers: json, body });
    expect(response.status).toBe(status);
    expect(await codeOf(response)).toEqual([{ code: 'INVALID_ARGUMENT', retryable: false }]);
  });

  test.each([
    ['does not parse', '{'],
    ['does not validate', '{ nope }'],
    ['has no such operation', 'query A { __typename } query B { __typename }'],
    ['nests too deep', `{ ${'viewer { '.repeat(40)} __typename ${'} '.repeat(40)} }`],
    [
      'has a wrong variable',
      'query ($x: Int!) { viewer { conversations(first: $x) { pageInfo { endCursor } } } }',
    ],
  ])('a document that %s is INVALID_ARGUMENT', async (_what, query) => {
    const { errors, data } = await post(server, query, {});
    expect(data ?? null).toBeNull();
    expect(errors?.length).toBeGreaterThan(0);
    for (const { extensions } of errors ?? []) {
      expect(extensions).toEqual({ code: 'INVALID_ARGUMENT', retryable: false });
    }
  });

  test('bodies are at most so long, whether they say their length or not', async () => {
    const body = JSON.stringify({
      query: '{ __typename }',
      x: 'x'.repeat(limits.httpBodyBytesMax),
    });
    const said = await graphql({ method: 'POST', headers: json, body });
    expect(said.status).toBe(413);
    expect(await codeOf(said)).toEqual([{ code: 'PAYLOAD_TOO_LARGE', retryable: false }]);
    const unsaid = await new Promise<number | undefined>((resolve) => {
      const call = request(`${server.url}/graphql`, { method: 'POST', headers: json }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on('error', () => undefined);
      call.write(body);
      call.end();
    });
    expect(unsaid).toBe(413);
  });

  test('a Host header that names no host', async () => {
    const headers = { ...json, host: 'chat.example:99999' };
    const [status, answer] = await new Promise<[number | undefined, string]>((resolve, reject) => {
      const call = request(`${server.url}/graphql`, { method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve([response.statusCode, text]));
      });
      call.on('error', reject);
      call.end('{"query":"{ __typename }"}');
    });
    expect(status).toBe(400);
    expect(answer).toContain('INVALID_ARGUMENT');
  });

  test('a bad token makes the request anonymous', async () => {
    const { data } = await post(server, GateDocument, {}, 'x.y.z');
    expect(data?.gate.gateId).toBeTruthy();
    const input = { username: 'tokenless', password: 'correct horse', device: { id: 'd' } };
    const registered = await post(server, RegisterDocument, { input }, 'x.y.z');
    expect(registered.data?.register.viewer.user.username).toBe('tokenless');
    const viewer = await post(server, '{ viewer { user { id } } }', {}, 'x.y.z');
    expect(viewer.errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', retryable: false });
  });

  test('the status tells more to clients that say they understand', async () => {
    const asked = (accept: string) =>
      graphql({
        method: 'POST',
        headers: { ...json, accept },
        body: JSON.stringify({ query: '{ nope }' }),
      });
    const legacy = await asked('application/json');
    expect([legacy.status, legacy.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    const modern = await asked('application/graphql-response+json');
    expect([modern.status, modern.headers.get('content-type')]).toEqual([
      400,
      'application/graphql-response+json; charset=utf-8',
    ]);
  });
});
