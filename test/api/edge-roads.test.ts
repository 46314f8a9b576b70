import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../src/limits.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let user: TestUser;
beforeAll(async () => {
  server = await startTestServer({ http: { allowedOrigins: ['https://app.example'] } });
  user = await signUp(server, 'ann');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** All that a client sees of an answer, but for the time. Who accepts event streams as well takes the long road. */
async function seen(body: string, road: 'short' | 'long', accept: string, headers: object = {}) {
  const answered = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: road === 'short' ? accept : `${accept}, text/event-stream`,
      authorization: `Bearer ${user.auth.accessToken}`,
      ...headers,
    },
    body,
  });
  const shown = Object.fromEntries(answered.headers);
  delete shown['date'];
  return { status: answered.status, headers: shown, body: await answered.text() };
}

/** One request whose body comes in chunks, each a write of its own; null where the client left after the last of them. */
async function inPieces(pieces: readonly Buffer[], road: 'short' | 'long', isLeaving = false) {
  const accept = road === 'short' ? 'application/json' : 'application/json, text/event-stream';
  const authorization = `Bearer ${user.auth.accessToken}`;
  const headers = { 'content-type': 'application/json', accept, authorization };
  const call = request(`${server.url}/graphql`, { method: 'POST', headers });
  const answered = new Promise<{ status: number | undefined; body: string } | null>((resolve) => {
    call.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    call.on('error', () => undefined);
    call.on('close', () => resolve(null));
  });
  for (const piece of pieces) {
    await new Promise<unknown>((resolve) => call.write(piece, resolve));
  }
  if (!isLeaving) {
    call.end();
    return answered;
  }
  // In the middle of the server's reading, and until it has noticed.
  await pause(50);
  call.destroy();
  await pause(50);
  return answered;
}

const deep = JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown;
const choice = 'query A { __typename } query B { b: __typename }';
const byId = 'query ($id: ID!) { node(id: $id) { id } }';
const byName = 'query ($name: String!) { user(username: $name) { id } }';
const members = 'members(first: 200) { edges { node { user { id } } } }';

const requests: readonly (readonly [what: string, request: object])[] = [
  ['a query', { query: '{ viewer { user { username } } }' }],
  ['one of several', { query: choice, operationName: 'B' }],
  ['variables', { query: byId, variables: { id: 'x' } }],
  ['nulls', { query: '{ __typename }', operationName: null, variables: null, extensions: null }],
  ['extensions', { query: '{ __typename }', extensions: { any: 1 } }],
  ['text beyond Latin', { query: byName, variables: { name: '李雷 😀' } }],
  ['what comes back beyond Latin', { query: '{ nöpe: nope(a: "😀") }' }],
  [
    'half an answer',
    { query: '{ viewer { user { id } conversations(first: 0) { __typename } } }' },
  ],
  ['a fault', { query: 'mutation { logout(sessionId: "x") { session { id } } }' }],
  ['nothing that parses', { query: '{' }],
  ['nothing that fits', { query: '{ nope }' }],
  ['no such operation', { query: choice, operationName: 'C' }],
  ['no choice of operation', { query: choice }],
  ['a wrong variable', { query: byId, variables: { id: [] } }],
  ['variables that nest too deep', { query: '{ __typename }', variables: { deep } }],
  [
    'a document that is too dear',
    { query: `{ viewer { conversations(first: 200) { edges { node { ${members} } } } } }` },
  ],
];

describe.each([
  'application/json',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json;q=0.9',
  '*/*',
])('both roads give the same answer to who accepts %s', (accept) => {
  test.each(requests)('%s', async (_what, request) => {
    const body = JSON.stringify(request);
    const [short, long] = [await seen(body, 'short', accept), await seen(body, 'long', accept)];
    expect(short).toEqual(long);
    expect(short.body).toMatch(/^\{"(data|errors)":/);
  });
});

/** Of these Yoga says some things in its own words. */
const malformed: readonly (readonly [what: string, body: string, status: number])[] = [
  ['nothing', '', 400],
  ['no JSON', '{', 400],
  ['null', 'null', 400],
  ['a number', '1', 400],
  ['a batch', '[{"query":"{ __typename }"}]', 400],
  ['no query', '{}', 400],
  ['a query that is no string', '{"query":1}', 400],
  ['an operationName that is no string', '{"query":"{ __typename }","operationName":1}', 400],
  ['variables that are no object', '{"query":"{ __typename }","variables":[]}', 400],
  ['extensions that are no object', '{"query":"{ __typename }","extensions":"x"}', 400],
  ['a name that nothing has', '{"query":"{ __typename }","queri":1}', 400],
  ['a name that all objects have', '{"query":"{ __typename }","__proto__":1}', 400],
];

describe.each(['short', 'long'] as const)('on the %s road', (road) => {
  test.each(malformed)(
    '%s is INVALID_ARGUMENT, to whom it may concern',
    async (_what, body, status) => {
      for (const accept of ['application/json', 'application/graphql-response+json']) {
        const answered = await seen(body, road, accept);
        expect(answered.status).toBe(status);
        expect(answered.headers['content-type']).toBe(`${accept}; charset=utf-8`);
        expect(JSON.parse(answered.body)).toEqual({
          errors: [
            {
              message: expect.any(String) as string,
              extensions: { code: 'INVALID_ARGUMENT', retryable: false },
            },
          ],
        });
      }
    },
  );

  test('pages of other origins are told who may read the answer', async () => {
    const body = '{"query":"{ __typename }"}';
    const ofOrigin = async (origin: string) => {
      const { headers } = await seen(body, road, 'application/json', { origin });
      return headers['access-control-allow-origin'];
    };
    expect(await ofOrigin('https://app.example')).toBe('https://app.example');
    expect(await ofOrigin('https://evil.example')).toBeUndefined();
  });

  test('a body that comes in pieces, within characters too, is read whole', async () => {
    const query = 'query ($flag: Boolean!) { __typename @skip(if: $flag) }';
    const body = JSON.stringify({ query, variables: { flag: '😀é' } });
    const pieces = Array.from(Buffer.from(body), (byte) => Buffer.of(byte));
    const answer = await inPieces(pieces, road);
    expect(answer?.body).toContain('non boolean value: \\"😀é\\"');
  });

  test('bytes that are no UTF-8 are refused, not read as something else', async () => {
    const [before, after] = JSON.stringify({ query: byName, variables: { name: '|' } }).split('|');
    const pieces = [Buffer.from(before ?? ''), Buffer.of(0xff, 0xc0), Buffer.from(after ?? '')];
    const answer = await inPieces(pieces, road);
    expect(answer?.status).toBe(400);
    expect(answer?.body).toContain('INVALID_ARGUMENT');
  });

  test('who leaves in the middle of a body leaves no trace', async () => {
    const logged = server.log.length;
    expect(await inPieces([Buffer.from('{"query":"{ __typen')], road, true)).toBeNull();
    expect((await seen('{"query":"{ __typename }"}', road, '*/*')).status).toBe(200);
    expect(server.log.slice(logged)).toEqual([]);
  });

  test('a body beyond the limit is refused, though it did not say its length', async () => {
    const pieces = [Buffer.alloc(limits.httpBodyBytesMax, 0x20), Buffer.from('{}')];
    const answer = await inPieces(pieces, road);
    expect(answer?.status).toBe(413);
    expect(answer?.body).toContain('PAYLOAD_TOO_LARGE');
  });
});
