import { execute, parse, subscribe, type ExecutionResult } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import * as documents from '../../client/generated/documents.ts';
import type { Context } from '../../src/resolvers/context.ts';
import type { InboxEvent, InboxPage } from '../../src/domain/inbox/inbox.ts';
import { Fault } from '../../src/lib/fault.ts';
import { presentErrors } from '../../src/resolvers/errors.ts';
import { encodeId, encodeMessageId } from '../../src/resolvers/global-id.ts';
import { buildSchema } from '../../src/resolvers/schema.ts';
import {
  contextOver,
  membershipOf,
  messageOf,
  nowMs,
  sessionOf,
  signInOf,
  userOf,
  viewerOf,
} from '../support/doors.ts';

const schema = buildSchema();
const ann = viewerOf(1n);
const group = encodeId('Conversation', 10n);

/** What stands at a path within an answer. */
function at(answer: unknown, path: string): unknown {
  return path.split('.').reduce((value, name) => (value as Record<string, unknown>)[name], answer);
}

async function run(
  document: string | Parameters<typeof execute>[0]['document'],
  context: Context,
  variables = {},
) {
  const result = (await execute({
    schema,
    document: typeof document === 'string' ? parse(document) : document,
    contextValue: context,
    variableValues: variables,
  })) as ExecutionResult<Record<string, never>>;
  const errors = presentErrors(result.errors ?? [], (bug) => {
    throw bug;
  });
  return {
    data: JSON.parse(JSON.stringify(result.data ?? null)) as unknown,
    codes: errors.map((e) => e.extensions?.['code']),
  };
}

describe('a list of conversations', () => {
  const ids = Array.from({ length: 50 }, (_, at) => BigInt(at + 10));
  const doubles = {
    conversations: {
      list: async (_viewer: unknown, { withLastMessages }: { withLastMessages?: boolean }) => ({
        memberships: ids.map((id) => membershipOf(id, ann.userId)),
        lastMessages: withLastMessages ? ids.map((id) => messageOf(id, 7)) : [],
        hasNextPage: true,
        hasPreviousPage: false,
      }),
      listCursor: (membership: { head: { id: bigint } }) => `at ${membership.head.id}`,
      unreadTotal: async () => 100,
    },
  };

  it('asks each door once, however long it is', async () => {
    const { context, asked } = contextOver(doubles, ann);
    const { data, codes } = await run(documents.ConversationListDocument, context);
    expect(codes).toEqual([]);
    expect(at(data, 'viewer.conversations.edges')).toHaveLength(50);
    expect(at(data, 'viewer.conversations.edges.3')).toMatchObject({
      cursor: 'at 13',
      node: {
        id: encodeId('Conversation', 13n),
        lastMessage: { seq: 7, sender: { username: 'user2' }, content: { text: 'text 7' } },
        me: { role: 'OWNER', unreadCount: 2, user: { username: 'user1' } },
      },
    });
    expect(at(data, 'viewer.conversations.pageInfo')).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: 'at 10',
      endCursor: 'at 59',
    });
    expect(asked.filter((call) => !call.endsWith('listCursor')).sort()).toEqual([
      'conversations.list',
      'conversations.unreadTotal',
      'users.byIds 1',
      'users.byIds 1',
    ]);
  });

  it.each([
    [
      '{ viewer { conversations { edges { node { id lastSeq } } lastMessage: pageInfo { hasNextPage } } } }',
      false,
    ],
    [
      '{ viewer { conversations { edges { node { ... on Conversation { last: lastMessage { seq } } } } } } }',
      true,
    ],
    [
      '{ viewer { ...V } } fragment V on Viewer { conversations { edges { node { ...C } } } } fragment C on Conversation { lastMessage { seq } }',
      true,
    ],
  ])('reads the newest messages with it where they are shown: %s', async (document, isAsked) => {
    const wanted: unknown[] = [];
    const list = async (...args: Parameters<typeof doubles.conversations.list>) => {
      wanted.push(args[1].withLastMessages);
      return doubles.conversations.list(...args);
    };
    const conversations = { ...doubles.conversations, list };
    const { codes } = await run(document, contextOver({ conversations }, ann).context);
    expect({ codes, wanted }).toEqual({ codes: [], wanted: [isAsked] });
  });
});

