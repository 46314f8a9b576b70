import { once } from 'node:events';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  CreateGroupDocument,
  GateDocument,
  LogoutDocument,
  PresenceDocument,
  TypingDocument,
} from '../../client/generated/documents.ts';
import { signIn, signUp, TestSocket, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(
    { http: { allowedOrigins: ['https://app.example'] } },
    { limits: { connectionInitTimeoutMs: 300, subscriptionsPerConnectionMax: 4 } },
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const path = () => `${server.url.replace('http', 'ws')}/graphql`;
/** How a plain socket ends that says so. */
async function rawClose(frames: readonly (string | Buffer)[], protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(path(), protocol === '' ? [] : [protocol]);
  await once(socket, 'open');
  for (const frame of frames) socket.send(frame);
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}
const init = JSON.stringify({ type: 'connection_init' });
const operation = (id: string, query: string) =>
  JSON.stringify({ id, type: 'subscribe', payload: { query } });

async function groupOf(owner: TestUser, ...others: TestUser[]): Promise<string> {
  const input = {
    clientRequestId: 'group',
    title: 'Group',
    memberIds: others.map(({ id }) => id),
  };
  return (await owner.query(CreateGroupDocument, { input })).createGroup.conversation.id;
}

describe('who may connect', () => {
  test('without a token a socket is anonymous', async () => {
    const socket = new TestSocket(server, undefined);
    await socket.acknowledged;
    expect((await socket.query(GateDocument, {})).gate.gateId).toBeTruthy();
    await expect(socket.query(LogoutDocument, {})).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    await socket.close();
  });

  test.each([
    ['a forged token', 'x.y.z'],
    ['no token at all in its place', 17],
    ['an empty one', ''],
  ])('%s: 4401', async (_what, accessToken) => {
    expect((await new TestSocket(server, { accessToken }).closed).code).toBe(4401);
  });

  test('a token of a session that was ended or displaced: 4401', async () => {
    const gone = await signUp(server, 'gone', { id: 'a', platform: 'WEB' });
    await gone.query(LogoutDocument, {});
    const { accessToken } = gone.auth;
    expect((await new TestSocket(server, { accessToken }).closed).code).toBe(4401);
    const displaced = await signIn(server, 'gone', { id: 'b', platform: 'WEB' });
    await signIn(server, 'gone', { id: 'c', platform: 'WEB' });
    expect((await new TestSocket(server, displaced.auth).closed).code).toBe(4401);
  });

  test('stock clients take 4401 as final', async () => {
    const socket = new TestSocket(server, { accessToken: 'x.y.z' }, { retryAttempts: 5 });
    expect((await socket.closed).code).toBe(4401);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(socket.attempts).toBe(1);
  });

  test('pages of other origins are refused, native apps have none', async () => {
    const answers: Record<string, unknown> = {};
    for (const origin of ['https://app.example', 'https://evil.example', server.url, 'null']) {
      const socket = new WebSocket(path(), ['graphql-transport-ws'], { origin });
      const [what] = await Promise.race([
        once(socket, 'open').then(() => [101]),
        once(socket, 'unexpected-response').then(
          ([, response]) => [(response as { statusCode: number }).statusCode] as const,
        ),
      ]);
      answers[origin] = what;
      socket.on('error', () => undefined);
      socket.terminate();
    }
    expect(answers).toEqual({
      'https://app.example': 101,
      [server.url]: 101,
      'https://evil.example': 403,
      null: 403,
    });
  });

  test('sockets are at /graphql alone', async () => {
    const socket = new WebSocket(path().replace('/graphql', '/other'), ['graphql-transport-ws']);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('404');
  });
});

describe('what is no protocol', () => {
  test.each([
    ['no JSON', ['{'], 4400],
    ['a binary frame', [Buffer.from(init)], 4400],
    ['a message that is unknown', ['{"type":"hello"}'], 4400],
    ['a message that only servers send', [init, '{"type":"connection_ack"}'], 4400],
    ['another one', [init, '{"id":"1","type":"next","payload":{}}'], 4400],
    ['an operation before the acknowledgement', [operation('1', '{ __typename }')], 4401],
    ['two initialisations', [init, init], 4429],
    ['silence', [], 4408],
    ['a frame that is too long', [`{"type":"ping","payload":{"x":"${'x'.repeat(70_000)}"}}`], 1009],
  ])('%s', async (_what, frames, code) => {
    expect(await rawClose(frames)).toBe(code);
  });

  test('no subprotocol: 4406; another one is not agreed to', async () => {
    expect(await rawClose([], '')).toBe(4406);
    await expect(rawClose([], 'graphql-ws')).rejects.toThrow('no subprotocol');
  });

  test('one id for two operations at once: 4409', async () => {
    const user = await signUp(server, 'twice');
    const id = await groupOf(user);
    const socket = new WebSocket(path(), ['graphql-transport-ws']);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: user.auth }));
    await once(socket, 'message');
    const query = `subscription { typing(conversationId: "${id}") { isTyping } }`;
    socket.send(operation('1', query));
    socket.send(operation('1', query));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(4409);
  });
});

