import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CreateGroupDocument,
  HistoryDocument,
  InboxPageDocument,
  MarkReadDocument,
  MessageChangesDocument,
  OpenDirectDocument,
  SendMessageDocument,
} from '../../client/generated/documents.ts';
import {
  addMembers,
  codeOf,
  conversationOf,
  createGroup,
  edit,
  engines,
  idOf,
  leave,
  messageOf,
  newKey,
  openChat,
  removeMember,
  rolesOf,
  say,
  send,
  words,
  type Chat,
} from '../support/chat.ts';
import { TestFault, type TestSocket, type TestUser } from '../support/clients.ts';

const clients = 64;
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** All that the user may see of a conversation, oldest first. */
async function wholeHistory(user: TestUser, conversationId: string) {
  const found = [];
  for (let after = '0'; ;) {
    const page = await user.query(HistoryDocument, { conversationId, first: 200, after });
    const { edges, pageInfo } = page.conversation?.messages ?? { edges: [], pageInfo: null };
    found.push(...edges.map(({ node }) => node));
    if (!pageInfo?.hasNextPage || pageInfo.endCursor == null) return found;
    after = pageInfo.endCursor;
  }
}

describe.each(engines())('races on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  test('openDirect from both sides gives one conversation', async () => {
    const [ann, bob] = await chat.people(2);
    const opened = await Promise.all(
      upTo(clients).map((n) => {
        const [user, peer] = n % 2 ? [ann, bob] : [bob, ann];
        return user.query(OpenDirectDocument, { userId: peer.id });
      }),
    );
    expect(new Set(opened.map(({ openDirect }) => openDirect.conversation.id)).size).toBe(1);
    const id = opened[0]?.openDirect.conversation.id ?? '';
    expect(await conversationOf(ann, id)).toMatchObject({ memberCount: 2, lastSeq: 0 });
  });

  test('retries of createGroup give one group, and its loser a conflict', async () => {
    const [ann, bob, eve] = await chat.people(3);
    const clientRequestId = newKey();
    const results = await Promise.all(
      upTo(clients).map(async (n) => {
        const memberIds = (n % 2 ? [bob, eve] : [eve, bob, eve]).map(idOf);
        const title = n % 8 ? 'Climbers' : 'Divers';
        const input = { clientRequestId, title, memberIds };
        try {
          const { createGroup: made } = await ann.query(CreateGroupDocument, { input });
          return { title, id: made.conversation.id };
        } catch (error) {
          if (error instanceof TestFault) return { title, code: error.code };
          throw error;
        }
      }),
    );
    const ids = new Set(results.flatMap((result) => ('id' in result ? [result.id] : [])));
    expect(ids.size).toBe(1);
    const [id = ''] = ids;
    const conversation = await conversationOf(bob, id);
    expect(conversation).toMatchObject({ lastSeq: 1, memberCount: 3 });
    for (const result of results) {
      if ('id' in result) expect(result.title).toBe(conversation?.title);
      else
        expect(result).toEqual({
          title: expect.not.stringMatching(conversation?.title ?? '') as string,
          code: 'IDEMPOTENCY_CONFLICT',
        });
    }
  });

  test('one message sent over many connections is one message', async () => {
    const [ann, bob] = await chat.people(2);
    await using sender = ann;
    const id = await ann.directWith(bob);
    const sockets: TestSocket[] = await Promise.all(upTo(4).map(() => sender.socket()));
    const input = {
      conversationId: id,
      clientMessageId: newKey(),
      content: { text: { text: 'x' } },
    };
    const answers = await Promise.all(
      upTo(clients).map((n) => {
        const socket = sockets[n % 8];
        return socket
          ? socket.query(SendMessageDocument, { input })
          : ann.query(SendMessageDocument, { input });
      }),
    );
    expect(answers.filter(({ sendMessage }) => !sendMessage.isDuplicate)).toHaveLength(1);
    for (const { sendMessage } of answers) {
      expect(sendMessage.message).toEqual(answers[0]?.sendMessage.message);
    }
    expect((await wholeHistory(bob, id)).map(({ seq }) => seq)).toEqual([1]);
  });

  test('seqs are contiguous, each key once, and all see the same', async () => {
    const people: TestUser[] = await chat.people(8);
    const id = await createGroup(people[0] as TestUser, people.slice(1));
    const sent = await Promise.all(
      upTo(clients * 4).map((n) => {
        const user = people[n % 8] as TestUser;
        // Every key twice.
        return send(user, id, `text ${n >> 4}`, { clientMessageId: `k ${n >> 4}` });
      }),
    );
    const fresh = sent.filter(({ isDuplicate }) => !isDuplicate);
    const histories = await Promise.all(people.map((user) => wholeHistory(user, id)));
    for (const history of histories) expect(history).toEqual(histories[0]);
    const [history = []] = histories;
    expect(history.map(({ seq }) => seq)).toEqual(upTo(fresh.length + 1));
    const stored = new Map(history.map((message) => [message.seq, message]));
    for (const { message } of sent) expect(stored.get(message.seq)).toMatchObject(message);
    const keys = history.map(({ sender, clientMessageId }) => `${sender?.id} ${clientMessageId}`);
    expect(new Set(keys).size).toBe(history.length);
    const times = history.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted());
  });

  test('one who is removed while sending has nothing acknowledged after it', async () => {
    for (let round = 0; round < 3; round += 1) {
      const [ann, bob] = await chat.people(2);
      const id = await createGroup(ann, [bob]);
      const removed = new Promise((resolve) => setTimeout(resolve, 5 + round * 20)).then(() =>
        removeMember(ann, id, bob),
      );
      const acknowledged: number[] = [];
      const refused: string[] = [];
      const senders = upTo(8).map(async (n) => {
        for (let k = 0; k < clients / 8 + 40; k += 1) {
          const work = say(bob, id, `${n} ${k}`).then((seq) => acknowledged.push(seq));
          const code = await codeOf(work);
          if (code !== 'OK') return refused.push(code);
        }
        return 0;
      });
      await Promise.all([removed, ...senders]);
      const history = await wholeHistory(ann, id);
      expect(history.map(({ seq }) => seq)).toEqual(upTo(history.length));
      const end = history.find((message) => words(message).startsWith('REMOVED'))?.seq ?? 0;
      const stored = history.filter(({ sender }) => sender?.id === bob.id).map(({ seq }) => seq);
      expect(acknowledged.toSorted((a, b) => a - b)).toEqual(stored);
      expect(Math.max(0, ...stored)).toBeLessThan(end);
      expect(new Set(refused)).toEqual(new Set(['NOT_FOUND']));
      expect(await codeOf(say(bob, id))).toBe('NOT_FOUND');
    }
  });

  test('edits of one message have one order, and the last one wins everywhere', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    const seq = await say(ann, id, 'as sent');
    const { viewer } = await bob.query(InboxPageDocument, {});
    const edits = await Promise.all(upTo(clients).map((n) => edit(ann, id, seq, `edit ${n}`)));
    const byChange = new Map(edits.map((message) => [message.changeSeq, words(message)]));
    expect([...byChange.keys()].sort((a, b) => a - b)).toEqual(upTo(clients));
    const last = byChange.get(clients);
    for (const user of [ann, bob]) {
      expect(await messageOf(user, id, seq)).toMatchObject({
        content: { text: last },
        changeSeq: clients,
      });
      const variables = { conversationId: id, after: 0, first: 200 };
      const { conversation } = await user.query(MessageChangesDocument, variables);
      expect(conversation?.messageChanges).toMatchObject({
        messages: [{ seq, changeSeq: clients, content: { text: last } }],
        endChangeSeq: clients,
        hasMore: false,
      });
    }
    const after = viewer.inbox.endCursor;
    const told = async () => {
      const page = await bob.query(InboxPageDocument, { after, first: 1_000 });
      return page.viewer.inbox.events.flatMap((event) =>
        event.__typename === 'MessageChanged' ? [[event.changeSeq, words(event.message)]] : [],
      );
    };
    await expect.poll(told).toEqual(upTo(clients).map((changeSeq) => [changeSeq, last]));
  });

  test('reads only rise, and end at the furthest', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    for (const n of upTo(20)) await say(ann, id, `${n}`);
    const asked = upTo(clients).map((n) => ((n * 7) % 20) + 1);
    await Promise.all(
      asked.map(async (seq) => {
        const input = { conversationId: id, seq };
        const { markRead } = await bob.query(MarkReadDocument, { input });
        expect(markRead.member.readSeq).toBeGreaterThanOrEqual(seq);
      }),
    );
    expect((await conversationOf(bob, id))?.me).toMatchObject({ readSeq: 20, unreadCount: 0 });
    // Beside sends of one's own, too.
    await Promise.all(
      upTo(clients).map((n) =>
        n % 2
          ? say(bob, id)
          : bob.query(MarkReadDocument, { input: { conversationId: id, seq: 21 } }),
      ),
    );
    expect((await conversationOf(bob, id))?.me).toMatchObject({ readSeq: 52, unreadCount: 0 });
  });

  test('all leave and all add at once: one owner while there is anybody, and an order for all', async () => {
    const people: TestUser[] = await chat.people(12);
    const [ann] = people as [TestUser];
    const id = await createGroup(ann, people.slice(1));
    await Promise.all([
      ...people.slice(0, 6).map((user) => codeOf(leave(user, id))),
      ...people.slice(6).map((user) => codeOf(addMembers(user, id, people.slice(0, 3)))),
      ...people.map((user) => codeOf(say(user, id))),
    ]);
    const stayed = people[11] as TestUser;
    const roles = Object.values(await rolesOf(stayed, id));
    expect(roles.filter((role) => role === 'OWNER')).toHaveLength(1);
    const conversation = await conversationOf(stayed, id);
    expect(conversation?.memberCount).toBe(roles.length);
    const history = await wholeHistory(stayed, id);
    expect(history.map(({ seq }) => seq)).toEqual(upTo(conversation?.lastSeq ?? 0));
    // The messages alone tell who is a member and who the owner.
    const members = new Map<string, string>();
    for (const { content } of history) {
      if (content.__typename !== 'SystemContent') continue;
      const names = content.users.map(({ username }) => username);
      if (content.event === 'CREATED') members.set(content.actor?.username ?? '', 'OWNER');
      if (content.event === 'CREATED' || content.event === 'JOINED') {
        for (const name of names) {
          expect(members.has(name)).toBe(false);
          members.set(name, 'MEMBER');
        }
      }
      for (const name of content.event === 'LEFT' ? names : [])
        expect(members.delete(name)).toBe(true);
      for (const name of content.event === 'ROLE_CHANGED' ? names : [])
        members.set(name, content.role ?? '');
    }
    expect(Object.fromEntries(members)).toEqual(await rolesOf(stayed, id));
  });
});
