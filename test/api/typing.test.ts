import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CreateGroupDocument,
  LeaveGroupDocument,
  RemoveMemberDocument,
  SetTypingDocument,
  TypingDocument,
  type TypingSubscription,
} from '../../client/generated/documents.ts';
import { signIn, signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const typingTtlMs = 700;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { limits: { typingTtlMs } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

let made = 0;
/** Users of their own, in a group that the first one owns. */
async function group(count: number): Promise<{ conversationId: string; users: TestUser[] }> {
  made += 1;
  const users = await Promise.all(
    Array.from({ length: count }, (_, i) => signUp(server, `user_${made}_${i}`)),
  );
  const memberIds = users.slice(1).map(({ id }) => id);
  const input = { clientRequestId: 'group', title: 'Group', memberIds };
  const { createGroup } = await users[0]!.query(CreateGroupDocument, { input });
  return { conversationId: createGroup.conversation.id, users };
}
const states = (events: readonly TypingSubscription[]) =>
  events.map(({ typing }) => [typing.user.username.at(-1), typing.isTyping]);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('typing', () => {
  test('those who type already come first; the typist is not told, on no device', async () => {
    const { conversationId, users } = await group(2);
    const [watcher, typist] = users;
    await typist!.query(SetTypingDocument, { conversationId, isTyping: true });
    const desk = await signIn(server, typist!.username, { id: 'desk', platform: 'DESKTOP' });
    const own = (await desk.socket()).subscribe(TypingDocument, { conversationId });
    const watching = (await watcher!.socket()).subscribe(TypingDocument, { conversationId });
    expect(states(await watching.waitFor(1))).toEqual([['1', true]]);
    await typist!.query(SetTypingDocument, { conversationId, isTyping: false });
    expect(states(await watching.waitFor(2)).at(-1)).toEqual(['1', false]);
    await watcher!.query(SetTypingDocument, { conversationId, isTyping: true });
    expect(states(await own.waitFor(1))).toEqual([['0', true]]);
    expect(watching.events).toHaveLength(2);
  });

  test('a renewal is no event, and a state that is not renewed ends by itself', async () => {
    const { conversationId, users } = await group(2);
    const [watcher, typist] = users;
    const watching = (await watcher!.socket()).subscribe(TypingDocument, { conversationId });
    const type = () => typist!.query(SetTypingDocument, { conversationId, isTyping: true });
    await type();
    await watching.waitFor(1);
    for (let renewals = 0; renewals < 3; renewals += 1) {
      await pause(typingTtlMs / 2);
      await type();
    }
    const renewedAtMs = Date.now();
    expect(states(watching.events)).toEqual([['1', true]]);
    expect(states(await watching.waitFor(2))).toEqual([
      ['1', true],
      ['1', false],
    ]);
    const lastedMs = Date.now() - renewedAtMs;
    expect(lastedMs).toBeGreaterThan(typingTtlMs - 150);
    expect(lastedMs).toBeLessThan(typingTtlMs + 400);
    await typist!.query(SetTypingDocument, { conversationId, isTyping: false });
    await pause(200);
    expect(watching.events).toHaveLength(2);
  });

  test('it completes without error when the viewer leaves or is removed, and ends with its typist', async () => {
    const { conversationId, users } = await group(3);
    const [owner, leaver, removed] = users;
    const ofUsers = await Promise.all(
      users.map(async (user) =>
        (await user.socket()).subscribe(TypingDocument, { conversationId }),
      ),
    );
    await pause(100);
    await removed!.query(SetTypingDocument, { conversationId, isTyping: true });
    await ofUsers[0]!.waitFor(1);
    await owner!.query(RemoveMemberDocument, {
      input: { conversationId, userId: removed!.id },
    });
    expect(await ofUsers[2]!.waitForEnd()).toBe('complete');
    expect(ofUsers[2]!.errors).toEqual([]);
    expect(states(await ofUsers[0]!.waitFor(2)).at(-1)).toEqual(['2', false]);
    await leaver!.query(LeaveGroupDocument, { conversationId });
    expect(await ofUsers[1]!.waitForEnd()).toBe('complete');
    expect(ofUsers[0]!.end).toBeUndefined();
    await expect(
      removed!.query(SetTypingDocument, { conversationId, isTyping: true }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('strangers neither watch nor type', async () => {
    const { conversationId } = await group(1);
    const { users } = await group(1);
    const [stranger] = users;
    const recording = (await stranger!.socket()).subscribe(TypingDocument, { conversationId });
    expect(await recording.waitForEnd()).toBe('error');
    expect(recording.errors[0]?.extensions?.['code']).toBe('NOT_FOUND');
    await expect(
      stranger!.query(SetTypingDocument, { conversationId, isTyping: true }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
