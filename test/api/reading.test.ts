import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InboxDocument, type InboxEventPartsFragment } from '../../client/generated/documents.ts';
import {
  addMembers,
  codeOf,
  conversationOf,
  createGroup,
  edit,
  engines,
  leave,
  markRead,
  messageOf,
  openChat,
  recall,
  removeMember,
  rename,
  say,
  setRole,
  unreadOf,
  type Chat,
} from '../support/chat.ts';
import { signIn, type TestUser } from '../support/clients.ts';

type Reads = Extract<InboxEventPartsFragment, { __typename: 'ReadAdvanced' }>;

function readsOf(events: readonly { inbox: InboxEventPartsFragment }[]): [string, number][] {
  return events
    .map(({ inbox }) => inbox)
    .filter((event): event is Reads => event.__typename === 'ReadAdvanced')
    .map(({ user, readSeq }) => [user.id, readSeq]);
}

describe.each(engines())('reading on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  const readSeqOf = async (user: TestUser, id: string) =>
    (await conversationOf(user, id))?.me.readSeq;

  test('a position only rises, and is clamped to what there is', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    for (let seq = 1; seq <= 5; seq += 1) await say(ann, id);
    expect(await markRead(bob, id, 3)).toMatchObject({
      user: { id: bob.id },
      readSeq: 3,
      unreadCount: 2,
    });
    expect(await markRead(bob, id, 2)).toMatchObject({ readSeq: 3, unreadCount: 2 });
    expect(await markRead(bob, id, 0)).toMatchObject({ readSeq: 3, unreadCount: 2 });
    expect(await markRead(bob, id, 2_147_483_647)).toMatchObject({ readSeq: 5, unreadCount: 0 });
    expect(await codeOf(markRead(bob, id, -1))).toBe('INVALID_ARGUMENT');
    // Clamped when it was said: what comes later is unread.
    await say(ann, id);
    expect(await unreadOf(bob, id)).toBe(1);
  });

  test('sending reads, and so does what one does to a group', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const id = await createGroup(ann, [bob]);
    expect(await unreadOf(bob, id)).toBe(1);
    await say(ann, id);
    await say(bob, id);
    expect([await readSeqOf(bob, id), await unreadOf(bob, id)]).toEqual([3, 0]);
    expect([await readSeqOf(ann, id), await unreadOf(ann, id)]).toEqual([2, 1]);
    await addMembers(bob, id, [eve]);
    expect([await readSeqOf(bob, id), await unreadOf(bob, id)]).toEqual([4, 0]);
    await rename(ann, id, 'Divers');
    await setRole(ann, id, bob, 'ADMIN');
    expect([await readSeqOf(ann, id), await unreadOf(ann, id)]).toEqual([6, 0]);
    expect(await unreadOf(bob, id)).toBe(2);
    await removeMember(bob, id, eve);
    expect([await readSeqOf(bob, id), await unreadOf(bob, id)]).toEqual([7, 0]);
    // A message that is refused, or was there already, reads nothing.
    await say(bob, id);
    expect([await readSeqOf(ann, id), await unreadOf(ann, id)]).toEqual([6, 2]);
  });

  test('unread counts every kind of message, from the joining on, recalled ones too', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const id = await createGroup(ann, [bob]);
    for (const text of ['a', 'b', 'c']) await say(ann, id, text);
    await recall(ann, id, 2);
    await edit(ann, id, 3, 'x');
    expect(await unreadOf(bob, id)).toBe(4);
    await addMembers(ann, id, [eve]);
    expect([await readSeqOf(eve, id), await unreadOf(eve, id)]).toEqual([4, 1]);
    expect(await unreadOf(bob, id)).toBe(5);
    // Below the joining there is nothing to read.
    expect(await markRead(eve, id, 2)).toMatchObject({ readSeq: 4, unreadCount: 1 });
    await leave(eve, id);
    await say(ann, id);
    await addMembers(bob, id, [eve]);
    expect([await readSeqOf(eve, id), await unreadOf(eve, id)]).toEqual([7, 1]);
    expect(await unreadOf(bob, id)).toBe(0);
  });

  test('readCount: members now, other than the sender, who may see it and have read it', async () => {
    const [ann, bob, eve, joe] = await chat.people(4);
    const id = await createGroup(ann, [bob, eve]);
    const seq = await say(ann, id);
    const count = async (of = seq) => (await messageOf(ann, id, of))?.readCount;
    expect(await count()).toBe(0);
    await markRead(ann, id, seq);
    expect(await count()).toBe(0);
    await markRead(bob, id, seq - 1);
    expect(await count()).toBe(0);
    await markRead(bob, id, seq);
    expect(await count()).toBe(1);
    // Sending reads.
    const second = await say(eve, id);
    expect([await count(), await count(second)]).toEqual([2, 0]);
    // A newcomer has read up to before the joining, and may not see it.
    await addMembers(ann, id, [joe]);
    await markRead(joe, id, 99);
    expect(await count()).toBe(2);
    expect([await count(second), await count(second + 1)]).toEqual([1, 2]);
    await removeMember(ann, id, bob);
    expect(await count()).toBe(1);
    await addMembers(ann, id, [bob]);
    await markRead(bob, id, 99);
    expect(await count()).toBe(1);
    // A system message has no sender: whoever did it counts as well.
    expect((await messageOf(eve, id, 1))?.readCount).toBe(2);
  });

  test('ReadAdvanced rises strictly, the last one always arrives, and sending causes none', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    await say(ann, id);
    await using listening = ann;
    await using phone = await signIn(chat.server, bob.username, { id: 'phone', platform: 'IOS' });
    const live = [
      (await listening.socket()).subscribe(InboxDocument, {}),
      (await phone.socket()).subscribe(InboxDocument, {}),
    ];
    for (const recording of live) await recording.waitFor(1);
    await say(bob, id);
    for (let seq = 3; seq <= 12; seq += 1) {
      await say(ann, id);
      await markRead(bob, id, seq);
    }
    for (const recording of live) {
      await recording.until(
        () => readsOf(recording.events).some(([, seq]) => seq === 12),
        'the last',
      );
      const told = readsOf(recording.events);
      expect(told.every(([user]) => user === bob.id)).toBe(true);
      const seqs = told.map(([, seq]) => seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      expect(seqs.every((seq) => seq > 2)).toBe(true);
    }
  });
});
