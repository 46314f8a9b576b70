import { readFile } from 'node:fs/promises';
import { transform } from 'esbuild';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { afterEach, expect, test, vi } from 'vitest';
import {
  InboxDocument,
  InboxPageDocument,
  LogoutDocument,
  SendMessageDocument,
  type InboxSubscription,
} from '../../client/generated/documents.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

type Client = ReturnType<typeof createClient>;
type InboxEvent = InboxSubscription['inbox'];

/** The protocol's own lines, run as they stand there. */
async function follow(given: Readonly<Record<string, unknown>>): Promise<Client> {
  const text = await readFile(new URL('../../schema/README.md', import.meta.url), 'utf8');
  const [, lines = ''] = /^```ts\n(.*?)^```$/ms.exec(text) ?? [];
  const { code } = await transform(lines, { loader: 'ts' });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- documents are tested as they stand
  const run = new Function(...Object.keys(given), `${code}; return client;`) as (
    ...values: unknown[]
  ) => Client;
  return run(...Object.values(given));
}

test('a stock client goes on by itself over restarts, without gap or repeat', async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  await using server = await startTestServer();
  const [ann, bob] = [await signUp(server, 'ann'), await signUp(server, 'bob')];
  const conversationId = await bob.directWith(ann);
  const send = (text: string) =>
    bob.query(SendMessageDocument, {
      input: { conversationId, clientMessageId: text, content: { text: { text } } },
    });
  const cursor = (await ann.query(InboxPageDocument, {})).viewer.inbox.endCursor;
  const applied: InboxEvent[] = [];
  let ended: unknown;
  const client = await follow({
    createClient,
    url: `${server.url.replace('http', 'ws')}/graphql`,
    freshAccessToken: () => refreshed(ann),
    query: print(InboxDocument),
    cursor,
    apply: (event: InboxEvent) => applied.push(event),
    report: (reason: unknown) => (ended = reason),
  });
  const texts = (): string[] =>
    applied.flatMap((event) =>
      event.__typename === 'MessageAdded' && event.message.content.__typename === 'TextContent'
        ? [event.message.content.text]
        : [],
    );

  await send('before');
  await vi.waitFor(() => expect(texts()).toEqual(['before']), 30_000);
  for (const [missed, live] of [
    ['missed', 'live'],
    ['missed again', 'live again'],
  ] as const) {
    const soFar = texts();
    await server.restart();
    await send(missed);
    await vi.waitFor(() => expect(texts()).toEqual([...soFar, missed]), 40_000);
    await send(live);
    await vi.waitFor(() => expect(texts()).toEqual([...soFar, missed, live]), 30_000);
  }
  expect(applied.map(({ __typename }) => __typename)).not.toContain('InboxReset');

  await ann.query(LogoutDocument, {});
  await vi.waitFor(() => expect(ended).toMatchObject({ code: 4601 }), 20_000);
  await client.dispose();
}, 170_000);

async function refreshed(user: TestUser): Promise<string> {
  await user.refresh();
  return user.auth.accessToken;
}
