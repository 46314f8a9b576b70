import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  HistoryDocument,
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
  messageOf,
  newKey,
  openChat,
  recall,
  removeMember,
  say,
  send,
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