describe('a history page', () => {
  const messages = [4, 5, 6].map((seq) =>
    messageOf(10n, seq, { replyToSeq: seq === 6 ? 1 : null }),
  );
  const page = { messages, hasNextPage: false, hasPreviousPage: true };
  const entering = { enterAll: async () => new Map([[10n, membershipOf(10n, 1n)]]) };

  it('is one question by itself, which needs nobody to have entered', async () => {
    const wanted: unknown[] = [];
    const pageUnentered = async (...[, ...rest]: unknown[]) => {
      wanted.push(...rest);
      return page;
    };
    const readCounts = async (_viewer: unknown, keys: readonly unknown[]) => keys.map(() => 1);
    const { context, asked } = contextOver({ messages: { pageUnentered, readCounts } }, ann);
    const { data, codes } = await run(documents.HistoryDocument, context, {
      conversationId: group,
      last: 3,
    });
    expect(codes).toEqual([]);
    expect(at(data, 'conversation')).toMatchObject({
      id: group,
      messages: {
        edges: [
          { cursor: '4' },
          { cursor: '5' },
          { cursor: '6', node: { replyToSeq: 1, readCount: 1 } },
        ],
        pageInfo: { startCursor: '4', endCursor: '6', hasPreviousPage: true },
      },
    });
    expect(wanted).toEqual([10n, { first: null, after: null, last: 3, before: null }]);
    expect(asked).toEqual(['messages.pageUnentered', 'users.byIds 1', 'messages.readCounts 3']);
  });

  const seqs = 'edges { node { seq } }';
  const ahead = 'messages.pageUnentered';
  const entered = ['conversations.enterAll 1', 'messages.page'];
  it.each([
    [`messages { ${seqs} }`, [ahead]],
    [`__typename id page: messages(last: 5) { ${seqs} }`, [ahead]],
    [`... on Conversation { ...Page }`, [ahead]],
    [`messages { ${seqs} } title`, entered],
    [`messages { ${seqs} } ... on Node { ... on Conversation { lastSeq } }`, entered],
    [`messages @include(if: true) { ${seqs} }`, entered],
    [`... on Conversation @skip(if: false) { messages { ${seqs} } }`, entered],
    [`messages { ${seqs} } more: messages(first: 1) { ${seqs} }`, [...entered, 'messages.page']],
  ])('is asked for: %s', async (selection, questions) => {
    const document = `query ($id: ID!) { conversation(id: $id) { ${selection} } }
      ${selection.includes('...Page') ? `fragment Page on Conversation { messages { ${seqs} } }` : ''}`;
    const doubles = {
      conversations: entering,
      messages: { page: async () => page, pageUnentered: async () => page },
    };
    const { context, asked } = contextOver(doubles, ann);
    const { data, codes } = await run(document, context, { id: group });
    expect({ codes, asked }).toEqual({ codes: [], asked: questions });
    expect(JSON.stringify(data)).toContain('{"edges":[{"node":{"seq":4}},{"node":{"seq":5}}');
  });

  it('of what the viewer may not read is null; arguments that make none are told where they stand', async () => {
    const document = `query ($id: ID!) { conversation(id: $id) { messages { ${seqs} } } }`;
    const refuse = async () => {
      throw new Fault('INVALID_ARGUMENT', 'no such page');
    };
    const hidden = contextOver({ messages: { pageUnentered: async () => null } }, ann);
    expect(await run(document, hidden.context, { id: group })).toEqual({
      data: { conversation: null },
      codes: [],
    });
    const wrong = { page: refuse, pageUnentered: refuse };
    const member = contextOver({ conversations: entering, messages: wrong }, ann);
    expect((await run(document, member.context, { id: group })).codes).toEqual([
      'INVALID_ARGUMENT',
    ]);
    const nobody = { enterAll: async () => new Map() };
    const stranger = contextOver({ conversations: nobody, messages: wrong }, ann);
    expect(await run(document, stranger.context, { id: group })).toEqual({
      data: { conversation: null },
      codes: [],
    });
  });
});

