import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { InboxDocument } from '../../client/generated/documents.ts';
import { Budgets } from '../../src/gate/budgets.ts';
import { cachedByText } from '../../src/gate/documents.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { limits } from '../../src/limits.ts';
import { prepareDocument } from '../../src/resolvers/document-limits.ts';
import { buildSchema } from '../../src/resolvers/schema.ts';
import type { RateStore } from '../../src/storage/rates.ts';
import { signUp, TestSocket, type Reachable } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';
import { subscribeEvents } from '../support/sse.ts';
import { askHttp, openSocket, wires, type RawAnswer } from '../support/wires.ts';

const device = '{ id: "d" }';
const register = (username: string, password = 'correct horse') =>
  `mutation { register(input: { username: "${username}", password: "${password}", device: ${device} }) { accessToken } }`;
const login = (username: string, password: string) =>
  `mutation { login(input: { username: "${username}", password: "${password}", device: ${device} }) { accessToken } }`;
const refresh = 'mutation { refreshSession(refreshToken: "x") { accessToken } }';
const send = (conversationId: string, key: number | string) =>
  `mutation { sendMessage(input: { conversationId: "${conversationId}", clientMessageId: "${key}", content: { text: { text: "x" } } }) { message { seq } } }`;

const codeOf = ({ errors }: RawAnswer) => errors?.[0]?.extensions?.['code'];

/** That it is too often, and when it will not be. */
function expectLimited(answer: RawAnswer, withinMs: number): void {
  const { code, retryable, retryAfterMs } = answer.errors?.[0]?.extensions ?? {};
  expect([code, retryable]).toEqual(['RATE_LIMITED', true]);
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(withinMs);
}

