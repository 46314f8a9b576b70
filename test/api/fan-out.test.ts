import { parse } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  AddMembersDocument,
  ConversationEventsDocument,
  CreateGroupDocument,
  InboxDocument,
  SendMessageDocument,
} from '../../client/generated/documents.ts';
import { SqliteSql } from '../../src/storage/sql.sqlite.ts';
import { SqlError } from '../../src/storage/sql.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** A document that is none of the generated ones. */
function document<Data>(text: string): TypedDocumentNode<Data, Record<string, unknown>> {
  return parse(text);
}

const perViewer = document<{
  inbox: { message?: { seq: number; conversation: { me: { user: { username: string } } } } };
}>(
  'subscription { inbox { ... on MessageAdded { message { seq conversation { me { user { username } } } } } } }',
);
const replies = document<{
  inbox: { message?: { seq: number; replyToSeq: number | null; replyTo: { seq: number } | null } };
}>('subscription { inbox { ... on MessageAdded { message { seq replyToSeq replyTo { seq } } } } }');
const twoCursors = document<{ inbox: { a: string; b: string; message?: { seq: number } } }>(
  'subscription { inbox { a: cursor b: cursor ... on MessageAdded { message { seq } } } }',
);

let server: TestServer;
let users: TestUser[];
let groupId: string;
let sent = 0;

async function send(
  user: TestUser,
  text: string,
  replyToSeq: number | null = null,
): Promise<number> {
  const input = {
    conversationId: groupId,
    clientMessageId: `m${(sent += 1)}`,
    content: { text: { text } },
    replyToSeq,
  };
  return (await user.query(SendMessageDocument, { input })).sendMessage.message.seq;
}