describe('the cold start', () => {
  it('takes the head before anything else of the operation is read', async () => {
    const order: string[] = [];
    const note =
      <T>(name: string, value: T) =>
      async () => {
        order.push(name);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`${name} done`);
        return value;
      };
    const page = { events: [], endCursor: 'head', hasMore: false };
    const { context } = contextOver(
      {
        conversations: { enterAll: note('enter', new Map()), unreadTotal: note('unread', 0) },
        sessions: { live: note('sessions', []) },
        streams: {
          inboxHead: () => {
            const taken = note('head', page)();
            return { taken, page: taken };
          },
        },
      },
      ann,
    );
    const query = `query ($no: InboxCursor) {
      conversation(id: "${group}") { id }
      viewer { unreadCount ...Rest }
    }
    fragment Rest on Viewer { sessions { id } ... { inbox(after: $no, first: 5) { endCursor } } }`;
    const { data } = await run(query, context);
    expect(at(data, 'viewer.inbox')).toEqual({ endCursor: 'head' });
    expect(order.slice(0, 2)).toEqual(['head', 'head done']);
    expect(order.filter((name) => name === 'head')).toHaveLength(1);
  });

  it('reads on when the head is taken, and answers it when the log is kept', async () => {
    let isRead = false;
    const unreadTotal = async () => {
      isRead = true;
      return 0;
    };
    let keep: () => void = () => undefined;
    const page = new Promise<InboxPage>((resolve) => {
      keep = () => resolve({ events: [], endCursor: 'head', hasMore: false });
    });
    const streams = { inboxHead: () => ({ taken: Promise.resolve(), page }) };
    const { context } = contextOver({ conversations: { unreadTotal }, streams }, ann);
    const running = run('{ viewer { unreadCount inbox { endCursor } } }', context);
    await vi.waitUntil(() => isRead);
    keep();
    expect(at((await running).data, 'viewer')).toEqual({
      unreadCount: 0,
      inbox: { endCursor: 'head' },
    });
  });

  it('asks for no head where the query does not, or knows its cursor', async () => {
    const pages: unknown[] = [];
    const { context } = contextOver(
      {
        streams: {
          inboxPage: async (...args) => {
            pages.push(args);
            return { events: [], endCursor: 'end', hasMore: false };
          },
        },
      },
      ann,
    );
    await run('{ viewer { user { id } } }', context);
    expect(pages).toEqual([]);
    context.inboxHead = undefined;
    await run('query ($at: InboxCursor) { viewer { inbox(after: $at) { hasMore } } }', context, {
      at: 'x',
    });
    expect(pages).toEqual([[ann, 'x', 200]]);
  });

  it('concerns nobody else where it fails', async () => {
    const { context } = contextOver(
      {
        conversations: { enterAll: async () => new Map([[10n, membershipOf(10n, 1n)]]) },
        streams: {
          inboxHead: () => {
            const page = Promise.reject(new Fault('UNAVAILABLE', 'Later.'));
            return { taken: page, page };
          },
        },
      },
      ann,
    );
    const only = await run(`{ conversation(id: "${group}") { title } }`, context);
    expect(at(only.data, 'conversation.title')).toBe('group 10');
    context.inboxHead = undefined;
    const both = await run('{ node(id: "u_2") { id } viewer { inbox { hasMore } } }', context);
    expect(both.codes).toEqual(['UNAVAILABLE']);
  });

  it('refuses pages out of range', async () => {
    const page = Promise.resolve({ events: [], endCursor: '', hasMore: false });
    const streams = { inboxHead: () => ({ taken: page, page }) };
    for (const first of [-1, 1_001]) {
      const { context } = contextOver({ streams }, ann);
      const { codes } = await run(`{ viewer { inbox(first: ${first}) { hasMore } } }`, context);
      expect(codes).toEqual(['INVALID_ARGUMENT']);
    }
  });
});

describe('a sign-in', () => {
  it('answers for the one who signed in, not for the one who asked', async () => {
    const bob = viewerOf(2n);
    const heads: unknown[] = [];
    const { context, asked } = contextOver(
      {
        users: { authenticate: async () => userOf(2n) },
        sessions: {
          open: async () => signInOf(bob),
          live: async (viewer) => [sessionOf(viewer.sessionId, viewer.userId)],
        },
        streams: {
          inboxHead: (viewer) => {
            heads.push(viewer);
            const page = Promise.resolve({
              events: [],
              endCursor: 'head of bob',
              hasMore: false,
            });
            return { taken: page, page };
          },
          isSessionOnline: () => Promise.resolve(false),
        },
        conversations: {
          openDirect: async (viewer, peerId) => {
            expect(viewer).toBe(ann);
            return membershipOf(peerId, viewer.userId);
          },
        },
      },
      ann,
    );
    const input = 'input: { username: "bob", password: "secret", device: { id: "d" } }';
    const { data, codes } = await run(
      `mutation {
        login(${input}) { viewer {
          user { username } session { isCurrent } sessions { isCurrent } inbox { endCursor }
        } }
        openDirect(userId: "u_3") { conversation { me { user { id } } } }
      }`,
      context,
    );
    expect(codes).toEqual([]);
    expect(at(data, 'login.viewer')).toEqual({
      user: { username: 'user2' },
      session: { isCurrent: true },
      sessions: [{ isCurrent: true }],
      inbox: { endCursor: 'head of bob' },
    });
    expect(heads).toEqual([bob]);
    expect(at(data, 'openDirect.conversation.me.user.id')).toBe('u_1');
    expect(asked).not.toContain('users.byIds 1');
    // Of the lists, one was asked for; of the session itself nothing but what signing in said.
    expect(asked.filter((name) => name === 'sessions.live')).toHaveLength(1);
  });

  it('checks the device before it makes a user', async () => {
    const { context, asked } = contextOver({}, null);
    const input = 'input: { username: "bob", password: "long enough", device: { id: "" } }';
    const { codes } = await run(`mutation { register(${input}) { accessToken } }`, context);
    expect(codes).toEqual(['INVALID_ARGUMENT']);
    expect(asked).toEqual([]);
  });
});