describe.each(wires)('over %s', (_name, wire) => {
  test('new users from one address are so many an hour', async () => {
    await using server = await startTestServer({ budgets: { registrationsPerHour: 3 } });
    for (const name of ['one', 'two', 'six']) {
      expect((await wire(server, { query: register(name) })).errors).toBeUndefined();
    }
    expectLimited(await wire(server, { query: register('four') }), 3_600_000);
  });

  test('logins from one address are so many an hour, in one document as in many', async () => {
    await using server = await startTestServer({ budgets: { loginsPerHour: 3 } });
    await signUp(server, 'ann');
    const good = login('ann', 'correct horse');
    const two = good.replace(/\{ (.*) \}$/, '{ a: $1 b: $1 }');
    expect((await wire(server, { query: two })).errors).toBeUndefined();
    expect(codeOf(await wire(server, { query: login('ann', 'wrong') }))).toBe('UNAUTHENTICATED');
    expectLimited(await wire(server, { query: good }), 3_600_000);
  });

  test('what people of one app spend at an address is not missed by those of another', async () => {
    await using server = await startTestServer({
      apps: ['default', 'shop'],
      budgets: { registrationsPerHour: 2, loginsPerHour: 2 },
    });
    const inApp = (appId: string, query: string) =>
      wire(server, { query: query.replace('input: {', `input: { appId: "${appId}",`) });
    // Names that are made up have one count together.
    const codes = [];
    for (const appId of ['x', 'y', 'z']) codes.push(codeOf(await inApp(appId, register('eve'))));
    expect(codes).toEqual(['NOT_FOUND', 'NOT_FOUND', 'RATE_LIMITED']);
    for (const appId of ['default', 'shop']) {
      for (const name of ['ann', 'bob']) {
        expect((await inApp(appId, register(name))).errors).toBeUndefined();
      }
      expectLimited(await inApp(appId, register('cat')), 3_600_000);
      for (let tries = 0; tries < 2; tries += 1) {
        expect((await inApp(appId, login('ann', 'correct horse'))).errors).toBeUndefined();
      }
      expectLimited(await inApp(appId, login('ann', 'correct horse')), 3_600_000);
    }
  });

  test('passwords for one name are tried so often, from wherever; good ones do not count', async () => {
    await using server = await startTestServer(
      { http: { trustedProxies: 1 } },
      { limits: { failedLoginsPerHourMax: 3 } },
    );
    await signUp(server, 'ann');
    let host = 1;
    const asked = (query: string) =>
      wire(server, { query, headers: { 'x-forwarded-for': `192.0.2.${host++}` } });
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await asked(login('ann', 'correct horse'))).errors).toBeUndefined();
    }
    for (const name of ['ann', 'ANN', 'aNN']) {
      expect(codeOf(await asked(login(name, 'wrong horse')))).toBe('UNAUTHENTICATED');
    }
    expectLimited(await asked(login('Ann', 'wrong horse')), 3_600_000);
    expectLimited(await asked(login('ann', 'correct horse')), 3_600_000);
    expect(codeOf(await asked(login('bob', 'wrong horse')))).toBe('UNAUTHENTICATED');
  });

  test('refreshes from one address are so many a minute', async () => {
    await using server = await startTestServer({}, { limits: { refreshesPerMinuteMax: 2 } });
    for (let tries = 0; tries < 2; tries += 1) {
      expect(codeOf(await wire(server, { query: refresh }))).toBe('UNAUTHENTICATED');
    }
    expectLimited(await wire(server, { query: refresh }), 60_000);
  });

  test('a user sends so much a minute, whatever others do', async () => {
    await using server = await startTestServer({ budgets: { sendsPerMinute: 3 } });
    const [ann, bob] = [await signUp(server, 'ann'), await signUp(server, 'bob')];
    const [ofAnn, ofBob] = [await ann.directWith(ann), await bob.directWith(bob)];
    const { accessToken } = ann.auth;
    for (let key = 0; key < 3; key += 1) {
      const { data } = await wire(server, { query: send(ofAnn, key), accessToken });
      expect(data).toMatchObject({ sendMessage: { message: { seq: key + 1 } } });
    }
    expectLimited(await wire(server, { query: send(ofAnn, 'more'), accessToken }), 60_000);
    const other = await wire(server, { query: send(ofBob, 1), accessToken: bob.auth.accessToken });
    expect(other.errors).toBeUndefined();
  });

  test('a session asks for so much a second, and without one an address', async () => {
    await using server = await startTestServer({ budgets: { operationsPerSecond: 5 } });
    const ann = await signUp(server, 'ann');
    const { accessToken } = ann.auth;
    const query = '{ __typename }';
    const flood = (token?: string) =>
      Promise.all(
        Array.from({ length: 30 }, () =>
          wire(server, token === undefined ? { query } : { query, accessToken: token }),
        ),
      );
    for (const answers of [await flood(accessToken), await flood()]) {
      const refused = answers.filter(({ errors }) => errors);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(30);
      for (const answer of refused) {
        expectLimited(answer, 2_000);
        expect(answer).not.toHaveProperty('data');
      }
    }
    // They were not answered in the order in which they were sent: the longest wait is the last one's.
    const waits = (await flood(accessToken)).map(({ errors }) =>
      Number(errors?.[0]?.extensions?.['retryAfterMs'] ?? 0),
    );
    await new Promise((resolve) => setTimeout(resolve, Math.max(...waits) + 250));
    expect((await wire(server, { query, accessToken })).errors).toBeUndefined();
  });

  test('what a session asks for costs so much a minute', async () => {
    await using server = await startTestServer({ budgets: { costPerMinute: 30_000 } });
    const [ann, bob] = [await signUp(server, 'ann'), await signUp(server, 'bob')];
    const query =
      '{ viewer { conversations(first: 100) { edges { node { id title createdAt messages(last: 20) { edges { node { id seq } } } } } } } }';
    const asked = (accessToken: string) => wire(server, { query, accessToken });
    const answers = [];
    for (let count = 0; count < 8; count += 1) answers.push(await asked(ann.auth.accessToken));
    const refused = answers.filter(({ errors }) => errors);
    expect(refused.length).toBeGreaterThan(4);
    expect(refused.length).toBeLessThan(8);
    for (const answer of refused) expectLimited(answer, 60_000);
    expect((await asked(bob.auth.accessToken)).errors).toBeUndefined();
  });
});

