import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  EditMessageDocument,
  MessageChangesDocument,
  SendMessageDocument,
  type MessageContentInput,
} from '../../client/generated/documents.ts';
import {
  addMembers,
  codeOf,
  conversationOf,
  createGroup,
  edit,
  engines,
  leave,
  messageOf,
  newKey,
  openChat,
  recall,
  say,
  send,
  setRole,
  type Chat,
} from '../support/chat.ts';
import type { TestUser } from '../support/clients.ts';

const minute = 60_000;
const hour = 60 * minute;

async function sendContent(
  user: TestUser,
  conversationId: string,
  content: MessageContentInput,
  more: { clientMessageId?: string; replyToSeq?: number } = {},
) {
  const input = { conversationId, clientMessageId: newKey(), content, ...more };
  return (await user.query(SendMessageDocument, { input })).sendMessage;
}

async function editContent(
  user: TestUser,
  conversationId: string,
  seq: number,
  content: MessageContentInput,
) {
  const input = { conversationId, seq, content };
  return (await user.query(EditMessageDocument, { input })).editMessage.message;
}

describe.each(engines())('changes of messages on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  async function pair() {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    await say(ann, id, 'first');
    return { ann, bob, id };
  }

  test('an edit is its sender’s, in its time, of the same kind', async () => {
    const { ann, bob, id } = await pair();
    const seq = await say(ann, id, 'one');
    expect(await codeOf(edit(bob, id, seq, 'x'))).toBe('FORBIDDEN');
    const edited = await edit(ann, id, seq, 'two');
    expect(edited).toMatchObject({ content: { text: 'two' }, changeSeq: 1, recalledAt: null });
    expect(edited.editedAt).not.toBeNull();
    // The same content changes nothing.
    expect(await edit(ann, id, seq, 'two')).toEqual(edited);
    expect((await conversationOf(ann, id))?.changeSeq).toBe(1);
    expect(await edit(ann, id, seq, 'one')).toMatchObject({ changeSeq: 2 });

    const { message: poll } = await sendContent(ann, id, {
      custom: { type: 'poll', data: { a: 1, b: 2 } },
    });
    const as = (type: string, data: unknown) =>
      editContent(ann, id, poll.seq, { custom: { type, data } });
    expect(await as('poll', { b: 2, a: 1 })).toEqual(poll);
    expect(await as('poll', { a: 2 })).toMatchObject({ content: { data: { a: 2 } }, changeSeq: 3 });
    expect(await codeOf(as('Poll', { a: 2 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(edit(ann, id, poll.seq, 'x'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(editContent(ann, id, seq, { custom: { type: 'poll', data: 1 } }))).toBe(
      'INVALID_ARGUMENT',
    );
    chat.clock.shift(24 * hour - minute);
    expect(await edit(ann, id, seq, 'late')).toMatchObject({ changeSeq: 4 });
    chat.clock.shift(2 * minute);
    expect(await codeOf(edit(ann, id, seq, 'too late'))).toBe('FAILED_PRECONDITION');
    expect((await messageOf(bob, id, seq))?.content).toMatchObject({ text: 'late' });
  });

  test('a recalled message says who, keeps its place, and is never again edited', async () => {
    const { ann, bob, id } = await pair();
    const seq = await say(ann, id, 'secret');
    await send(bob, id, 'what?', { replyToSeq: seq });
    const recalled = await recall(ann, id, seq);
    expect(recalled).toMatchObject({
      seq,
      changeSeq: 1,
      content: { __typename: 'RecalledContent', recalledBy: { id: ann.id } },
      sender: { id: ann.id },
    });
    expect(recalled.recalledAt).not.toBeNull();
    expect(await recall(ann, id, seq)).toEqual(recalled);
    chat.clock.shift(3 * minute);
    expect(await recall(ann, id, seq)).toEqual(recalled);
    expect((await conversationOf(ann, id))?.changeSeq).toBe(1);
    expect(await codeOf(edit(ann, id, seq, 'x'))).toBe('FAILED_PRECONDITION');
    expect(await messageOf(bob, id, seq + 1)).toMatchObject({
      replyTo: { seq, content: { __typename: 'RecalledContent' } },
    });
    expect(await codeOf(recall(bob, id, seq))).toBe('FORBIDDEN');
  });

  test('who recalls what, and until when', async () => {
    const [owner, admin, second, member, other] = await chat.people(5);
    const id = await createGroup(owner, [admin, second, member, other]);
    for (const user of [admin, second]) await setRole(owner, id, user, 'ADMIN');
    const gone: TestUser[] = await chat.people(2);
    await addMembers(owner, id, gone);
    await setRole(owner, id, gone[1] as TestUser, 'ADMIN');
    const authors = { owner, admin, second, member, gone: gone[0], goneAdmin: gone[1] };
    const write = async () => {
      const seqs: Record<string, number> = {};
      for (const [name, author] of Object.entries(authors)) {
        seqs[name] = await say(author as TestUser, id);
      }
      return seqs as Record<keyof typeof authors, number>;
    };
    const by = { owner, admin, member };
    // For each who recalls messages of their own: what was recalled already is answered again.
    const messages = new Map<string, Record<keyof typeof authors, number>>();
    for (const age of [0, 1]) {
      for (const actor of Object.keys(by)) messages.set(`${actor} ${age}`, await write());
    }
    for (const user of gone) await leave(user, id);
    const isAllowed: Record<keyof typeof by, Record<keyof typeof authors, [string, string]>> = {
      member: {
        owner: ['FORBIDDEN', 'FORBIDDEN'],
        admin: ['FORBIDDEN', 'FORBIDDEN'],
        second: ['FORBIDDEN', 'FORBIDDEN'],
        member: ['OK', 'FAILED_PRECONDITION'],
        gone: ['FORBIDDEN', 'FORBIDDEN'],
        goneAdmin: ['FORBIDDEN', 'FORBIDDEN'],
      },
      admin: {
        owner: ['FORBIDDEN', 'FORBIDDEN'],
        admin: ['OK', 'OK'],
        second: ['FORBIDDEN', 'FORBIDDEN'],
        member: ['OK', 'OK'],
        gone: ['OK', 'OK'],
        goneAdmin: ['OK', 'OK'],
      },
      owner: {
        owner: ['OK', 'OK'],
        admin: ['OK', 'OK'],
        second: ['OK', 'OK'],
        member: ['OK', 'OK'],
        gone: ['OK', 'OK'],
        goneAdmin: ['OK', 'OK'],
      },
    };
    for (const age of [0, 1] as const) {
      if (age === 1) chat.clock.shift(2 * minute + 1_000);
      const found = structuredClone(isAllowed);
      for (const [actor, user] of Object.entries(by)) {
        for (const author of Object.keys(authors) as (keyof typeof authors)[]) {
          const row = found[actor as keyof typeof by];
          const seq = messages.get(`${actor} ${age}`)?.[author] ?? 0;
          row[author][age] = await codeOf(recall(user, id, seq));
        }
      }
      const column = (all: typeof isAllowed) =>
        Object.entries(all).map(([actor, row]) => [
          actor,
          Object.entries(row).map(([author, codes]) => [author, codes[age]]),
        ]);
      expect(column(found)).toEqual(column(isAllowed));
    }
  });

  test('in a direct conversation nobody recalls the other’s', async () => {
    const { ann, bob, id } = await pair();
    expect(await codeOf(recall(bob, id, 1))).toBe('FORBIDDEN');
    chat.clock.shift(2 * minute + 1_000);
    expect(await codeOf(recall(ann, id, 1))).toBe('FAILED_PRECONDITION');
    expect(await codeOf(recall(bob, id, 1))).toBe('FORBIDDEN');
  });

  test('each change takes the next changeSeq; the changes tell the latest of each', async () => {
    const { ann, bob, id } = await pair();
    for (const text of ['two', 'three']) await say(ann, id, text);
    await edit(ann, id, 2, 'b');
    await edit(ann, id, 1, 'a');
    await edit(ann, id, 2, 'c');
    await recall(ann, id, 3);
    const changes = async (after: number, first = 50) => {
      const { conversation } = await bob.query(MessageChangesDocument, {
        conversationId: id,
        after,
        first,
      });
      const { messages, ...rest } = conversation?.messageChanges ?? { messages: [] };
      return { ...rest, messages: messages.map(({ seq, changeSeq }) => [seq, changeSeq]) };
    };
    expect(await changes(0)).toEqual({
      messages: [
        [1, 2],
        [2, 3],
        [3, 4],
      ],
      endChangeSeq: 4,
      hasMore: false,
    });
    expect(await changes(0, 1)).toEqual({ messages: [[1, 2]], endChangeSeq: 2, hasMore: true });
    expect(await changes(2, 1)).toEqual({ messages: [[2, 3]], endChangeSeq: 3, hasMore: true });
    expect(await changes(4)).toEqual({ messages: [], endChangeSeq: 4, hasMore: false });
    expect(await changes(0, 0)).toMatchObject({ messages: [], endChangeSeq: 0, hasMore: true });
    for (const [after, first] of [
      [5, 1],
      [-1, 1],
      [0, -1],
      [0, 201],
    ] as const) {
      expect(await codeOf(changes(after, first))).toBe('INVALID_ARGUMENT');
    }
  });
});
