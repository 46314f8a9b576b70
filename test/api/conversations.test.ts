import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConversationListDocument,
  InboxPageDocument,
  MembersDocument,
  OpenDirectDocument,
} from '../../client/generated/documents.ts';
import {
  codeOf,
  conversationOf,
  createGroup,
  engines,
  historyOf,
  leave,
  markRead,
  openChat,
  say,
  send,
  unreadOf,
  type Chat,
} from '../support/chat.ts';
import { post, type TestUser } from '../support/clients.ts';

async function listOf(user: TestUser, page: { first?: number; after?: string } = {}) {
  const { viewer } = await user.query(ConversationListDocument, { first: 50, ...page });
  const { edges, pageInfo } = viewer.conversations;
  return { ids: edges.map(({ node }) => node.id), edges, pageInfo, unread: viewer.unreadCount };
}

describe.each(engines())('conversations on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  test('opening is for the opener alone, until the first message', async () => {
    const [ann, bob] = await chat.people(2);
    const { openDirect } = await ann.query(OpenDirectDocument, { userId: bob.id });
    const { id } = openDirect.conversation;
    expect(openDirect.conversation).toMatchObject({
      kind: 'DIRECT',
      title: null,
      lastSeq: 0,
      changeSeq: 0,
      memberCount: 2,
      lastMessage: null,
      me: { role: 'MEMBER', joinedSeq: 1, readSeq: 0, unreadCount: 0, user: { id: ann.id } },
    });
    expect((await listOf(ann)).ids).toEqual([id]);
    expect((await listOf(bob)).ids).toEqual([]);
    expect(await conversationOf(bob, id)).toBeNull();
    expect(await historyOf(bob, id)).toEqual([]);
    expect(await codeOf(say(bob, id))).toBe('NOT_FOUND');
    expect(await codeOf(markRead(bob, id, 1))).toBe('NOT_FOUND');

    await say(ann, id);
    expect((await listOf(bob)).ids).toEqual([id]);
    expect(await conversationOf(bob, id)).toMatchObject({
      lastMessage: { seq: 1 },
      me: { role: 'MEMBER', joinedSeq: 1, readSeq: 0, unreadCount: 1 },
    });
    const { conversation } = await bob.query(MembersDocument, { conversationId: id });
    expect(conversation?.members.edges.map(({ node }) => node.role)).toEqual(['MEMBER', 'MEMBER']);
  });

  test('opening from the other side, before any message, makes it exist there', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    const start = await bob.query(InboxPageDocument, {});
    expect(await bob.directWith(ann)).toBe(id);
    expect(await ann.directWith(bob)).toBe(id);
    expect((await listOf(bob)).ids).toEqual([id]);
    await say(ann, id);
    const after = start.viewer.inbox.endCursor;
    const kinds = async () =>
      (await bob.query(InboxPageDocument, { after })).viewer.inbox.events.map(
        (event) => event.__typename,
      );
    await expect.poll(kinds).toEqual(['ConversationChanged', 'MessageAdded']);
  });

  test('with oneself: notes, one member, never unread', async () => {
    const [ann] = await chat.people(1);
    const id = await ann.directWith(ann);
    expect(await ann.directWith(ann)).toBe(id);
    await say(ann, id);
    expect(await conversationOf(ann, id)).toMatchObject({
      kind: 'DIRECT',
      memberCount: 1,
      me: { readSeq: 1, unreadCount: 0 },
    });
  });

  test('the latest activity comes first: the newest message, system ones included, else creation', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const a = await ann.directWith(bob);
    chat.clock.shift(10);
    const b = await createGroup(ann, [bob]);
    chat.clock.shift(10);
    const c = await ann.directWith(eve);
    expect((await listOf(ann)).ids).toEqual([c, b, a]);
    chat.clock.shift(10);
    await say(bob, b);
    expect((await listOf(ann)).ids).toEqual([b, c, a]);
    chat.clock.shift(10);
    await say(ann, a);
    expect((await listOf(ann)).ids).toEqual([a, b, c]);
    chat.clock.shift(10);
    await leave(bob, b);
    expect((await listOf(ann)).ids).toEqual([b, a, c]);
    // Reading is no activity.
    await markRead(ann, c, 0);
    await markRead(bob, a, 1);
    expect((await listOf(ann)).ids).toEqual([b, a, c]);
  });

  test('the list pages without gap or repeat, and says exactly whether there is more', async () => {
    const [ann, ...others] = await chat.people(6);
    const ids: string[] = [];
    for (const other of others) {
      // Some at the same instant: the order is still one.
      if (ids.length % 2 === 0) chat.clock.shift(5);
      ids.push(await ann.directWith(other));
    }
    const whole = (await listOf(ann)).ids;
    expect(new Set(whole)).toEqual(new Set(ids));
    const first = await listOf(ann, { first: 2 });
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await listOf(ann, { first: 2, after: first.pageInfo.endCursor ?? '' });
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const third = await listOf(ann, { first: 2, after: second.pageInfo.endCursor ?? '' });
    expect(third.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect([...first.ids, ...second.ids, ...third.ids]).toEqual(whole);
    const none = await listOf(ann, { first: 0 });
    expect(none).toMatchObject({
      ids: [],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
    for (const page of [{ first: -1 }, { first: 201 }, { after: '' }, { after: 'x' }]) {
      expect(await codeOf(listOf(ann, page))).toBe('INVALID_ARGUMENT');
    }
  });

  test('unread of all conversations is the sum of each', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const a = await ann.directWith(bob);
    const b = await createGroup(bob, [ann, eve]);
    await say(bob, b);
    await say(eve, b);
    await say(ann, a);
    await say(bob, a);
    await say(bob, a);
    expect([await unreadOf(ann, a), await unreadOf(ann, b)]).toEqual([2, 3]);
    expect((await listOf(ann)).unread).toBe(5);
    await markRead(ann, b, 2);
    expect((await listOf(ann)).unread).toBe(3);
    await leave(ann, b);
    expect((await listOf(ann)).unread).toBe(2);
  });

  test('a list shows each conversation’s own last message and membership', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const a = await ann.directWith(bob);
    const b = await createGroup(eve, [ann]);
    await send(ann, a, 'to bob');
    await send(eve, b, 'to the group');
    const { edges } = await listOf(ann);
    const shown = new Map(edges.map(({ node }) => [node.id, node]));
    expect(shown.get(a)).toMatchObject({
      lastMessage: { content: { text: 'to bob' } },
      me: { unreadCount: 0, role: 'MEMBER' },
    });
    expect(shown.get(b)).toMatchObject({
      title: 'Climbers',
      lastMessage: { content: { text: 'to the group' }, sender: { username: eve.username } },
      me: { unreadCount: 2, role: 'MEMBER' },
    });
  });

  test('members page by the order of ids; only the viewer’s own unread count shows', async () => {
    const [ann, ...others] = await chat.people(5);
    const id = await createGroup(ann, others);
    const document = `query ($id: ID!, $first: Int!, $after: String) { conversation(id: $id) {
      members(first: $first, after: $after) {
        edges { cursor node { user { id } unreadCount } } pageInfo { hasNextPage hasPreviousPage endCursor }
      } } }`;
    interface Page {
      conversation: {
        members: {
          edges: { cursor: string; node: { user: { id: string }; unreadCount: number | null } }[];
          pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
        };
      };
    }
    const page = async (first: number, after: string | null) => {
      const { accessToken } = ann.auth;
      const { data } = await post<Page, object>(
        chat.server,
        document,
        { id, first, after },
        accessToken,
      );
      return data?.conversation.members;
    };
    const one = await page(3, null);
    const two = await page(3, one?.pageInfo.endCursor ?? null);
    expect([one?.pageInfo, two?.pageInfo]).toMatchObject([
      { hasNextPage: true, hasPreviousPage: false },
      { hasNextPage: false, hasPreviousPage: true },
    ]);
    const nodes = [...(one?.edges ?? []), ...(two?.edges ?? [])].map(({ node }) => node);
    expect(new Set(nodes.map(({ user }) => user.id))).toEqual(
      new Set([ann, ...others].map((user) => user.id)),
    );
    expect(nodes).toHaveLength(5);
    for (const { user, unreadCount } of nodes)
      expect(unreadCount).toBe(user.id === ann.id ? 0 : null);
  });
});