describe('a document that was not seen before', () => {
  test('is paid for before it is read, and not read where that is too much', () => {
    let read = 0;
    const prepare = cachedByText((text) => {
      read += 1;
      return prepareDocument(buildSchema(), text);
    });
    const budgets = new Budgets({
      clock: systemClock,
      rates: { operationsPerSecond: 0, costPerMinute: 20_000 },
      limits,
    });
    const admit = (query: string) =>
      budgets.admit({ viewer: null, address: 'x', text: query, variables: null }, prepare);
    const dear = (name: number) => `{ a${name}: __typename ${' '.repeat(1_000)} }`;
    const answers = Array.from({ length: 50 }, (_, name) => admit(dear(name)));
    const refused = answers.filter(({ errors }) => errors);
    expect(refused.length).toBeGreaterThan(40);
    for (const { errors = [] } of refused) {
      expectLimited({ errors: errors.map((error) => error.toJSON()) }, 60_000);
    }
    expect(read).toBe(50 - refused.length);
    // What has been read costs no more than what it shows.
    expect(admit(dear(0)).errors).toBeUndefined();
  });
});

describe('by default', () => {
  test('500 people of one address register, and sign in again', async () => {
    await using server = await startTestServer();
    const names = Array.from({ length: 500 }, (_, at) => `user_${at}`);
    for (let at = 0; at < names.length; at += 50) {
      const some = names.slice(at, at + 50);
      const answers = await Promise.all(
        some.flatMap((name) => [askHttp(server, { query: register(name) })]),
      );
      expect(answers.flatMap(({ answer }) => answer.errors ?? [])).toEqual([]);
      const again = await Promise.all(
        some.map((name) => askHttp(server, { query: login(name, 'correct horse') })),
      );
      expect(again.flatMap(({ answer }) => answer.errors ?? [])).toEqual([]);
    }
  }, 60_000);
});

describe('who can count no more', () => {
  test('lets nobody sign in, and who has go on: renew their session, and send', async () => {
    let isLost = false;
    const rates: RateStore = {
      async take() {
        if (isLost) throw new Error('the store is gone');
        return 0;
      },
      async giveBack() {
        if (isLost) throw new Error('the store is gone');
      },
    };
    const limits = { refreshesPerMinuteMax: 2 };
    await using server = await startTestServer({}, { rates, limits });
    const ann = await signUp(server, 'ann');
    const conversationId = await ann.directWith(ann);
    isLost = true;
    for (const query of [register('bob'), login('ann', 'correct horse')]) {
      const { status, headers, answer } = await askHttp(server, { query });
      expect(answer.errors?.[0]?.extensions).toEqual({
        code: 'UNAVAILABLE',
        retryable: true,
        retryAfterMs: 2_000,
      });
      expect([status, answer.data, headers.get('retry-after')]).toEqual([200, null, null]);
    }
    expect(codeOf((await askHttp(server, { query: refresh })).answer)).toBe('UNAUTHENTICATED');
    await ann.refresh();
    const { accessToken } = ann.auth;
    const { answer } = await askHttp(server, { query: send(conversationId, 1), accessToken });
    expect(answer.errors).toBeUndefined();
    // As often as else: the node counts by itself.
    expect(codeOf((await askHttp(server, { query: refresh })).answer)).toBe('RATE_LIMITED');
    expect(server.log.filter(({ event }) => event === 'rates.lost').length).toBeGreaterThan(3);
  });
});

