import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  EditMessageDocument,
  HistoryDocument,
  MessageChangesDocument,
  SendMessageDocument,
  type HistoryQueryVariables,
  type MessageContentInput,
} from '../../client/generated/documents.ts';
import {
  addMembers,
  codeOf,
  conversationOf,
  createGroup,
  edit,
  engines,
  historyOf,
  leave,
  messageOf,
  newKey,
  openChat,
  recall,
  removeMember,
  say,
  send,
  setRole,
  type Chat,
} from '../support/chat.ts';
import { post, type TestUser } from '../support/clients.ts';

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

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

describe.each(engines())('messages on %s', (engine) => {
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

  test('what is sent comes back as it was, at its place', async () => {
    const { ann, bob, id } = await pair();
    const text = '  ünï\u0000 \n🧗‍♀️ ﬁ\u202e  ';
    const sent = await sendContent(bob, id, { text: { text } }, { replyToSeq: 1 });
    expect(sent).toMatchObject({
      isDuplicate: false,
      message: {
        seq: 2,
        sender: { id: bob.id },
        conversation: { id },
        content: { text },
        changeSeq: 0,
        editedAt: null,
        recalledAt: null,
        replyToSeq: 1,
      },
    });
    expect(sent.message.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const data = { z: [1, 1.5, 0, null, true], a: { '': 'x', ü: '\u0000' } };
    await sendContent(ann, id, { custom: { type: 'app/poll', data } });
    const shown = await historyOf(ann, id);
    expect(shown[1]).toMatchObject(sent.message);
    expect(shown[2]?.content).toEqual({ __typename: 'CustomContent', type: 'app/poll', data });
  });

  test('content has its limits, in bytes and in levels', async () => {
    const { ann, id } = await pair();
    const code = (content: MessageContentInput) => codeOf(sendContent(ann, id, content));
    expect(await code({ text: { text: 'ü'.repeat(8_192) } })).toBe('OK');
    expect(await code({ text: { text: `${'ü'.repeat(8_192)}x` } })).toBe('PAYLOAD_TOO_LARGE');
    expect(await code({ text: { text: '' } })).toBe('INVALID_ARGUMENT');
    const custom = (data: unknown, type = 't') =>
      ({ custom: { type, data } }) as MessageContentInput;
    expect(await code(custom('x'.repeat(16_382)))).toBe('OK');
    expect(await code(custom('x'.repeat(16_383)))).toBe('PAYLOAD_TOO_LARGE');
    expect(await code(custom(nested(32)))).toBe('OK');
    expect(await code(custom(nested(33)))).toBe('INVALID_ARGUMENT');
    expect(await code(custom(1, '🧗'.repeat(64)))).toBe('OK');
    expect(await code(custom(1, 'x'.repeat(65)))).toBe('INVALID_ARGUMENT');
    expect(await code(custom(1, ''))).toBe('INVALID_ARGUMENT');
    expect(await code(custom({ a: ['\udc00'] }))).toBe('INVALID_ARGUMENT');
    expect(await code({} as MessageContentInput)).toBe('INVALID_ARGUMENT');
    const both = { text: { text: 'x' }, custom: { type: 't', data: 1 } } as never;
    expect(await code(both)).toBe('INVALID_ARGUMENT');
    expect(await code(custom([null]))).toBe('OK');
    expect(await code(custom(null))).toBe('INVALID_ARGUMENT');
  });

  test('a key counts by its code points and bytes', async () => {
    const { ann, bob, id } = await pair();
    const key = (clientMessageId: string) => codeOf(send(ann, id, 'x', { clientMessageId }));
    expect(await key('🧗'.repeat(64))).toBe('OK');
    expect(await key('🧗'.repeat(65))).toBe('INVALID_ARGUMENT');
    const seqs = [];
    for (const clientMessageId of ['k', 'K', 'k ', ' k', 'ḱ']) {
      seqs.push((await send(ann, id, 'x', { clientMessageId })).message.seq);
    }
    expect(seqs).toEqual([3, 4, 5, 6, 7]);
    // Another's key is another key.
    expect(await send(bob, id, 'y', { clientMessageId: 'k' })).toMatchObject({
      isDuplicate: false,
      message: { seq: 8 },
    });
  });

  test('a retry gets the first result, as the message is now; another payload a conflict', async () => {
    const { ann, id } = await pair();
    const clientMessageId = newKey();
    const first = await send(ann, id, 'hello', { clientMessageId, replyToSeq: 1 });
    const again = await send(ann, id, 'hello', { clientMessageId, replyToSeq: 1 });
    expect(again).toEqual({ ...first, isDuplicate: true });
    for (const [text, more] of [
      ['Hello', { replyToSeq: 1 }],
      ['hello', {}],
      ['hello', { replyToSeq: 2 }],
    ] as const) {
      expect(await codeOf(send(ann, id, text, { clientMessageId, ...more }))).toBe(
        'IDEMPOTENCY_CONFLICT',
      );
    }
    const edited = await edit(ann, id, first.message.seq, 'changed');
    expect(await send(ann, id, 'hello', { clientMessageId, replyToSeq: 1 })).toEqual({
      isDuplicate: true,
      message: edited,
    });
    // What counts is what was first sent, whatever edits came since.
    expect(await codeOf(send(ann, id, 'changed', { clientMessageId, replyToSeq: 1 }))).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
    const recalled = await recall(ann, id, first.message.seq);
    expect(await send(ann, id, 'hello', { clientMessageId, replyToSeq: 1 })).toEqual({
      isDuplicate: true,
      message: recalled,
    });
    expect(recalled.content).toMatchObject({ __typename: 'RecalledContent' });
    expect((await conversationOf(ann, id))?.lastSeq).toBe(2);
  });

  test('custom content is the same by value, whatever the order of its keys', async () => {
    const { ann, id } = await pair();
    const clientMessageId = newKey();
    const content = (data: unknown, type = 'poll') =>
      ({ custom: { type, data } }) as MessageContentInput;
    const data = { a: [1, { x: 1, y: 2 }], b: 'z' };
    await sendContent(ann, id, content(data), { clientMessageId });
    const retry = (given: MessageContentInput) =>
      codeOf(sendContent(ann, id, given, { clientMessageId }));
    expect(await retry(content({ b: 'z', a: [1, { y: 2, x: 1 }] }))).toBe('OK');
    expect(await retry(content({ b: 'z', a: [{ y: 2, x: 1 }, 1] }))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await retry(content(data, 'Poll'))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await retry({ text: { text: JSON.stringify(data) } })).toBe('IDEMPOTENCY_CONFLICT');
    expect((await conversationOf(ann, id))?.lastSeq).toBe(2);
  });

  test('a removed sender’s retry gets their message, and of the conversation only what is public', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await createGroup(ann, [bob]);
    const clientMessageId = newKey();
    const first = await send(bob, id, 'mine', { clientMessageId });
    await removeMember(ann, id, bob);
    await edit(ann, id, await say(ann, id), 'x');
    expect(await send(bob, id, 'mine', { clientMessageId })).toEqual({
      ...first,
      isDuplicate: true,
    });
    expect(await codeOf(send(bob, id, 'other', { clientMessageId }))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await codeOf(send(bob, id, 'new'))).toBe('NOT_FOUND');

    const retry = async (selection: string) => {
      const document = `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { ${selection} } } }`;
      const input = { conversationId: id, clientMessageId, content: { text: { text: 'mine' } } };
      const { data, errors } = await post<{ sendMessage: { message: unknown } }, object>(
        chat.server,
        document,
        { input },
        bob.auth.accessToken,
      );
      return {
        message: data?.sendMessage?.message,
        codes: errors?.map((e) => e.extensions?.['code']),
      };
    };
    expect(
      await retry('seq replyTo { seq } sender { username } conversation { id kind createdAt }'),
    ).toEqual({
      message: {
        seq: 2,
        replyTo: null,
        sender: { username: bob.username },
        conversation: { id, kind: 'GROUP', createdAt: expect.any(String) as string },
      },
      codes: undefined,
    });
    for (const field of [
      'title',
      'lastSeq',
      'changeSeq',
      'memberCount',
      'lastMessage { seq }',
      'members { edges { cursor } }',
      'me { role }',
      'messages(last: 1) { edges { cursor } }',
      'message(seq: 2) { seq }',
      'messageChanges(after: 0) { hasMore }',
    ]) {
      const { codes } = await retry(`seq conversation { id ${field} }`);
      expect(codes, field).toEqual(['NOT_FOUND']);
    }
    // Back again: the message of before the joining is still what the key stands for.
    await addMembers(ann, id, [bob]);
    expect(await send(bob, id, 'mine', { clientMessageId })).toEqual({
      ...first,
      isDuplicate: true,
    });
    expect(await messageOf(bob, id, 2)).toBeNull();
  });

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
      editContent(ann, id, poll.seq, { custom: { type, data } } as MessageContentInput);
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

  test('pages of history', async () => {
    const { ann, bob, id } = await pair();
    for (let seq = 2; seq <= 60; seq += 1) await say(seq % 2 ? ann : bob, id, `${seq}`);
    const page = async (given: Omit<HistoryQueryVariables, 'conversationId'>) => {
      const { conversation } = await ann.query(HistoryDocument, { conversationId: id, ...given });
      const { edges = [], pageInfo } = conversation?.messages ?? {};
      for (const { cursor, node } of edges) expect(cursor).toBe(String(node.seq));
      const { hasPreviousPage, hasNextPage, startCursor, endCursor } = pageInfo ?? {};
      return [startCursor, endCursor, edges.length, hasPreviousPage, hasNextPage];
    };
    expect(await page({})).toEqual(['11', '60', 50, true, false]);
    expect(await page({ last: 2 })).toEqual(['59', '60', 2, true, false]);
    expect(await page({ first: 2 })).toEqual(['1', '2', 2, false, true]);
    expect(await page({ first: 3, after: '10' })).toEqual(['11', '13', 3, true, true]);
    expect(await page({ last: 3, before: '11' })).toEqual(['8', '10', 3, true, true]);
    expect(await page({ first: 200 })).toEqual(['1', '60', 60, false, false]);
    expect(await page({ first: 9, after: '10', before: '13' })).toEqual([
      '11',
      '12',
      2,
      true,
      true,
    ]);
    expect(await page({ last: 9, after: '58', before: '61' })).toEqual([
      '59',
      '60',
      2,
      true,
      false,
    ]);
    expect(await page({ first: 5, after: '60' })).toEqual([null, null, 0, true, false]);
    expect(await page({ first: 5, after: '999' })).toEqual([null, null, 0, true, false]);
    expect(await page({ last: 5, before: '1' })).toEqual([null, null, 0, false, true]);
    expect(await page({ first: 0 })).toEqual([null, null, 0, false, true]);
    expect(await page({ last: 0 })).toEqual([null, null, 0, true, false]);
    for (const bad of [
      { first: 1, last: 1 },
      { first: -1 },
      { last: -1 },
      { first: 201 },
      { last: 201 },
      { after: 'x' },
      { after: '' },
      { before: '1.5' },
      { before: '-1' },
      { after: '01' },
      { after: '99999999999' },
    ]) {
      expect(await codeOf(page(bad)), JSON.stringify(bad)).toBe('INVALID_ARGUMENT');
    }
    expect(await messageOf(ann, id, 0)).toBeNull();
    expect(await messageOf(ann, id, -1)).toBeNull();
    expect(await messageOf(ann, id, 61)).toBeNull();
    expect(await messageOf(ann, id, 60)).toMatchObject({ content: { text: '60' } });
  });

  test('a clock that is set back makes no message older than the one before', async () => {
    const { ann, bob, id } = await pair();
    const before = await send(ann, id, 'now');
    chat.clock.shift(-hour);
    try {
      const after = await send(bob, id, 'an hour ago');
      expect(after.message.createdAt).toBe(before.message.createdAt);
      const edited = await edit(ann, id, before.message.seq, 'edited');
      expect(edited.editedAt).toBe(before.message.createdAt);
    } finally {
      chat.clock.shift(hour);
    }
  });
});