describe('a refused subscription is an error message', () => {
  test('where the subscribe step faults', async () => {
    const user = await signUp(server, 'refused');
    const socket = await user.socket();
    const other = await signUp(server, 'other_owner');
    const conversationId = await groupOf(other);
    const recording = socket.subscribe(TypingDocument, { conversationId });
    expect(await recording.waitForEnd()).toBe('error');
    expect(recording.errors.map(({ extensions }) => extensions)).toEqual([
      { code: 'NOT_FOUND', retryable: false },
    ]);
    await socket.close();
  });

  test('where a variable is missing, or the viewer, or the document is no good', async () => {
    const socket = new TestSocket(server, undefined);
    await socket.acknowledged;
    const refusal = async (variables: { conversationId: string }) => {
      const recording = socket.subscribe(TypingDocument, variables);
      expect(await recording.waitForEnd()).toBe('error');
      expect(recording.events).toEqual([]);
      return recording.errors.map(({ extensions }) => extensions);
    };
    expect(await refusal({} as { conversationId: string })).toEqual([
      { code: 'INVALID_ARGUMENT', retryable: false },
    ]);
    expect(await refusal({ conversationId: 'c_x' })).toEqual([
      { code: 'UNAUTHENTICATED', retryable: false },
    ]);
    const invalid = await socket.query(parse('subscription { nope }'), {}).catch(String);
    expect(invalid).toContain('nope');
    await socket.close();
  });

  test('operations on one connection have a limit', async () => {
    const user = await signUp(server, 'greedy');
    const conversationId = await groupOf(user);
    const socket = await user.socket();
    const open = [1, 2, 3, 4].map(() => socket.subscribe(TypingDocument, { conversationId }));
    const more = socket.subscribe(TypingDocument, { conversationId });
    expect(await more.waitForEnd()).toBe('error');
    expect(more.errors[0]?.extensions).toEqual({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterMs: 1_000,
    });
    open[0]?.stop();
    const again = socket.subscribe(TypingDocument, { conversationId });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([again.end, ...open.map(({ end }) => end)]).toEqual([
      undefined,
      'complete',
      undefined,
      undefined,
      undefined,
    ]);
    await socket.close();
  });
});

