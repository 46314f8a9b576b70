import { request, type IncomingMessage } from 'node:http';
import { parse, print } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { describe, expect, test } from 'vitest';
import {
  CreateGroupDocument,
  InboxDocument,
  SendMessageDocument,
  type InboxSubscription,
} from '../../client/generated/documents.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';
import { subscribeEvents } from '../support/sse.ts';

/** Asks for the text so often that one message is some 300 kB: what the system's buffers hold is soon full. */
const heavy = parse(
  `subscription { inbox { __typename ... on MessageAdded { message { seq ${Array.from(
    { length: 20 },
    (_, i) => `c${i}: content { ... on TextContent { text } }`,
  ).join(' ')} } } } }`,
) as TypedDocumentNode<
  { inbox: { __typename: string; message?: { seq: number } } },
  Record<string, never>
>;

const text = 'x'.repeat(16_000);

async function say(user: TestUser, conversationId: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    const clientMessageId = `m${sent}`;
    await user.query(SendMessageDocument, {
      input: { conversationId, clientMessageId, content: { text: { text } } },
    });
  }
}

const seqs = (events: readonly InboxSubscription[]): number[] =>
  events.flatMap(({ inbox }) => (inbox.__typename === 'MessageAdded' ? [inbox.message.seq] : []));

describe('who reads too slowly', () => {
  test('is closed with 4603, and costs nobody else anything', async () => {
    await using server = await startTestServer({}, { limits: { connectionStallMs: 400 } });
    const users = await Promise.all(['ann', 'bob', 'cat'].map((name) => signUp(server, name)));
    const [ann, bob, cat] = users as [TestUser, TestUser, TestUser];
    const memberIds = [bob.id, cat.id];
    const { createGroup } = await ann.query(CreateGroupDocument, {
      input: { clientRequestId: 'group', title: 'Group', memberIds },
    });
    const conversationId = createGroup.conversation.id;

    const stalled = await bob.socket();
    const ofStalled = stalled.subscribe(heavy, {});
    await ofStalled.waitFor(1);
    const healthy = (await cat.socket()).subscribe(InboxDocument, {});
    const streamed = subscribeEvents(cat, InboxDocument, {});
    await healthy.waitFor(1);
    await streamed.waitFor(1);
    stalled.stall();
    await say(ann, conversationId, 80);

    const all = Array.from({ length: 80 }, (_, i) => i + 2);
    for (const recording of [healthy, streamed]) {
      await recording.until(() => seqs(recording.events).length >= 80, 'all messages');
      expect(seqs(recording.events)).toEqual(all);
      recording.stop();
    }

    await new Promise((resolve) => setTimeout(resolve, 600));
    stalled.unstall();
    expect((await stalled.closed).code).toBe(4603);
    expect(await ofStalled.waitForEnd()).toBe('closed');
    const got = ofStalled.events.flatMap(({ inbox }) => inbox.message?.seq ?? []);
    // What it got is whole and in order; the rest it finds after its last cursor.
    expect(got).toEqual(all.slice(0, got.length));
    expect(got.length).toBeGreaterThan(0);
    expect(got.length).toBeLessThan(80);
    await cat[Symbol.asyncDispose]();
  });

  test('as a stream of events is told so in its last one', async () => {
    await using server = await startTestServer({}, { limits: { connectionStallMs: 400 } });
    const ann = await signUp(server, 'ann');
    const conversationId = await ann.directWith(ann);
    const response = await new Promise<IncomingMessage>((resolve) => {
      request(`${server.url}/graphql`, {
        method: 'POST',
        headers: {
          accept: 'text/event-stream',
          'content-type': 'application/json',
          authorization: `Bearer ${ann.auth.accessToken}`,
        },
      })
        .on('response', resolve)
        .end(JSON.stringify({ query: print(heavy) }));
    });
    await say(ann, conversationId, 80);
    await new Promise((resolve) => setTimeout(resolve, 600));
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
    const events = body.split('\n\n').filter((event) => event.startsWith('event: next'));
    expect(events.length).toBeLessThan(80);
    const last = JSON.parse(events.at(-1)!.slice('event: next\ndata: '.length)) as unknown;
    const extensions = { code: 'UNAVAILABLE', retryable: true, closeCode: 4603 };
    expect(last).toMatchObject({ errors: [{ extensions }] });
    expect(body.endsWith('event: complete\ndata:\n\n')).toBe(true);
  });

  test('while one that is only slow gets all of a replay that is longer than its budget', async () => {
    await using server = await startTestServer(
      {},
      { limits: { connectionQueueBytesMax: 100_000 } },
    );
    const ann = await signUp(server, 'ann');
    const conversationId = await ann.directWith(ann);
    const socket = await ann.socket();
    const before = socket.subscribe(InboxDocument, {});
    const after = (await before.waitFor(1))[0]!.inbox.cursor;
    await say(ann, conversationId, 60);
    // What is not in the log yet comes after the replay's end.
    await before.until(() => seqs(before.events).includes(60), 'all in the log');
    before.stop();
    const replay = socket.subscribe(InboxDocument, { after });
    for (let pauses = 0; pauses < 5; pauses += 1) {
      socket.stall();
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.unstall();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await replay.until(
      () => replay.events.at(-1)?.inbox.__typename === 'InboxHeartbeat',
      'its end',
    );
    expect(seqs(replay.events)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    await socket.close();
  });
});
