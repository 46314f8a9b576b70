import { print, type GraphQLFormattedError } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SendMessageDocument } from '../../client/generated/documents.ts';
import { createGroup, historyOf, newKey, words } from '../support/chat.ts';
import { signUp, TestFault, TestSocket, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let user: TestUser;
let socket: TestSocket;
let conversationId: string;
beforeAll(async () => {
  server = await startTestServer(
    { budgets: { operationsPerSecond: 0, costPerMinute: 0 } },
    // One message is written at a time, and one may wait.
    { limits: { writerBatchDraftsMax: 1, writerQueueDraftsMax: 1 } },
  );
  user = await signUp(server, 'ann');
  conversationId = await createGroup(user, [await signUp(server, 'ben')]);
  socket = await user.socket();
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

interface Sent {
  readonly key: string;
  /** Undefined: it was acknowledged. */
  readonly errors: readonly GraphQLFormattedError[] | undefined;
  readonly isDuplicate?: boolean;
}

const input = (key: string) => ({
  input: { conversationId, clientMessageId: key, content: { text: { text: `says ${key}` } } },
});

async function send(by: Pick<TestSocket, 'query'>, key: string): Promise<Sent> {
  try {
    const { sendMessage } = await by.query(SendMessageDocument, input(key));
    return { key, errors: undefined, isDuplicate: sendMessage.isDuplicate };
  } catch (error) {
    if (error instanceof TestFault) return { key, errors: error.errors };
    throw error;
  }
}

/** More than can be written, at once. */
function flood(count: number): Promise<Sent[]> {
  return Promise.all(Array.from({ length: count }, () => send(socket, newKey())));
}

test('what is too much is refused at once, stored nowhere, and taken when it is sent again', async () => {
  const sent = await flood(50);
  const refused = sent.filter(({ errors }) => errors);
  expect(refused.length).toBeGreaterThan(20);
  expect(refused.length).toBeLessThan(50);
  for (const { errors } of refused) {
    expect(errors).toEqual([
      {
        message: 'Too many writes are waiting.',
        path: ['sendMessage'],
        locations: [{ line: 2, column: 3 }],
        extensions: {
          code: 'UNAVAILABLE',
          retryable: true,
          retryAfterMs: expect.any(Number) as number,
        },
      },
    ]);
  }
  const texts = async () =>
    (await historyOf(user, conversationId)).map((message) => words(message)).slice(1);
  const acknowledged = sent.filter(({ errors }) => !errors);
  expect(await texts()).toEqual(acknowledged.map(({ key }) => `says ${key}`));

  // Again, one after the other, those acknowledged included.
  for (const { key, errors } of sent) {
    expect(await send(socket, key)).toEqual({
      key,
      errors: undefined,
      isDuplicate: errors === undefined,
    });
  }
  expect(await texts()).toEqual([...acknowledged, ...refused].map(({ key }) => `says ${key}`));
});

test('a refusal over the socket, unexecuted, says what one over HTTP says, executed', async () => {
  let overHttp: Sent | undefined;
  let overSocket: Sent | undefined;
  while (!overHttp?.errors || !overSocket?.errors) {
    const [asked, sent] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => send(user, newKey()))),
      flood(200),
    ]);
    overHttp = asked.find(({ errors }) => errors);
    overSocket = sent.find(({ errors }) => errors);
  }
  const withoutTime = ({ errors = [] }: Sent) =>
    errors.map(({ extensions, ...rest }) => ({
      ...rest,
      extensions: { ...extensions, retryAfterMs: 0 },
    }));
  expect(withoutTime(overSocket)).toEqual(withoutTime(overHttp));
});

test('whoever may not send at all is told that', async () => {
  const anonymous = new TestSocket(server, undefined);
  await anonymous.acknowledged;
  const told: Sent[] = [];
  let isOver = false;
  const flooding = (async () => {
    let refused = 0;
    while (!isOver) refused += (await flood(20)).filter(({ errors }) => errors).length;
    return refused;
  })();
  while (told.length < 200) told.push(await send(anonymous, newKey()));
  isOver = true;
  expect(await flooding).toBeGreaterThan(20);
  expect(told.map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual(
    told.map(() => 'UNAUTHENTICATED'),
  );
  await anonymous.close();
});

test('a refusal is one answer and its end, and nothing after', async () => {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const { accessToken } = user.auth;
  const query = print(SendMessageDocument);
  const told = new Map<string, string[]>();
  const subscribe = (id: string) => {
    ws.send(
      JSON.stringify({ id, type: 'subscribe', payload: { query, variables: input(newKey()) } }),
    );
  };
  ws.on('open', () =>
    ws.send(JSON.stringify({ type: 'connection_init', payload: { accessToken } })),
  );
  const asked = Array.from({ length: 100 }, (_, index) => `ask-${index}`);
  const isTold = new Promise<void>((resolve, reject) => {
    ws.on('close', (code) => reject(new Error(`closed with ${code}`)));
    ws.on('message', (data: Buffer) => {
      const { id, type } = JSON.parse(data.toString()) as { id?: string; type: string };
      if (type === 'connection_ack') asked.forEach(subscribe);
      else if (type === 'pong') resolve();
      else told.set(id ?? '', [...(told.get(id ?? '') ?? []), type]);
      const isOver = told.size === 100 && [...told.values()].every((types) => types.length > 1);
      if (isOver) ws.send(JSON.stringify({ type: 'ping' }));
    });
  });
  await isTold;
  ws.removeAllListeners('close');
  ws.close();
  expect(Object.fromEntries(told)).toEqual(
    Object.fromEntries(asked.map((id) => [id, ['next', 'complete']])),
  );
});