describe('the fields of a mutation', () => {
  it('show nothing that was read before them', async () => {
    let readSeq = 1;
    const { context } = contextOver(
      {
        conversations: {
          enterAll: async () => new Map([[10n, membershipOf(10n, 1n, { member: { readSeq } })]]),
        },
        messages: {
          markRead: async (_viewer, _id, seq) => {
            readSeq = seq;
            return membershipOf(10n, 1n, { member: { readSeq } }).member;
          },
        },
      },
      ann,
    );
    const mark = (seq: number) =>
      `s${seq}: markRead(input: { conversationId: "${group}", seq: ${seq} }) { member { unreadCount } }`;
    const { data, codes } = await run(`mutation { ${mark(3)} ${mark(6)} }`, context);
    expect(codes).toEqual([]);
    expect(data).toEqual({
      s3: { member: { unreadCount: 4 } },
      s6: { member: { unreadCount: 1 } },
    });
  });

  it('do nothing for a session that has ended, be it in the same operation', async () => {
    let ended = false;
    const { context } = contextOver(
      {
        sessions: {
          isEnded: () => (ended ? 'LOGGED_OUT' : null),
          end: async () => {
            ended = true;
            return sessionOf(100n, 1n);
          },
        },
        streams: { setTyping: async () => expect.unreachable() },
      },
      ann,
    );
    const { codes } = await run(
      `mutation { logout { session { id isCurrent } } setTyping(conversationId: "${group}", isTyping: true) { conversationId } }`,
      context,
    );
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });
});

describe('ids', () => {
  const unknown = {
    conversations: { enterAll: async () => new Map() },
    messages: {
      bySeqs: async (_viewer: unknown, keys: readonly unknown[]) => keys.map(() => null),
    },
    sessions: { live: async () => [] },
    users: { byUsername: async () => null },
  };

  it.each(['nonsense', '', 'u_123', group, 's_5', 'm_1_1', 'm_1'])(
    'are null in queries: %j',
    async (id) => {
      const { context } = contextOver(unknown, ann);
      const { data, codes } = await run(
        'query ($id: ID!) { node(id: $id) { id } conversation(id: $id) { id } }',
        context,
        { id },
      );
      expect({ data, codes }).toEqual({ data: { node: null, conversation: null }, codes: [] });
    },
  );

  it('lead to what they name', async () => {
    const { context } = contextOver(
      {
        conversations: { enterAll: async () => new Map([[10n, membershipOf(10n, 1n)]]) },
        messages: { bySeqs: async () => [messageOf(10n, 4)] },
        sessions: { live: async () => [sessionOf(5n, 1n)] },
      },
      ann,
    );
    for (const [id, type] of [
      ['u_2', 'User'],
      [group, 'Conversation'],
      [encodeMessageId(10n, 4), 'Message'],
      ['s_5', 'Session'],
    ]) {
      const { data } = await run('query ($id: ID!) { node(id: $id) { __typename id } }', context, {
        id,
      });
      expect(at(data, 'node')).toEqual({ __typename: type, id });
    }
  });

  it('of users in other apps lead nowhere', async () => {
    const byIds = async () => new Map([[5n, userOf(5n, { appId: 'other' })]]);
    const { context } = contextOver({ users: { byIds } }, ann);
    expect((await run('{ node(id: "u_5") { id } }', context)).data).toEqual({ node: null });
  });

  it.each(['nonsense', 'u_1', 's_1', 'm_a_1', 'c_0'])(
    'are refused in mutations: %j',
    async (id) => {
      const { context, asked } = contextOver({}, ann);
      const { codes } = await run(
        `mutation ($id: ID!) {
        a: leaveGroup(conversationId: $id) { conversationId }
      }`,
        context,
        { id },
      );
      expect(codes).toEqual(['INVALID_ARGUMENT']);
      expect(asked).toEqual(['sessions.isEnded']);
      const refused = await subscribe({
        schema,
        document: parse('subscription ($id: ID!) { typing(conversationId: $id) { isTyping } }'),
        contextValue: context,
        variableValues: { id },
      });
      const errors = 'errors' in refused ? refused.errors : [];
      expect(presentErrors(errors ?? [], () => undefined)).toMatchObject([
        { extensions: { code: 'INVALID_ARGUMENT' } },
      ]);
    },
  );
});

