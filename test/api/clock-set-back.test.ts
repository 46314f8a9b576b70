import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConversationDocument,
  CreateGroupDocument,
  PresenceDocument,
  SetTypingDocument,
  TypingDocument,
} from '../../client/generated/documents.ts';
import { ShiftedClock } from '../support/chat.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const hour = 3_600_000;

/** What lasts for so long, whatever the machine's clock says meanwhile. */
describe('a clock that is set back by an hour', () => {
  const clock = new ShiftedClock();
  let server: TestServer;
  let ann: TestUser;
  let bob: TestUser;
  let conversationId: string;

  beforeAll(async () => {
    const limits = { offlineDelayMs: 600, typingTtlMs: 600, heartbeatQuietMs: 1_000 };
    server = await startTestServer(
      // Tokens that outlive it, and a budget that is soon spent.
      { tokens: { accessTtlSeconds: 86_400 }, budgets: { operationsPerSecond: 50 } },
      { clock, limits: { ...limits, heartbeatTickMs: 200 } },
    );
    [ann, bob] = [await signUp(server, 'ann'), await signUp(server, 'bob')];
    const input = { clientRequestId: 'group', title: 'Group', memberIds: [bob.id] };
    conversationId = (await ann.query(CreateGroupDocument, { input })).createGroup.conversation.id;
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('keeps nobody waiting who asks over a socket, and takes no budget away', async () => {
    const socket = await ann.socket();
    await socket.query(ConversationDocument, { id: conversationId });
    clock.shift(-hour);
    for (let time = 0; time < 3; time += 1) {
      const { conversation } = await socket.query(ConversationDocument, { id: conversationId });
      expect(conversation?.id).toBe(conversationId);
    }
    await socket.close();
  });

  test('lets typing end, and who has left be offline, as soon as else', async () => {
    const bobs = await bob.socket();
    const watching = await ann.socket();
    const presence = watching.subscribe(PresenceDocument, { userIds: [bob.id] });
    const typing = watching.subscribe(TypingDocument, { conversationId });
    await presence.waitFor(1);
    await bob.query(SetTypingDocument, { conversationId, isTyping: true });
    await typing.waitFor(1);
    await bobs.close();
    clock.shift(-hour);
    expect((await typing.waitFor(2))[1]?.typing.isTyping).toBe(false);
    expect((await presence.waitFor(2))[1]?.presence.isOnline).toBe(false);
    await watching.close();
  });
});
