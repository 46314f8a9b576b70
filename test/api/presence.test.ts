import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CreateGroupDocument,
  LeaveGroupDocument,
  OpenDirectDocument,
  PresenceDocument,
  SendMessageDocument,
  type PresenceSubscription,
} from '../../client/generated/documents.ts';
import { encodeId } from '../../src/resolvers/global-id.ts';
import { post, signIn, signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const offlineDelayMs = 600;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { limits: { offlineDelayMs } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function groupOf(owner: TestUser, ...others: TestUser[]): Promise<string> {
  const memberIds = others.map(({ id }) => id);
  const input = { clientRequestId: 'group', title: 'Group', memberIds };
  return (await owner.query(CreateGroupDocument, { input })).createGroup.conversation.id;
}
const states = (events: readonly PresenceSubscription[]) =>
  events.map(({ presence }) => [presence.user.username, presence.isOnline]);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('presence', () => {
  test('starts with the present state of each, then tells changes, and never repeats one', async () => {
    const [ann, bob, cat] = await Promise.all(['ann', 'bob', 'cat'].map((n) => signUp(server, n)));
    await groupOf(ann!, bob!, cat!);
    const bobs = await bob!.socket();
    const watching = (await ann!.socket()).subscribe(PresenceDocument, {
      userIds: [ann!.id, bob!.id, cat!.id, bob!.id],
    });
    const first = await watching.waitFor(3);
    expect(states(first)).toEqual([
      ['ann', true],
      ['bob', true],
      ['cat', false],
    ]);
    expect(first.map(({ presence }) => presence.lastSeenAt)).toEqual([
      null,
      null,
      expect.stringMatching(/^20\d\d-/),
    ]);

    const more = await bob!.socket();
    await bobs.close();
    const cats = await cat!.socket();
    expect(states(await watching.waitFor(4)).at(-1)).toEqual(['cat', true]);

    const closedAtMs = Date.now();
    await more.close();
    const { presence } = (await watching.waitFor(5))[4]!;
    expect([presence.user.username, presence.isOnline]).toEqual(['bob', false]);
    const toldAfterMs = Date.now() - closedAtMs;
    expect(toldAfterMs).toBeGreaterThanOrEqual(offlineDelayMs - 50);
    expect(toldAfterMs).toBeLessThan(offlineDelayMs + 500);
    expect(Math.abs(Date.parse(presence.lastSeenAt ?? '') - closedAtMs)).toBeLessThan(300);
    expect(watching.events).toHaveLength(5);
    for (const socket of [cats]) await socket.close();
    await ann![Symbol.asyncDispose]();
  });

  test('who comes back in time was never away', async () => {
    const [dan, eve] = await Promise.all(['dan', 'eve'].map((name) => signUp(server, name)));
    await groupOf(dan!, eve!);
    const eves = await eve!.socket();
    const watching = (await dan!.socket()).subscribe(PresenceDocument, { userIds: [eve!.id] });
    await watching.waitFor(1);
    await eves.close();
    await pause(offlineDelayMs / 2);
    const again = await eve!.socket();
    await pause(offlineDelayMs * 1.5);
    expect(states(watching.events)).toEqual([['eve', true]]);
    await again.close();
    await dan![Symbol.asyncDispose]();
  });

  test('who shares no conversation is left out silently; a direct one counts from its first message', async () => {
    const [fay, gus] = await Promise.all(['fay', 'gus'].map((name) => signUp(server, name)));
    const conversationId = await fay!.directWith(gus!);
    const socket = await fay!.socket();
    const userIds = [gus!.id];
    const before = socket.subscribe(PresenceDocument, { userIds });
    const both = socket.subscribe(PresenceDocument, { userIds: [gus!.id, fay!.id] });
    await both.waitFor(1);
    await pause(200);
    expect(before.events).toEqual([]);
    expect(before.end).toBeUndefined();
    expect(states(both.events)).toEqual([['fay', true]]);

    const content = { text: { text: 'hello' } };
    await fay!.query(SendMessageDocument, {
      input: { conversationId, clientMessageId: '1', content },
    });
    await gus!.query(OpenDirectDocument, { userId: fay!.id });
    const after = socket.subscribe(PresenceDocument, { userIds });
    expect(states(await after.waitFor(1))).toEqual([['gus', false]]);
    await socket.close();
  });

  test('who shares none any more is not shown any more', async () => {
    const [hal, ida] = await Promise.all(['hal', 'ida'].map((name) => signUp(server, name)));
    const conversationId = await groupOf(hal!, ida!);
    const watching = (await hal!.socket()).subscribe(PresenceDocument, { userIds: [ida!.id] });
    await watching.waitFor(1);
    await ida!.query(LeaveGroupDocument, { conversationId });
    await pause(300);
    const idas = await ida!.socket();
    await pause(300);
    expect(states(watching.events)).toEqual([['ida', false]]);
    expect(watching.end).toBeUndefined();
    await idas.close();
    await hal![Symbol.asyncDispose]();
  });

  test('at most 1,000 ids, none of them malformed', async () => {
    const jan = await signUp(server, 'jan');
    const socket = await jan.socket();
    for (const userIds of [
      Array.from({ length: 1_001 }, (_, i) => encodeId('User', BigInt(i + 1))),
      ['x'],
    ]) {
      const recording = socket.subscribe(PresenceDocument, { userIds });
      expect(await recording.waitForEnd()).toBe('error');
      expect(recording.errors[0]?.extensions?.['code']).toBe('INVALID_ARGUMENT');
    }
    await socket.close();
  });

  test('a session is online like its user', async () => {
    const kim = await signUp(server, 'kim', { id: 'web', platform: 'WEB' });
    const phone = await signIn(server, 'kim', { id: 'phone', platform: 'IOS' });
    const socket = await phone.socket();
    const sessions = async () => {
      const query = '{ viewer { sessions { deviceId isOnline } } }';
      const { data } = await post<{ viewer: { sessions: unknown[] } }, object>(
        server,
        query,
        {},
        kim.auth.accessToken,
      );
      return data?.viewer.sessions;
    };
    const web = { deviceId: 'web', isOnline: false };
    expect(await sessions()).toEqual([{ deviceId: 'phone', isOnline: true }, web]);
    await socket.close();
    await pause(offlineDelayMs / 2);
    expect(await sessions()).toEqual([{ deviceId: 'phone', isOnline: true }, web]);
    await pause(offlineDelayMs);
    expect(await sessions()).toEqual([{ deviceId: 'phone', isOnline: false }, web]);
  });
});