describe('a conversation', () => {
  it('is worth no question by its id alone', async () => {
    const { context, asked } = contextOver(
      { messages: { recall: async () => messageOf(10n, 4) } },
      ann,
    );
    const { data } = await run(
      `mutation { recallMessage(input: { conversationId: "${group}", seq: 4 }) {
        message { id conversation { id } sender { id } } } }`,
      context,
    );
    expect(at(data, 'recallMessage.message')).toEqual({
      id: encodeMessageId(10n, 4),
      conversation: { id: group },
      sender: { id: 'u_2' },
    });
    expect(asked).toEqual(['sessions.isEnded', 'messages.recall']);
  });

  it('refuses a send that nobody has time for unlooked at, and it counts for nothing', async () => {
    const { context, asked } = contextOver(
      { messages: { busy: () => new Fault('UNAVAILABLE', 'Busy.', { retryAfterMs: 9 }) } },
      ann,
    );
    const { codes } = await run(
      `mutation { sendMessage(input: { conversationId: "${group}", clientMessageId: "", content: { text: { text: "" } } }) { isDuplicate } }`,
      context,
    );
    expect(codes).toEqual(['UNAVAILABLE']);
    expect(asked).toEqual(['sessions.isEnded', 'messages.busy']);
  });

  it('shows to one who is no member any more its id, kind and creation, and no more', async () => {
    const { context } = contextOver(
      {
        conversations: {
          enterAll: async () => new Map(),
          publicHead: async (id) => ({ id, kind: 'GROUP', createdAtMs: nowMs }),
        },
        messages: {
          busy: () => null,
          send: async () => ({ message: messageOf(10n, 4), isDuplicate: true }),
        },
      },
      ann,
    );
    const send = (fields: string) =>
      `mutation { sendMessage(input: { conversationId: "${group}", clientMessageId: "m", content: { text: { text: "a" } } }) {
        isDuplicate message { conversation { ${fields} } } } }`;
    const shown = await run(send('id kind createdAt'), context);
    expect(shown.codes).toEqual([]);
    expect(at(shown.data, 'sendMessage.message.conversation')).toEqual({
      id: group,
      kind: 'GROUP',
      createdAt: '2026-11-25T12:00:00.000Z',
    });
    for (const field of [
      'title',
      'lastSeq',
      'changeSeq',
      'memberCount',
      'me { role }',
      'lastMessage { id }',
      'members { pageInfo { endCursor } }',
      'messages { pageInfo { endCursor } }',
      'message(seq: 1) { id }',
      'messageChanges(after: 0) { hasMore }',
    ]) {
      expect((await run(send(field), context)).codes, field).toEqual(['NOT_FOUND']);
    }
  });
});

describe('anonymous', () => {
  it('may ask for a gate alone', async () => {
    const ticket = {
      url: 'ws://a',
      httpUrl: 'http://a',
      gateId: 'g',
      expiresAtMs: nowMs,
      alternates: [],
    };
    const asked: unknown[] = [];
    const gates = {
      ticket: async (input: unknown) => {
        asked.push(input);
        return ticket;
      },
    };
    const { context } = contextOver({ gates }, null);
    const { data, codes } = await run('{ gate { url expiresAt alternates } }', context);
    expect(codes).toEqual([]);
    expect(at(data, 'gate')).toEqual({
      url: 'ws://a',
      expiresAt: '2026-11-25T12:00:00.000Z',
      alternates: [],
    });
    expect(asked).toEqual([{ appId: 'default', clientVersion: null, deviceId: null }]);
    for (const field of [
      'viewer { unreadCount }',
      'node(id: "u_1") { id }',
      'user(username: "a") { id }',
      `conversation(id: "${group}") { id }`,
    ]) {
      expect((await run(`{ ${field} }`, context)).codes, field).toEqual(['UNAUTHENTICATED']);
    }
  });
});

