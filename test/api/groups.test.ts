import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CreateGroupDocument } from '../../client/generated/documents.ts';
import {
  addMembers,
  codeOf,
  conversationOf,
  createGroup,
  engines,
  historyOf,
  idOf,
  leave,
  messageOf,
  newKey,
  openChat,
  removeMember,
  rename,
  rolesOf,
  say,
  send,
  setRole,
  words,
  type Chat,
} from '../support/chat.ts';
import type { TestUser } from '../support/clients.ts';

async function create(
  user: TestUser,
  clientRequestId: string,
  title: string,
  members: readonly TestUser[],
) {
  const input = { clientRequestId, title, memberIds: members.map(idOf) };
  return (await user.query(CreateGroupDocument, { input })).createGroup.conversation;
}

async function saying(user: TestUser, id: string, last?: number): Promise<string[]> {
  return (await historyOf(user, id, last)).map(words);
}

describe.each(engines())('groups on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  test('a group begins with CREATED, its first members and its owner', async () => {
    const [ann, bob, eve] = await chat.people(3);
    // Repeats and the creator are no matter.
    const made = await create(ann, newKey(), 'Climbers', [eve, ann, bob, eve]);
    expect(made).toMatchObject({
      kind: 'GROUP',
      title: 'Climbers',
      lastSeq: 1,
      memberCount: 3,
      me: { role: 'OWNER', joinedSeq: 1, readSeq: 1, unreadCount: 0 },
    });
    const [first] = await historyOf(bob, made.id);
    expect(first).toMatchObject({
      seq: 1,
      sender: null,
      clientMessageId: null,
      content: { event: 'CREATED', actor: { id: ann.id }, title: 'Climbers', role: null },
      createdAt: made.createdAt,
    });
    expect(words(first as never)).toBe(
      ['CREATED', ann.username, ...[bob, eve].map((user) => user.username).sort(), 'Climbers'].join(
        ' ',
      ),
    );
    expect(await conversationOf(bob, made.id)).toMatchObject({
      me: { role: 'MEMBER', joinedSeq: 1, readSeq: 0, unreadCount: 1 },
    });
  });

  test('the same request gives the same group, another input a conflict, one who left nothing', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const key = newKey();
    const { id } = await create(ann, key, 'Climbers', [bob, eve]);
    await rename(ann, id, 'Divers');
    await removeMember(ann, id, eve);
    expect(await create(ann, key, 'Climbers', [eve, bob, eve, ann])).toMatchObject({
      id,
      title: 'Divers',
      memberCount: 2,
      lastSeq: 3,
    });
    expect(await codeOf(create(ann, key, 'Divers', [bob, eve]))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await codeOf(create(ann, key, 'Climbers', [bob]))).toBe('IDEMPOTENCY_CONFLICT');
    // The key is one's own, byte by byte.
    expect((await create(bob, key, 'Climbers', [])).id).not.toBe(id);
    expect((await create(ann, key.toUpperCase(), 'Climbers', [bob, eve])).id).not.toBe(id);
    expect((await create(ann, `${key} `, 'Climbers', [bob, eve])).id).not.toBe(id);
    await leave(ann, id);
    expect(await codeOf(create(ann, key, 'Climbers', [bob, eve]))).toBe('NOT_FOUND');
    expect(await codeOf(create(ann, key, 'Divers', []))).toBe('NOT_FOUND');
  });

  test('one call that adds several posts one JOINED; present members stay as they are', async () => {
    const [ann, bob, eve, joe] = await chat.people(4);
    const id = await createGroup(ann, [bob]);
    await setRole(ann, id, bob, 'ADMIN');
    const added = await addMembers(bob, id, [joe, eve, bob, joe, ann]);
    expect(added).toMatchObject({ memberCount: 4, lastSeq: 3 });
    const names = [eve, joe].map((user) => user.username).sort();
    expect((await saying(ann, id)).at(-1)).toBe(['JOINED', bob.username, ...names].join(' '));
    // A plain member may, too, and who is there already changes nothing.
    expect(await addMembers(joe, id, [eve, bob])).toMatchObject({ memberCount: 4, lastSeq: 3 });
    expect(await addMembers(joe, id, [])).toMatchObject({ memberCount: 4, lastSeq: 3 });
    expect(await rolesOf(joe, id)).toEqual({
      [ann.username]: 'OWNER',
      [bob.username]: 'ADMIN',
      [eve.username]: 'MEMBER',
      [joe.username]: 'MEMBER',
    });
  });

  test('a newcomer sees from their joining on, and nothing of before', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const id = await createGroup(ann, [bob]);
    await send(ann, id, 'before');
    await addMembers(bob, id, [eve]);
    await send(bob, id, 'answer', { replyToSeq: 2 });
    expect(await conversationOf(eve, id)).toMatchObject({
      me: { joinedSeq: 3, readSeq: 2, unreadCount: 2 },
    });
    expect(await saying(eve, id)).toEqual([`JOINED ${bob.username} ${eve.username}`, 'answer']);
    expect(await messageOf(eve, id, 2)).toBeNull();
    expect(await messageOf(eve, id, 4)).toMatchObject({ replyToSeq: 2, replyTo: null });
    expect(await messageOf(ann, id, 4)).toMatchObject({ replyTo: { content: { text: 'before' } } });
    expect(await codeOf(send(eve, id, 'x', { replyToSeq: 2 }))).toBe('NOT_FOUND');
    expect(await codeOf(send(eve, id, 'x', { replyToSeq: 3 }))).toBe('OK');
  });

  test('coming back starts anew', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await createGroup(ann, [bob]);
    await setRole(ann, id, bob, 'ADMIN');
    const own = await say(bob, id, 'mine');
    await leave(bob, id);
    await say(ann, id, 'between');
    await addMembers(ann, id, [bob]);
    expect(await conversationOf(bob, id)).toMatchObject({
      lastSeq: 6,
      me: { role: 'MEMBER', joinedSeq: 6, readSeq: 5, unreadCount: 1 },
    });
    expect(await saying(bob, id)).toEqual([`JOINED ${ann.username} ${bob.username}`]);
    expect(await messageOf(bob, id, own)).toBeNull();
  });

  test('who may rename, and what it says', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const id = await createGroup(ann, [bob, eve]);
    await setRole(ann, id, bob, 'ADMIN');
    expect(await codeOf(rename(eve, id, 'No'))).toBe('FORBIDDEN');
    expect(await rename(bob, id, '🧗'.repeat(128))).toMatchObject({ lastSeq: 3 });
    expect(await rename(ann, id, 'Divers')).toMatchObject({ title: 'Divers', lastSeq: 4 });
    // The same title changes nothing.
    expect(await rename(bob, id, 'Divers')).toMatchObject({ title: 'Divers', lastSeq: 4 });
    expect((await saying(eve, id, 1))[0]).toBe(`RENAMED ${ann.username} Divers`);
    expect(await conversationOf(ann, id)).toMatchObject({ me: { readSeq: 4, unreadCount: 0 } });
    expect(await conversationOf(bob, id)).toMatchObject({ me: { readSeq: 3, unreadCount: 1 } });
  });

  test('who may remove whom', async () => {
    const people = await chat.people(6);
    const [owner, admin, second, member, other, last] = people;
    const id = await createGroup(owner, people.slice(1));
    for (const user of [admin, second]) await setRole(owner, id, user, 'ADMIN');
    expect(await codeOf(removeMember(member, id, other))).toBe('FORBIDDEN');
    expect(await codeOf(removeMember(admin, id, second))).toBe('FORBIDDEN');
    expect(await codeOf(removeMember(admin, id, owner))).toBe('FORBIDDEN');
    expect(await codeOf(removeMember(owner, id, owner))).toBe('INVALID_ARGUMENT');
    expect(await removeMember(admin, id, member)).toMatchObject({ memberCount: 5 });
    expect(await removeMember(owner, id, second)).toMatchObject({ memberCount: 4 });
    expect(await removeMember(owner, id, other)).toMatchObject({ memberCount: 3 });
    expect((await saying(last, id)).slice(-3)).toEqual([
      `REMOVED ${admin.username} ${member.username}`,
      `REMOVED ${owner.username} ${second.username}`,
      `REMOVED ${owner.username} ${other.username}`,
    ]);
    expect(await conversationOf(member, id)).toBeNull();
    expect(await historyOf(member, id)).toEqual([]);
    expect(await codeOf(removeMember(admin, id, member))).toBe('NOT_FOUND');
  });

  test('roles are the owner’s to give, and one owner there is at all times', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const id = await createGroup(ann, [bob, eve]);
    expect(await setRole(ann, id, bob, 'ADMIN')).toMatchObject({
      role: 'ADMIN',
      user: { id: bob.id },
    });
    expect(await codeOf(setRole(bob, id, eve, 'ADMIN'))).toBe('FORBIDDEN');
    // One that they have already changes nothing.
    expect(await setRole(ann, id, bob, 'ADMIN')).toMatchObject({ role: 'ADMIN' });
    expect(await setRole(ann, id, ann, 'OWNER')).toMatchObject({ role: 'OWNER' });
    expect(await codeOf(setRole(ann, id, ann, 'MEMBER'))).toBe('FAILED_PRECONDITION');
    expect(await saying(eve, id)).toEqual([
      expect.stringContaining('CREATED'),
      `ROLE_CHANGED ${ann.username} ${bob.username} ADMIN`,
    ]);
    expect(await setRole(ann, id, eve, 'OWNER')).toMatchObject({ role: 'OWNER' });
    expect(await rolesOf(bob, id)).toEqual({
      [ann.username]: 'ADMIN',
      [bob.username]: 'ADMIN',
      [eve.username]: 'OWNER',
    });
    expect((await saying(eve, id)).slice(2)).toEqual([
      `ROLE_CHANGED ${ann.username} ${eve.username} OWNER`,
    ]);
    expect(await codeOf(setRole(ann, id, bob, 'MEMBER'))).toBe('FORBIDDEN');
    expect(await setRole(eve, id, ann, 'MEMBER')).toMatchObject({ role: 'MEMBER' });
  });

  test('an owner who leaves hands over: to the admin who joined first, else the member', async () => {
    const [owner, early, late, admin] = await chat.people(4);
    const id = await createGroup(owner, [early]);
    await addMembers(owner, id, [late]);
    await addMembers(owner, id, [admin]);
    await setRole(owner, id, admin, 'ADMIN');
    await leave(owner, id);
    expect((await saying(early, id)).slice(-2)).toEqual([
      `LEFT ${owner.username} ${owner.username}`,
      `ROLE_CHANGED ${owner.username} ${admin.username} OWNER`,
    ]);
    expect(await rolesOf(early, id)).toEqual({
      [early.username]: 'MEMBER',
      [late.username]: 'MEMBER',
      [admin.username]: 'OWNER',
    });
    await leave(admin, id);
    expect(await rolesOf(late, id)).toEqual({
      [early.username]: 'OWNER',
      [late.username]: 'MEMBER',
    });
    // One who is no owner hands nothing over.
    await leave(late, id);
    expect((await saying(early, id)).at(-1)).toBe(`LEFT ${late.username} ${late.username}`);
  });

  test('among those who joined at once the lowest id inherits', async () => {
    const [owner, ...others] = await chat.people(4);
    const id = await createGroup(owner, others);
    await leave(owner, id);
    const numeric = (user: TestUser) => {
      let value = 0n;
      for (const digit of user.id.slice(2)) value = value * 36n + BigInt(parseInt(digit, 36));
      return value;
    };
    const [heir] = others.toSorted((a, b) => (numeric(a) < numeric(b) ? -1 : 1));
    expect((await rolesOf(others[0], id))[heir?.username ?? '']).toBe('OWNER');
  });

  test('the last one to leave ends the group', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await createGroup(ann, [bob]);
    await leave(ann, id);
    await leave(bob, id);
    for (const user of [ann, bob]) {
      expect(await conversationOf(user, id)).toBeNull();
      expect(await codeOf(say(user, id))).toBe('NOT_FOUND');
      expect(await codeOf(addMembers(user, id, [ann]))).toBe('NOT_FOUND');
      expect(await codeOf(leave(user, id))).toBe('NOT_FOUND');
    }
  });
});