describe('sessions that end lose their sockets', () => {
  test('logout by HTTP: 4601 within 250 ms', async () => {
    const user = await signUp(server, 'leaver');
    const socket = await user.socket();
    const recording = socket.subscribe(PresenceDocument, { userIds: [user.id] });
    await recording.waitFor(1);
    await user.query(LogoutDocument, {});
    const answeredAtMs = Date.now();
    const { code, atMs } = await socket.closed;
    expect(code).toBe(4601);
    expect(atMs - answeredAtMs).toBeLessThan(250);
    expect(await recording.waitForEnd()).toBe('closed');
    expect(recording.events).toHaveLength(1);
  });

  test('logout over the socket itself is answered first', async () => {
    const user = await signUp(server, 'polite');
    const socket = await user.socket();
    const recording = socket.subscribe(PresenceDocument, { userIds: [user.id] });
    await recording.waitFor(1);
    const { logout } = await socket.query(LogoutDocument, {});
    expect(logout.session.id).toBe(user.auth.viewer.session.id);
    expect((await socket.closed).code).toBe(4601);
    // A subscription that would complete would look like its regular end.
    expect(await recording.waitForEnd()).toBe('closed');
  });

  test('another sign-in on the same kind of device: 4602 within 250 ms, the other kinds stay', async () => {
    const phone = await signUp(server, 'mover', { id: 'iphone', platform: 'IOS' });
    const desk = await signIn(server, 'mover', { id: 'desk', platform: 'DESKTOP' });
    const [onPhone, onDesk] = [await phone.socket(), await desk.socket()];
    const other = await signIn(server, 'mover', { id: 'pixel', platform: 'ANDROID' });
    const answeredAtMs = Date.now();
    expect(other.auth.displacedSessions.map(({ id }) => id)).toEqual([
      phone.auth.viewer.session.id,
    ]);
    const { code, atMs } = await onPhone.closed;
    expect(code).toBe(4602);
    expect(atMs - answeredAtMs).toBeLessThan(250);
    expect((await onDesk.query(GateDocument, {})).gate.gateId).toBeTruthy();
    await onDesk.close();
  });

  test('a refresh token that is shown twice ends its session: 4601', async () => {
    const user = await signUp(server, 'robbed');
    const socket = await user.socket();
    const stolen = { ...user.auth };
    await user.refresh();
    await user.refresh();
    user.auth = stolen;
    await expect(user.refresh()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await socket.closed).code).toBe(4601);
  });

  test('an access token runs out: 4605 within 250 ms; shown later: 4605', async () => {
    await using short = await startTestServer({ tokens: { accessTtlSeconds: 1 } });
    const user = await signUp(short, 'short');
    const { accessToken, accessTokenExpiresAt } = user.auth;
    const socket = new TestSocket(short, { accessToken });
    await socket.acknowledged;
    const { code, atMs } = await socket.closed;
    expect(code).toBe(4605);
    const lateMs = atMs - Date.parse(accessTokenExpiresAt);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(250);
    expect((await new TestSocket(short, { accessToken }).closed).code).toBe(4605);
    await user.refresh();
    await (await user.socket()).close();
  });
});

describe('half-open sockets', () => {
  test('who gives no sign of life for two heartbeats is let go, who does stays', async () => {
    await using beating = await startTestServer({}, { limits: { heartbeatQuietMs: 150 } });
    const [silent, alive] = await Promise.all(
      ['silent', 'alive'].map((name) => signUp(beating, name)),
    );
    const hanging = await silent!.socket();
    const watching = await alive!.socket();
    hanging.stall();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    hanging.unstall();
    expect((await hanging.closed).code).toBe(1006);
    expect((await watching.query(GateDocument, {})).gate.gateId).toBeTruthy();
    await watching.close();
  });
});

describe('draining', () => {
  test('sockets close with 4604, the node is not ready, requests under way are answered', async () => {
    await using draining = await startTestServer({}, { limits: { drainSliceMs: 50 } });
    const users = await Promise.all(['a_1', 'a_2', 'a_3'].map((name) => signUp(draining, name)));
    const sockets = await Promise.all(users.map((user) => user.socket()));
    const login = signIn(draining, 'a_1', { id: 'late', platform: 'WEB' });
    const stopped = draining.stop(1_000);
    const ready = await fetch(`${draining.url}/ready`).catch(() => null);
    expect(ready?.status).toBe(503);
    const late = new WebSocket(`${draining.url.replace('http', 'ws')}/graphql`, [
      'graphql-transport-ws',
    ]);
    const [error] = (await once(late, 'error')) as [Error];
    expect(error.message).toContain('503');
    const closings = await Promise.all(sockets.map(({ closed }) => closed));
    expect(closings.map(({ code }) => code)).toEqual([4604, 4604, 4604]);
    // There is no other gate: nobody is asked to come back before this one may be there again.
    const beganMs = Math.min(...closings.map(({ atMs }) => atMs));
    for (const { reason, atMs } of closings) {
      const { retryAfterMs, ...rest } = JSON.parse(reason) as { retryAfterMs: number };
      expect(rest).toEqual({});
      expect(retryAfterMs + atMs - beganMs).toBeLessThan(1_000);
      expect(retryAfterMs).toBeGreaterThan(0);
    }
    expect((await login).username).toBe('a_1');
    await stopped;
    await expect(fetch(`${draining.url}/health`)).rejects.toThrow();
  });
});
