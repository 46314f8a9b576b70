import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CreateGroupDocument,
  LogoutDocument,
  PresenceDocument,
  RemoveMemberDocument,
  SetTypingDocument,
  TypingDocument,
} from '../../client/generated/documents.ts';
import { post, signIn, signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { subscribeEvents } from '../support/sse.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function groupOf(owner: TestUser, ...others: TestUser[]): Promise<string> {
  const memberIds = others.map(({ id }) => id);
  const input = { clientRequestId: 'group', title: 'Group', memberIds };
  return (await owner.query(CreateGroupDocument, { input })).createGroup.conversation.id;
}

describe('subscriptions as server-sent events', () => {
  test('give the same as over a socket, and complete like there', async () => {
    const [ann, bob] = await Promise.all(['ann', 'bob'].map((name) => signUp(server, name)));
    const conversationId = await groupOf(ann!, bob!);
    const recording = subscribeEvents(bob!, TypingDocument, { conversationId });
    const isOnline = subscribeEvents(ann!, PresenceDocument, { userIds: [bob!.id] });
    // Whoever listens is there.
    await isOnline.until(() => isOnline.events.at(-1)?.presence.isOnline === true, 'presence');
    await ann!.query(SetTypingDocument, { conversationId, isTyping: true });
    const [event] = await recording.waitFor(1);
    expect(event?.typing).toMatchObject({ user: { username: 'ann' }, isTyping: true });
    await ann!.query(RemoveMemberDocument, { input: { conversationId, userId: bob!.id } });
    expect(await recording.waitForEnd()).toBe('complete');
    expect(recording.errors).toEqual([]);
    isOnline.stop();
  });

  test('a refused one is an error, and complete', async () => {
    const cat = await signUp(server, 'cat');
    const dan = await signUp(server, 'dan');
    const conversationId = await groupOf(dan);
    const recording = subscribeEvents(cat, TypingDocument, { conversationId });
    expect(await recording.waitForEnd()).toBe('complete');
    expect(recording.events).toEqual([]);
    expect(recording.errors[0]?.extensions).toEqual({ code: 'NOT_FOUND', retryable: false });
    cat.auth = { ...cat.auth, accessToken: 'x.y.z' };
    const anonymous = subscribeEvents(cat, PresenceDocument, { userIds: [] });
    await anonymous.waitForEnd();
    expect(anonymous.errors[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
  });

  test('who does not accept them is told so', async () => {
    const eve = await signUp(server, 'eve');
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        authorization: `Bearer ${eve.auth.accessToken}`,
      },
      body: JSON.stringify({ query: print(PresenceDocument), variables: { userIds: [eve.id] } }),
    });
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'INVALID_ARGUMENT', retryable: false } }],
    });
    // A query to one who accepts only events is answered as one event.
    const query = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(await query.text()).toBe(
      'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n',
    );
  });

  test.each([
    ['logout', 4601, (user: TestUser) => user.query(LogoutDocument, {})],
    [
      'another sign-in',
      4602,
      (user: TestUser) => signIn(server, user.username, { id: 'other', platform: 'OTHER' }),
    ],
  ])('%s ends them within 250 ms, and says why: %i', async (_what, closeCode, act) => {
    const user = await signUp(server, `ended_${closeCode}`);
    const recording = subscribeEvents(user, PresenceDocument, { userIds: [user.id] });
    await recording.waitFor(1);
    await act(user);
    const answeredAtMs = Date.now();
    expect(await recording.waitForEnd()).toBe('complete');
    expect(Date.now() - answeredAtMs).toBeLessThan(250);
    expect(recording.errors.map(({ extensions }) => extensions)).toEqual([
      { code: 'UNAUTHENTICATED', retryable: false, closeCode },
    ]);
    expect(recording.events).toHaveLength(1);
  });

  test('so do a token that runs out, and a node that drains', async () => {
    const ending = await startTestServer({ tokens: { accessTtlSeconds: 1 } });
    const user = await signUp(ending, 'brief');
    const brief = subscribeEvents(user, PresenceDocument, { userIds: [user.id] });
    expect(await brief.waitForEnd()).toBe('complete');
    expect(brief.errors[0]?.extensions).toMatchObject({ closeCode: 4605 });
    await user.refresh();
    const drained = subscribeEvents(user, PresenceDocument, { userIds: [user.id] });
    await drained.waitFor(1);
    await ending.stop(500);
    expect(await drained.waitForEnd()).toBe('complete');
    expect(drained.errors[0]?.extensions).toEqual({
      code: 'UNAVAILABLE',
      retryable: true,
      closeCode: 4604,
      retryAfterMs: expect.any(Number) as number,
    });
    await ending[Symbol.asyncDispose]();
  });

  test('a client that goes away leaves nothing behind', async () => {
    const user = await signUp(server, 'vanishing');
    const watcher = await signUp(server, 'watcher');
    await groupOf(watcher, user);
    const recording = subscribeEvents(user, PresenceDocument, { userIds: [user.id] });
    await recording.waitFor(1);
    const isOnline = async () => {
      const query = '{ viewer { session { isOnline } } }';
      const { data } = await post<{ viewer: { session: { isOnline: boolean } } }, object>(
        server,
        query,
        {},
        user.auth.accessToken,
      );
      return data?.viewer.session.isOnline;
    };
    expect(await isOnline()).toBe(true);
    recording.stop();
    await new Promise((resolve) => setTimeout(resolve, 5_600));
    expect(await isOnline()).toBe(false);
  });
});
