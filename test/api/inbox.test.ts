import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AddMembersDocument,
  InboxDocument,
  RemoveMemberDocument,
} from '../../client/generated/documents.ts';
import { signIn, type TestUser } from '../support/clients.ts';
import {
  brief,
  briefs,
  cursorAt,
  edit,
  groupOf,
  headOf,
  inboxOf,
  markRead,
  openInbox,
  pause,
  people,
  pull,
  send,
  untilLast,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe.each(['sqlite', 'mysql'] as const)('the inbox on %s', (engine) => {
  let server: TestServer;
  let ann: TestUser, bob: TestUser, cat: TestUser;
  beforeAll(async () => {
    server = await startTestServer({}, { engine, limits: { readCoalesceMs: 200 } });
    [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
  });
  afterAll(async () => {
    for (const user of [ann, bob, cat]) await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('tells both sides of a first message, live and in order', async () => {
    const [dan, eve] = (await people(server, 2)) as [TestUser, TestUser];
    const ofDan = await openInbox(dan);
    const ofEve = await openInbox(eve);
    const id = await dan.directWith(eve);
    await untilLast(ofDan, 'conversation');
    await send(dan, id, 'hello');
    await untilLast(ofEve, 'added 1');
    expect(briefs(ofEve)).toEqual(['heartbeat', 'conversation', 'added 1']);
    expect(inboxOf(ofEve)[2]).toMatchObject({
      message: { seq: 1, content: { text: 'hello' }, sender: { username: dan.username } },
    });
    await untilLast(ofDan, 'added 1');
    for (const user of [dan, eve]) await user[Symbol.asyncDispose]();
  });

  it('resumes from any cursor without gap or repeat', async () => {
    const id = await ann.directWith(bob);
    const live = await openInbox(bob);
    for (const text of ['r1', 'r2', 'r3', 'r4']) await send(ann, id, text);
    await edit(ann, id, 2, 'edited');
    await untilLast(live, 'changed 2@1');
    const told = briefs(live);
    for (let at = 0; at < told.length; at += 1) {
      const again = await openInbox(bob, cursorAt(live, at));
      await untilLast(again, 'heartbeat');
      expect(briefs(again)).toEqual([...told.slice(at + 1), 'heartbeat']);
      const cursors = inboxOf(live).map(({ cursor }) => cursor);
      expect(new Set(cursors).size).toBe(cursors.length);
      again.stop();
    }
    // Shown as it is now, also where it is told as new.
    const again = await openInbox(bob, cursorAt(live, 0));
    await untilLast(again, 'heartbeat');
    const second = inboxOf(again).find((event) => brief(event) === 'added 2');
    expect(second).toMatchObject({ message: { changeSeq: 1, content: { text: 'edited' } } });
    live.stop();
    again.stop();
  });

  it.each([
    ['empty', () => ''],
    ['malformed', () => 'what?'],
    ['cut short', async () => (await headOf(bob)).slice(0, -4)],
    ['padded', async () => `${await headOf(bob)}==`],
    ["another's", () => headOf(ann)],
  ])('refuses a cursor that is %s', async (_how, cursor) => {
    const after = await cursor();
    const refused = (await bob.socket()).subscribe(InboxDocument, { after });
    expect(await refused.waitForEnd()).toBe('error');
    expect(refused.events).toEqual([]);
    expect(refused.errors[0]?.extensions).toEqual({ code: 'INVALID_ARGUMENT', retryable: false });
    await expect(pull(bob, after)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('says reset and goes on where the log is another, or ends before the cursor', async () => {
    const id = await ann.directWith(bob);
    const head = Buffer.from(await headOf(bob), 'base64url');
    const change = (at: number, by: number): string => {
      const bytes = Buffer.from(head);
      bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at) + BigInt(by), at);
      return bytes.toString('base64url');
    };
    for (const after of [change(17, 1), change(9, 1), change(17, 1_000_000)]) {
      expect((await pull(bob, after)).events.map(brief)).toEqual(['reset']);
      const recording = await openInbox(bob, after);
      await recording.waitFor(2);
      expect(briefs(recording).slice(0, 2)).toEqual(['reset', 'heartbeat']);
      const seq = await send(ann, id, `after ${after}`);
      await recording.until(() => briefs(recording).includes(`added ${seq}`), 'going on');
      const resumed = await openInbox(bob, cursorAt(recording, 0));
      await resumed.until(() => briefs(resumed).includes(`added ${seq}`), 'from the reset on');
      recording.stop();
      resumed.stop();
    }
  });

  it('tells the other devices of own sends and own reads', async () => {
    const phone = await signIn(server, bob.username, { id: 'phone', platform: 'IOS' });
    const id = await ann.directWith(bob);
    const seq = await send(ann, id, 'to read');
    const ofPhone = await openInbox(phone);
    await markRead(bob, id, seq);
    await ofPhone.until(() => briefs(ofPhone).includes(`read ${bob.id} ${seq}`), 'the read');
    const own = await send(bob, id, 'from the other device');
    await ofPhone.until(() => briefs(ofPhone).includes(`added ${own}`), 'the own message');
    await pause(300);
    // A send says by itself how far its sender has read.
    expect(briefs(ofPhone)).not.toContain(`read ${bob.id} ${own}`);
    await phone[Symbol.asyncDispose]();
  });

  it('shows in a replay only what the viewer may see now', async () => {
    const from = await headOf(cat);
    const left = await groupOf(ann, bob, cat);
    const back = await groupOf(ann, bob, cat);
    for (const id of [left, back]) {
      await send(ann, id, 'before');
      await ann.query(RemoveMemberDocument, { input: { conversationId: id, userId: cat.id } });
      await send(ann, id, 'without');
    }
    await ann.query(AddMembersDocument, { input: { conversationId: back, userIds: [cat.id] } });
    const seq = await send(ann, back, 'after');
    const live = await openInbox(cat, from);
    // What is not in the log yet when it was replayed comes live.
    const last = () => inboxOf(live).some((e) => brief(e) === `added ${seq}`);
    await live.until(() => briefs(live).includes('heartbeat') && last(), 'the end');
    const seen = inboxOf(live).filter((event) => brief(event) !== 'heartbeat');
    const removals = seen.filter((event) => event.__typename === 'ConversationRemoved');
    expect(removals.map(({ conversationId }) => conversationId)).toEqual([left, back]);
    const messages = seen.filter((event) => event.__typename === 'MessageAdded');
    expect(messages.map(({ message }) => [message.conversation.id, message.seq])).toEqual([
      [back, seq - 1],
      [back, seq],
    ]);
    expect(seen.some((e) => 'conversation' in e && e.conversation.id === left)).toBe(false);
    // The cursor moves on over what is not shown.
    const page = await pull(cat, from, 2);
    expect(page.events.map(brief)).not.toContain('added 1');
    expect(page.endCursor).not.toBe(from);
    live.stop();
  });
});