describe('connections', () => {
  const upgrade = async (server: Reachable, headers: Record<string, string> = {}) => {
    const socket = new WebSocket(
      `${server.url.replace('http', 'ws')}/graphql`,
      ['graphql-transport-ws'],
      { headers },
    );
    socket.on('error', () => undefined);
    return Promise.race([
      once(socket, 'open').then(() => ({ status: 101, socket, retryAfter: undefined })),
      once(socket, 'unexpected-response').then((args) => {
        const response = args[1] as { statusCode: number; headers: Record<string, string> };
        socket.terminate();
        return { status: response.statusCode, socket, retryAfter: response.headers['retry-after'] };
      }),
    ]);
  };

  test('from one address are so many, sockets and streams together', async () => {
    await using server = await startTestServer({ budgets: { connectionsPerAddress: 3 } });
    const ann = await signUp(server, 'ann');
    const sockets = [await ann.socket(), await ann.socket()];
    const stream = subscribeEvents(ann, InboxDocument, {});
    await stream.waitFor(1);
    const refused = await upgrade(server);
    expect([refused.status, refused.retryAfter]).toEqual([429, '5']);
    const query = 'subscription { inbox { cursor } }';
    const { accessToken } = ann.auth;
    const streamed = await askHttp(server, {
      query,
      accessToken,
      headers: { accept: 'text/event-stream' },
    });
    expect([streamed.status, streamed.headers.get('retry-after')]).toEqual([429, '5']);
    expectLimited(streamed.answer, 5_000);
    await sockets[0]?.close();
    await expect.poll(async () => (await upgrade(server)).status).toBe(101);
    stream.stop();
    await sockets[1]?.close();
  });

  test('of one user are so many: 4606, and 429 for a stream', async () => {
    await using server = await startTestServer({}, { limits: { connectionsPerUserMax: 2 } });
    const [ann, bob] = [await signUp(server, 'ann'), await signUp(server, 'bob')];
    const first = await ann.socket();
    await ann.socket();
    expect((await new TestSocket(server, { accessToken: ann.auth.accessToken }).closed).code).toBe(
      4606,
    );
    const streamed = await askHttp(server, {
      query: 'subscription { inbox { cursor } }',
      accessToken: ann.auth.accessToken,
      headers: { accept: 'text/event-stream' },
    });
    expect(streamed.status).toBe(429);
    await (await bob.socket()).close();
    await first.close();
    await expect
      .poll(() =>
        ann.socket().then(
          () => 'in',
          () => 'out',
        ),
      )
      .toBe('in');
    await ann[Symbol.asyncDispose]();
  });

  test('that say nothing are so many, and leave room again', async () => {
    await using server = await startTestServer(
      {},
      { limits: { pendingInitsMax: 2, connectionInitTimeoutMs: 500 } },
    );
    const talking = await openSocket(server);
    const silent = [await upgrade(server), await upgrade(server)];
    expect(silent.map(({ status }) => status)).toEqual([101, 101]);
    const refused = await upgrade(server);
    expect([refused.status, refused.retryAfter]).toEqual([503, '1']);
    await Promise.all(silent.map(({ socket }) => once(socket, 'close')));
    expect((await upgrade(server)).status).toBe(101);
    expect(talking.readyState).toBe(WebSocket.OPEN);
    talking.terminate();
  });
});

describe('X-Forwarded-For', () => {
  const once3 = async (trustedProxies: number, forwarded: readonly string[]) => {
    await using server = await startTestServer({
      http: { trustedProxies },
      budgets: { registrationsPerHour: 1 },
    });
    const codes = [];
    for (const [at, address] of forwarded.entries()) {
      const headers = { 'x-forwarded-for': address };
      codes.push(
        codeOf((await askHttp(server, { query: register(`user_${at}`), headers })).answer),
      );
    }
    return { codes, log: server.log.map(({ event }) => event) };
  };

  test('is not believed where no proxy is, and the operator is told once', async () => {
    const { codes, log } = await once3(0, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    expect(codes).toEqual([undefined, 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(log.filter((event) => event.startsWith('http.forwardedNotBelieved'))).toHaveLength(1);
  });

  test('is believed as far as proxies wrote it', async () => {
    const { codes } = await once3(1, ['192.0.2.1', '192.0.2.2', 'x, 192.0.2.2', '192.0.2.1, x']);
    expect(codes).toEqual([undefined, undefined, 'RATE_LIMITED', undefined]);
    const behindTwo = await once3(2, ['192.0.2.1, 10.0.0.1', 'x, 192.0.2.1, 10.0.0.2']);
    expect(behindTwo.codes).toEqual([undefined, 'RATE_LIMITED']);
  });

  test('counts a network of IPv6 as one', async () => {
    const { codes } = await once3(1, [
      '2001:db8::1',
      '[2001:db8:0:0:ffff::2]:443',
      '2001:db8:0:1::1',
      '::ffff:192.0.2.9',
      '192.0.2.9:4711',
    ]);
    expect(codes).toEqual([undefined, 'RATE_LIMITED', undefined, undefined, 'RATE_LIMITED']);
  });
});
