import { WebSocket } from 'ws';
import { describe, expect, test, vi } from 'vitest';
import {
  ConversationEventsDocument,
  InboxDocument,
  LogoutDocument,
  SendMessageDocument,
  type ConversationEventsSubscription,
  type InboxSubscription,
} from '../../client/generated/documents.ts';
import { liveClient, SignedOut, type LiveOptions } from '../../client/live.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { openApollo, openGraphqlWs, openUrql, type Front } from '../support/fronts.ts';
import type { Recording } from '../support/recording.ts';
import { startTestServer } from '../support/server.ts';

const fronts = [
  ['graphql-ws', openGraphqlWs],
  ['urql', openUrql],
  ['apollo', openApollo],
] as const;

/** Long enough for several dials on a machine that is busy. */
const withinMs = 40_000;

function live(port: number, accessToken: LiveOptions['accessToken'], times: Times = {}) {
  const url = `ws://127.0.0.1:${port}/graphql`;
  return liveClient({ url, webSocketImpl: WebSocket, accessToken, ...times });
}

type Times = Pick<LiveOptions, 'quietMs' | 'answerMs'>;

function portOf({ url }: { url: string }): number {
  return Number(new URL(url).port);
}

function seqsOf(recording: Recording<InboxSubscription>): number[] {
  return recording.events.flatMap(({ inbox }) =>
    inbox.__typename === 'MessageAdded' ? [inbox.message.seq] : [],
  );
}

function followedSeqsOf(recording: Recording<ConversationEventsSubscription>): number[] {
  return recording.events.flatMap(({ conversation: event }) =>
    event.__typename === 'ConversationMessageAdded' ? [event.message.seq] : [],
  );
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Sends a message under a key of its own; answers its seq. */
async function say(user: TestUser, conversationId: string, text: string): Promise<number> {
  const input = { conversationId, clientMessageId: text, content: { text: { text } } };
  return (await user.query(SendMessageDocument, { input })).sendMessage.message.seq;
}

describe('a live client', { timeout: 170_000 }, () => {
  test.each(fronts)('goes on without gap or repeat, whatever is cut: %s', async (_name, open) => {
    await using server = await startTestServer();
    await using proxy = await FaultProxy.start(portOf(server));
    await using ann = await signUp(server, 'ann');
    await using bob = await signUp(server, 'bob');
    const id = await bob.directWith(ann);
    const token = () => Promise.resolve(ann.auth.accessToken);
    await using front = disposable(
      open(
        server,
        ann.auth.accessToken,
        live(proxy.port, token, { quietMs: 1_000, answerMs: 2_000 }),
      ),
    );
    const inbox = front.subscribe(InboxDocument, {});
    await inbox.waitFor(1, withinMs);
    let last = await say(bob, id, 'before');
    const followed = front.subscribe(ConversationEventsDocument, { id, afterSeq: 0 });
    const faults: (() => Promise<void> | void)[] = [
      () => proxy.cut(),
      () => proxy.silence(),
      () => server.restart(),
    ];
    for (const [index, spoil] of faults.entries()) {
      const heard = (): number[][] => [seqsOf(inbox), followedSeqsOf(followed)];
      await expect.poll(heard, { timeout: withinMs }).toEqual([upTo(last), upTo(last)]);
      await spoil();
      last = await say(bob, id, `missed ${index}`);
      last = await say(bob, id, `missed, too ${index}`);
      proxy.heal();
      // What was swallowed leaves the wire torn: only a new one goes on.
      await expect.poll(heard, { timeout: withinMs }).toEqual([upTo(last), upTo(last)]);
      last = await say(bob, id, `live ${index}`);
      await expect.poll(heard, { timeout: withinMs }).toEqual([upTo(last), upTo(last)]);
    }
    expect([inbox.end, followed.end]).toEqual([undefined, undefined]);
  });

  test('renews the token that the server refuses, whatever the clock of the device says', async () => {
    await using server = await startTestServer({ tokens: { accessTtlSeconds: 3 } });
    await using ann = await signUp(server, 'ann');
    await using bob = await signUp(server, 'bob');
    const asked: boolean[] = [];
    await using front = followWith(server, async (isRefused) => {
      asked.push(isRefused);
      if (isRefused) await ann.refresh();
      return ann.auth.accessToken;
    });
    const inbox = front.subscribe(InboxDocument, {});
    const refusals = (): number => asked.filter(Boolean).length;
    await expect.poll(refusals, { timeout: withinMs }).toBeGreaterThan(1);
    // Bob's token may run out as well.
    const hello = async (): Promise<number> => {
      await bob.refresh();
      return say(bob, await bob.directWith(ann), 'hello');
    };
    await expect.poll(() => hello().catch(() => 0), { timeout: withinMs }).toBe(1);
    await expect.poll(() => seqsOf(inbox), { timeout: withinMs }).toEqual([1]);
    expect(asked[0]).toBe(false);
    expect(inbox.end).toBeUndefined();
  });

  test('tries again where no token can be had now, and ends where none can be had any more', async () => {
    await using server = await startTestServer();
    await using ann = await signUp(server, 'ann');
    let isOver = false;
    const accessToken = vi.fn(() => Promise.resolve(isOver ? null : ann.auth.accessToken));
    accessToken.mockRejectedValueOnce(new Error('no network'));
    const client = live(portOf(server), accessToken);
    const ended = vi.fn<(reason: unknown) => void>();
    const next = vi.fn();
    const query = 'subscription ($after: InboxCursor) { inbox(after: $after) { cursor } }';
    client.subscribe({ query }, { next, error: ended, complete: () => undefined });
    await vi.waitFor(() => expect(next).toHaveBeenCalled(), withinMs);
    isOver = true;
    await server.restart();
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), withinMs);
    expect(ended.mock.calls[0]?.[0]).toBeInstanceOf(SignedOut);
    await client.dispose();
  });

  test('ends with the session', async () => {
    await using server = await startTestServer();
    await using ann = await signUp(server, 'ann');
    await using front = followWith(server, () => Promise.resolve(ann.auth.accessToken));
    const inbox = front.subscribe(InboxDocument, {});
    await inbox.waitFor(1, withinMs);
    await ann.query(LogoutDocument, {});
    expect(await inbox.waitForEnd(withinMs)).toBe('closed');
  });
});

function followWith(server: { url: string }, accessToken: LiveOptions['accessToken']) {
  return disposable(openGraphqlWs(server, undefined, live(portOf(server), accessToken)));
}

/** Closed before what it is connected to. */
function disposable(front: Front): Front & AsyncDisposable {
  return { ...front, [Symbol.asyncDispose]: () => front.close() };
}