describe('events', () => {
  it('resolve by their kind, with what they show looked up', async () => {
    const about = { cursor: 'c', atMs: nowMs, conversationId: 10n };
    const message = messageOf(10n, 8);
    const events: InboxEvent[] = [
      { ...about, kind: 'MessageAdded', seq: 8, message },
      { ...about, kind: 'MessageChanged', seq: 8, changeSeq: 3, message },
      { ...about, kind: 'ReadAdvanced', userId: 2n, readSeq: 8 },
      { ...about, kind: 'ConversationChanged', isLarge: false },
      { ...about, kind: 'ConversationRemoved' },
      { ...about, kind: 'ConversationAdvanced', lastSeq: 9, changeSeq: 4, isLarge: true },
      { kind: 'InboxHeartbeat', cursor: 'c', atMs: nowMs },
      { kind: 'InboxReset', cursor: 'c', atMs: nowMs },
    ];
    const { context } = contextOver(
      {
        conversations: { enterAll: async () => new Map([[10n, membershipOf(10n, 1n)]]) },
        streams: {
          inbox: async () =>
            (async function* () {
              yield* events;
            })(),
        },
      },
      ann,
    );
    const stream = await subscribe({
      schema,
      document: documents.InboxDocument,
      contextValue: context,
    });
    if ('errors' in stream) expect.unreachable();
    const seen: unknown[] = [];
    for await (const { data, errors } of stream as AsyncIterable<ExecutionResult>) {
      expect(errors).toBeUndefined();
      seen.push(JSON.parse(JSON.stringify(data?.['inbox'])));
    }
    expect(seen).toMatchObject([
      {
        __typename: 'MessageAdded',
        cursor: 'c',
        message: { seq: 8, sender: { username: 'user2' } },
      },
      { __typename: 'MessageChanged', changeSeq: 3, message: { seq: 8 } },
      { __typename: 'ReadAdvanced', conversation: { id: group }, user: { id: 'u_2' }, readSeq: 8 },
      { __typename: 'ConversationChanged', conversation: { title: 'group 10' } },
      { __typename: 'ConversationRemoved', conversationId: group },
      { __typename: 'ConversationAdvanced', lastSeq: 9, changeSeq: 4 },
      { __typename: 'InboxHeartbeat', at: '2026-11-25T12:00:00.000Z' },
      { __typename: 'InboxReset' },
    ]);
  });
});

describe('scalars', () => {
  it('take any JSON value, as a literal or a variable, and nothing else', async () => {
    const sent: unknown[] = [];
    const { context } = contextOver(
      {
        messages: {
          busy: () => null,
          send: async (_viewer, { content }) => {
            sent.push(content.kind === 'CUSTOM' ? content.data : null);
            return { message: messageOf(10n, 1, { content }), isDuplicate: false };
          },
        },
      },
      ann,
    );
    const send = (data: string, head = '') =>
      `mutation ${head} { sendMessage(input: { conversationId: "${group}", clientMessageId: "m",
        content: { custom: { type: "t", data: ${data} } } }) { message { content { ... on CustomContent { data } } } } }`;
    const value = { a: [1, -2.5, 1e3, true, null, 'x'], __proto__: undefined, b: {} };
    const literal = '{ a: [1, -2.5, 1e3, true, null, "x"], b: {} }';
    const { data } = await run(send(literal), context);
    expect(at(data, 'sendMessage.message.content.data')).toEqual(JSON.parse(JSON.stringify(value)));
    await run(send('{ inner: $v }', '($v: JSON)'), context, { v: [1] });
    await run(send('$v', '($v: JSON!)'), context, { v: 'text' });
    expect(sent.slice(1)).toEqual([{ inner: [1] }, 'text']);
    const refused = await run(send('$v', '($v: JSON!)'), context, { v: { deep: [Infinity] } });
    expect(refused.codes).toEqual(['INVALID_ARGUMENT']);
    let nested: unknown = 1;
    for (let level = 0; level < 20_000; level += 1) nested = [nested];
    expect((await run(send('$v', '($v: JSON!)'), context, { v: nested })).codes).toEqual([
      'INVALID_ARGUMENT',
    ]);
  });
});