beforeAll(async () => {
  server = await startTestServer();
  users = await Promise.all(['ann', 'bob', 'cid', 'dan'].map((name) => signUp(server, name)));
  const [ann, bob, cid] = users as [TestUser, TestUser, TestUser];
  const input = { clientRequestId: 'g', title: 'Group', memberIds: [bob.id, cid.id] };
  groupId = (await ann.query(CreateGroupDocument, { input })).createGroup.conversation.id;
});
afterAll(async () => {
  for (const user of users) await user[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe('one execution for many subscribers', () => {
  it('gives each their own cursor, at every place where it is selected', async () => {
    const lives = await Promise.all(
      users.slice(0, 3).map(async (user) => (await user.socket()).subscribe(twoCursors, {})),
    );
    for (const live of lives) await live.waitFor(1);
    const seq = await send(users[0] as TestUser, 'ein "Zitat" — 你好 🎈');
    const events = await Promise.all(lives.map(async (live) => (await live.waitFor(2))[1]));
    for (const event of events) {
      expect(event?.inbox.message?.seq).toBe(seq);
      expect(event?.inbox.a).toBe(event?.inbox.b);
    }
    expect(new Set(events.map((event) => event?.inbox.a)).size).toBe(3);
    // Each cursor is its owner's, and resumes behind the event.
    for (const [index, user] of users.slice(0, 3).entries()) {
      const resumed = (await user.socket()).subscribe(InboxDocument, {
        after: events[index]?.inbox.a,
      });
      expect((await resumed.waitFor(1))[0]?.inbox.__typename).toBe('InboxHeartbeat');
      resumed.stop();
    }
    for (const live of lives) live.stop();
  });

  it('executes for each what differs from viewer to viewer', async () => {
    const lives = await Promise.all(
      users.slice(0, 3).map(async (user) => (await user.socket()).subscribe(perViewer, {})),
    );
    for (const live of lives) await live.waitFor(1);
    await send(users[1] as TestUser, 'me');
    const names = await Promise.all(
      lives.map(
        async (live) => (await live.waitFor(2))[1]?.inbox.message?.conversation.me.user.username,
      ),
    );
    expect(names).toEqual(['ann', 'bob', 'cid']);
    for (const live of lives) live.stop();
  });

  it('waits with an event that cannot be shown for now, and loses none of it', async () => {
    const live = (await (users[1] as TestUser).socket()).subscribe(perViewer, {});
    await live.waitFor(1);
    const { prototype } = SqliteSql;
    const query = prototype.query;
    let failures = 0;
    const broken = vi.spyOn(prototype, 'query').mockImplementation(function flaky(
      this: never,
      text,
      params,
    ) {
      // What shows `me`: the viewer's membership.
      if (!/FROM Member\b/.test(text) || failures === 3) return query.call(this, text, params);
      failures += 1;
      return Promise.reject(new SqlError('connection', 'it did not answer'));
    });
    const first = await send(users[1] as TestUser, 'shown late');
    const second = await send(users[1] as TestUser, 'shown after it');
    const seen = () => live.events.flatMap(({ inbox }) => inbox.message?.seq ?? []);
    await live.until(() => seen().includes(second), 'the second message');
    broken.mockRestore();
    expect(failures).toBe(3);
    expect(seen().filter((seq) => seq >= first)).toEqual([first, second]);
    expect(live.errors).toEqual([]);
    live.stop();
  });

  it('ends a subscription whose event cannot be shown at all, to be resumed from its last cursor', async () => {
    const live = (await (users[1] as TestUser).socket()).subscribe(perViewer, {});
    await live.waitFor(1);
    const { prototype } = SqliteSql;
    const query = prototype.query;
    const broken = vi.spyOn(prototype, 'query').mockImplementation(function gone(
      this: never,
      text,
      params,
    ) {
      if (!/FROM Member\b/.test(text)) return query.call(this, text, params);
      return Promise.reject(new SqlError('connection', 'it did not answer'));
    });
    await send(users[1] as TestUser, 'never shown');
    await live.until(() => live.errors.length > 0, 'the end');
    broken.mockRestore();
    expect(live.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryable: true } }]);
    expect(live.events.flatMap(({ inbox }) => inbox.message ?? [])).toEqual([]);
  });

  it('shows a reply to those alone who may see what it replies to', async () => {
    const [ann, , , dan] = users as [TestUser, TestUser, TestUser, TestUser];
    const old = await send(ann, 'before dan');
    await ann.query(AddMembersDocument, { input: { conversationId: groupId, userIds: [dan.id] } });
    const lives = await Promise.all(
      users.map(async (user) => (await user.socket()).subscribe(replies, {})),
    );
    for (const live of lives) await live.waitFor(1);
    await send(ann, 'to the old one', old);
    const fresh = await send(ann, 'new');
    const newest = await send(ann, 'to the new one', fresh);
    const seen = await Promise.all(
      lives.map(async (live) => {
        const last = () => live.events.some(({ inbox }) => inbox.message?.seq === newest);
        await live.until(last, 'the last message');
        return (
          live.events
            .flatMap(({ inbox }) => inbox.message ?? [])
            // That dan was added may have been told only after these began to listen.
            .filter(({ seq }) => seq >= newest - 2)
            .map(({ replyToSeq, replyTo }) => [replyToSeq, replyTo?.seq])
        );
      }),
    );
    const whole = [
      [old, old],
      [null, undefined],
      [fresh, fresh],
    ];
    expect(seen).toEqual([
      whole,
      whole,
      whole,
      [
        [old, undefined],
        [null, undefined],
        [fresh, fresh],
      ],
    ]);
    for (const live of lives) live.stop();
  });

  it('keeps the order of events that take unequal time to execute', async () => {
    const [ann, bob] = users as [TestUser, TestUser];
    const socket = await bob.socket();
    const inbox = socket.subscribe(InboxDocument, { after: null });
    const followed = socket.subscribe(ConversationEventsDocument, { id: groupId });
    await Promise.all([inbox.waitFor(1), followed.waitFor(1)]);
    const seqs = await Promise.all(
      Array.from({ length: 300 }, (_, index) => send(ann, `n${index}`)),
    );
    const sorted = [...seqs].sort((a, b) => a - b);
    const ofInbox = (await inbox.waitFor(301))
      .slice(1)
      .map(({ inbox: event }) => ('message' in event ? event.message.seq : 0));
    const ofConversation = (await followed.waitFor(301))
      .slice(1)
      .map(({ conversation: event }) => ('message' in event ? event.message.seq : 0));
    expect(ofInbox).toEqual(sorted);
    expect(ofConversation).toEqual(sorted);
  });
});
