import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  AddMembersDocument,
  ConversationEventsDocument,
  CreateGroupDocument,
  EditMessageDocument,
  LeaveGroupDocument,
  LogoutDocument,
  MarkReadDocument,
  OpenDirectDocument,
  RecallMessageDocument,
  RemoveMemberDocument,
  SendMessageDocument,
  SetMemberRoleDocument,
  SetTypingDocument,
  TypingDocument,
  UpdateGroupDocument,
  UpdateProfileDocument,
} from '../../client/generated/documents.ts';
import {
  codeOf,
  createGroup,
  engines,
  openChat,
  recall,
  removeMember,
  say,
  setRole,
  type Chat,
} from '../support/chat.ts';
import { ask, post, type TestUser } from '../support/clients.ts';

type Code = Awaited<ReturnType<typeof codeOf>>;
type Who = 'nobody' | 'outsider' | 'owner' | 'admin' | 'member' | 'gone';

interface World {
  readonly people: Readonly<Record<Exclude<Who, 'nobody'>, TestUser>>;
  readonly group: string;
  readonly direct: string;
  /** Who asks for it has to be a member of the group or of the direct conversation. */
  readonly seqs: { member: number; gone: number; recalled: number };
}

const malformed = 'c_!';
const unknown = 'c_zz';
const long = 'x'.repeat(129);
const huge = 'x'.repeat(16_385);

interface Case {
  readonly name: string;
  readonly who: Who;
  readonly code: Code;
  readonly run: (world: World, as: Caller) => Promise<unknown>;
}
type Caller = <D, V>(document: TypedDocumentNode<D, V>, variables: V) => Promise<D>;

const cases: Case[] = [];
/** Each row breaks a rule, and as many of those that come after it as can be broken at once. */
function table<V>(
  name: string,
  document: TypedDocumentNode<unknown, V>,
  rows: readonly (readonly [Who, Code, (world: World) => V])[],
): void {
  rows.forEach(([who, code, variables], index) => {
    cases.push({
      name: `${name} ${index + 1}: ${who} gets ${code}`,
      who,
      code,
      run: (world, as) => as(document, variables(world)),
    });
  });
}

const input = <T>(value: T): { input: T } => ({ input: value });
const sent = (conversationId: string, text = 'x', more: { replyToSeq?: number } = {}) =>
  input({ conversationId, clientMessageId: 'k', content: { text: { text } }, ...more });

table('openDirect', OpenDirectDocument, [
  ['nobody', 'UNAUTHENTICATED', () => ({ userId: malformed })],
  ['member', 'INVALID_ARGUMENT', () => ({ userId: 'u_!' })],
  ['member', 'INVALID_ARGUMENT', ({ group }) => ({ userId: group })],
  ['member', 'NOT_FOUND', () => ({ userId: 'u_zz' })],
]);
const group = (clientRequestId: string, title: string, memberIds: string[]) =>
  input({ clientRequestId, title, memberIds });
table('createGroup', CreateGroupDocument, [
  ['nobody', 'UNAUTHENTICATED', () => group('', long, ['u_!'])],
  ['member', 'INVALID_ARGUMENT', () => group('', 'x', ['u_zz'])],
  ['member', 'INVALID_ARGUMENT', () => group('x'.repeat(65), 'x', ['u_zz'])],
  ['member', 'INVALID_ARGUMENT', () => group('k', long, ['u_zz'])],
  ['member', 'INVALID_ARGUMENT', () => group('k', '', ['u_zz'])],
  ['member', 'INVALID_ARGUMENT', () => group('k', '\ud800', ['u_zz'])],
  ['member', 'INVALID_ARGUMENT', () => group('k', 'x', ['u_!'])],
  ['member', 'INVALID_ARGUMENT', () => group('k', 'x', Array<string>(1_001).fill('u_zz'))],
  ['member', 'NOT_FOUND', () => group('k', 'x', ['u_zz'])],
]);
const titled = (conversationId: string, title: string) => input({ conversationId, title });
table('updateGroup', UpdateGroupDocument, [
  ['nobody', 'UNAUTHENTICATED', () => titled(malformed, long)],
  ['outsider', 'INVALID_ARGUMENT', () => titled(malformed, 'x')],
  ['outsider', 'INVALID_ARGUMENT', ({ direct }) => titled(direct, long)],
  ['outsider', 'NOT_FOUND', () => titled(unknown, 'x')],
  ['outsider', 'NOT_FOUND', ({ direct }) => titled(direct, 'x')],
  ['gone', 'NOT_FOUND', ({ group: id }) => titled(id, 'x')],
  ['member', 'FAILED_PRECONDITION', ({ direct }) => titled(direct, 'x')],
  ['member', 'FORBIDDEN', ({ group: id }) => titled(id, 'x')],
]);
const added = (conversationId: string, userIds: string[]) => input({ conversationId, userIds });
table('addMembers', AddMembersDocument, [
  ['nobody', 'UNAUTHENTICATED', () => added(malformed, ['u_!'])],
  ['outsider', 'INVALID_ARGUMENT', () => added(malformed, [])],
  ['outsider', 'INVALID_ARGUMENT', ({ direct }) => added(direct, ['u_!'])],
  ['outsider', 'INVALID_ARGUMENT', ({ direct }) => added(direct, Array<string>(1_001).fill('u_1'))],
  ['outsider', 'NOT_FOUND', ({ direct, people }) => added(direct, [people.gone.id])],
  ['member', 'NOT_FOUND', ({ group: id }) => added(id, ['u_zz'])],
  ['member', 'FAILED_PRECONDITION', ({ direct, people }) => added(direct, [people.gone.id])],
  ['member', 'FAILED_PRECONDITION', ({ direct }) => added(direct, [])],
]);
const other = (conversationId: string, userId: string) => input({ conversationId, userId });
table('removeMember', RemoveMemberDocument, [
  ['nobody', 'UNAUTHENTICATED', () => other(malformed, 'u_!')],
  ['outsider', 'INVALID_ARGUMENT', () => other(malformed, 'u_zz')],
  ['outsider', 'INVALID_ARGUMENT', ({ direct }) => other(direct, 'u_!')],
  ['outsider', 'INVALID_ARGUMENT', ({ direct, people }) => other(direct, people.outsider.id)],
  ['outsider', 'NOT_FOUND', ({ group: id, people }) => other(id, people.member.id)],
  ['member', 'NOT_FOUND', ({ group: id, people }) => other(id, people.gone.id)],
  ['member', 'NOT_FOUND', ({ group: id }) => other(id, 'u_zz')],
  ['member', 'FAILED_PRECONDITION', ({ direct, people }) => other(direct, people.owner.id)],
  ['member', 'FORBIDDEN', ({ group: id, people }) => other(id, people.owner.id)],
  ['admin', 'FORBIDDEN', ({ group: id, people }) => other(id, people.owner.id)],
]);
table('leaveGroup', LeaveGroupDocument, [
  ['nobody', 'UNAUTHENTICATED', () => ({ conversationId: malformed })],
  ['outsider', 'INVALID_ARGUMENT', () => ({ conversationId: malformed })],
  ['outsider', 'NOT_FOUND', ({ direct }) => ({ conversationId: direct })],
  ['gone', 'NOT_FOUND', ({ group: id }) => ({ conversationId: id })],
  ['member', 'FAILED_PRECONDITION', ({ direct }) => ({ conversationId: direct })],
]);
const given = (conversationId: string, userId: string, role: 'OWNER' | 'ADMIN' | 'MEMBER') =>
  input({ conversationId, userId, role });
table('setMemberRole', SetMemberRoleDocument, [
  ['nobody', 'UNAUTHENTICATED', () => given(malformed, 'u_!', 'ADMIN')],
  ['outsider', 'INVALID_ARGUMENT', () => given(malformed, 'u_zz', 'ADMIN')],
  ['outsider', 'INVALID_ARGUMENT', ({ direct }) => given(direct, 'u_!', 'ADMIN')],
  ['outsider', 'NOT_FOUND', ({ direct, people }) => given(direct, people.owner.id, 'ADMIN')],
  ['admin', 'NOT_FOUND', ({ group: id, people }) => given(id, people.gone.id, 'ADMIN')],
  [
    'owner',
    'FAILED_PRECONDITION',
    ({ direct, people }) => given(direct, people.member.id, 'ADMIN'),
  ],
  ['admin', 'FORBIDDEN', ({ group: id, people }) => given(id, people.owner.id, 'MEMBER')],
  ['member', 'FORBIDDEN', ({ group: id, people }) => given(id, people.member.id, 'MEMBER')],
  ['owner', 'FAILED_PRECONDITION', ({ group: id, people }) => given(id, people.owner.id, 'ADMIN')],
]);
table('sendMessage', SendMessageDocument, [
  ['nobody', 'UNAUTHENTICATED', () => sent(malformed, huge)],
  ['outsider', 'INVALID_ARGUMENT', () => sent(malformed)],
  ['outsider', 'INVALID_ARGUMENT', ({ group: id }) => sent(id, '')],
  ['outsider', 'INVALID_ARGUMENT', ({ group: id }) => sent(id, 'half \ud83e')],
  [
    'outsider',
    'INVALID_ARGUMENT',
    ({ group: id }) =>
      input({ conversationId: id, clientMessageId: '', content: { text: { text: 'x' } } }),
  ],
  ['outsider', 'PAYLOAD_TOO_LARGE', ({ group: id }) => sent(id, huge)],
  ['outsider', 'NOT_FOUND', () => sent(unknown)],
  ['outsider', 'NOT_FOUND', ({ group: id }) => sent(id)],
  ['gone', 'NOT_FOUND', ({ group: id }) => sent(id)],
  ['member', 'NOT_FOUND', ({ group: id }) => sent(id, 'x', { replyToSeq: 999 })],
  ['member', 'NOT_FOUND', ({ group: id }) => sent(id, 'x', { replyToSeq: 0 })],
  ['member', 'NOT_FOUND', ({ group: id }) => sent(id, 'x', { replyToSeq: -1 })],
]);
const edited = (conversationId: string, seq: number, text = 'y') =>
  input({ conversationId, seq, content: { text: { text } } });
table('editMessage', EditMessageDocument, [
  ['nobody', 'UNAUTHENTICATED', () => edited(malformed, 1, huge)],
  ['outsider', 'INVALID_ARGUMENT', () => edited(malformed, 1)],
  ['outsider', 'PAYLOAD_TOO_LARGE', ({ group: id }) => edited(id, 1, huge)],
  ['outsider', 'NOT_FOUND', ({ group: id }) => edited(id, 1)],
  ['gone', 'NOT_FOUND', ({ group: id, seqs }) => edited(id, seqs.gone)],
  ['member', 'NOT_FOUND', ({ group: id }) => edited(id, 999)],
  ['member', 'NOT_FOUND', ({ group: id }) => edited(id, -1)],
  ['member', 'FAILED_PRECONDITION', ({ group: id }) => edited(id, 1)],
  ['owner', 'FORBIDDEN', ({ group: id, seqs }) => edited(id, seqs.recalled)],
  ['owner', 'FORBIDDEN', ({ group: id, seqs }) => edited(id, seqs.member)],
  [
    'owner',
    'FORBIDDEN',
    ({ group: id, seqs }) =>
      input({
        conversationId: id,
        seq: seqs.member,
        content: { custom: { type: 'poll', data: {} } },
      }),
  ],
  ['member', 'FAILED_PRECONDITION', ({ group: id, seqs }) => edited(id, seqs.recalled)],
  [
    'member',
    'INVALID_ARGUMENT',
    ({ group: id, seqs }) =>
      input({
        conversationId: id,
        seq: seqs.member,
        content: { custom: { type: 'poll', data: {} } },
      }),
  ],
]);
const taken = (conversationId: string, seq: number) => input({ conversationId, seq });
table('recallMessage', RecallMessageDocument, [
  ['nobody', 'UNAUTHENTICATED', () => taken(malformed, 1)],
  ['outsider', 'INVALID_ARGUMENT', () => taken(malformed, 1)],
  ['outsider', 'NOT_FOUND', ({ group: id }) => taken(id, 1)],
  ['gone', 'NOT_FOUND', ({ group: id, seqs }) => taken(id, seqs.gone)],
  ['member', 'NOT_FOUND', ({ group: id }) => taken(id, 999)],
  ['member', 'FAILED_PRECONDITION', ({ group: id }) => taken(id, 1)],
  ['member', 'FORBIDDEN', ({ group: id, seqs }) => taken(id, seqs.gone)],
]);
table('markRead', MarkReadDocument, [
  ['nobody', 'UNAUTHENTICATED', () => taken(malformed, -1)],
  ['outsider', 'INVALID_ARGUMENT', () => taken(malformed, 1)],
  ['outsider', 'INVALID_ARGUMENT', ({ group: id }) => taken(id, -1)],
  ['outsider', 'NOT_FOUND', ({ group: id }) => taken(id, 1)],
  ['gone', 'NOT_FOUND', ({ group: id }) => taken(id, 1)],
]);
const typing = (conversationId: string) => ({ conversationId, isTyping: true });
table('setTyping', SetTypingDocument, [
  ['nobody', 'UNAUTHENTICATED', () => typing(malformed)],
  ['outsider', 'INVALID_ARGUMENT', () => typing(malformed)],
  ['outsider', 'NOT_FOUND', () => typing(unknown)],
  ['outsider', 'NOT_FOUND', ({ group: id }) => typing(id)],
  ['gone', 'NOT_FOUND', ({ group: id }) => typing(id)],
]);
table('logout', LogoutDocument, [
  ['nobody', 'UNAUTHENTICATED', () => ({ sessionId: 's_!' })],
  ['member', 'INVALID_ARGUMENT', () => ({ sessionId: 's_!' })],
  ['member', 'NOT_FOUND', () => ({ sessionId: 's_zz' })],
  ['member', 'NOT_FOUND', ({ people }) => ({ sessionId: people.owner.auth.viewer.session.id })],
]);
table('updateProfile', UpdateProfileDocument, [
  ['nobody', 'UNAUTHENTICATED', () => input({ displayName: '' })],
  ['member', 'INVALID_ARGUMENT', () => input({ displayName: '' })],
  ['member', 'INVALID_ARGUMENT', () => input({ displayName: 'x'.repeat(65) })],
]);

describe.each(engines())('checks and ids on %s', (engine) => {
  let chat: Chat;
  let world: World;
  let before: unknown;
  beforeAll(async () => {
    chat = await openChat(engine);
    const [outsider, owner, admin, member, gone] = await chat.people(5);
    const id = await createGroup(owner, [admin, member, gone]);
    await setRole(owner, id, admin, 'ADMIN');
    const seqs = {
      member: await say(member, id),
      gone: await say(gone, id),
      recalled: await say(member, id),
    };
    await recall(member, id, seqs.recalled);
    await removeMember(owner, id, gone);
    const direct = await owner.directWith(member);
    await say(owner, direct);
    world = { people: { outsider, owner, admin, member, gone }, group: id, direct, seqs };
    before = await state();
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  test.each(cases)('$name', async ({ who, code, run }) => {
    const as: Caller = (document, variables) =>
      who === 'nobody'
        ? ask(chat.server, document, variables)
        : world.people[who].query(document, variables);
    expect(await codeOf(run(world, as))).toBe(code);
  });

  test('what was refused has left everything as it was', async () => {
    expect(await state()).toEqual(before);
  });

  /** What a refused mutation must leave as it was. */
  async function state(): Promise<unknown> {
    const { people, group: id, direct } = world;
    const document = `query ($a: ID!, $b: ID!) {
      a: conversation(id: $a) { title lastSeq changeSeq memberCount me { role readSeq } }
      b: conversation(id: $b) { lastSeq changeSeq memberCount }
    }`;
    const { accessToken } = people.owner.auth;
    return (await post(chat.server, document, { a: id, b: direct }, accessToken)).data;
  }

  test('the direct peer who does not see it yet is a member that cannot be removed', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await ann.directWith(bob);
    const removed = ann.query(RemoveMemberDocument, other(id, bob.id));
    expect(await codeOf(removed)).toBe('FAILED_PRECONDITION');
    const named = ann.query(SetMemberRoleDocument, given(id, bob.id, 'ADMIN'));
    expect(await codeOf(named)).toBe('FAILED_PRECONDITION');
  });

  test('queries answer null for what is malformed, unknown, invisible, or of another type', async () => {
    const { people, group: id, direct, seqs } = world;
    const message = `m_${id.slice(2)}_${seqs.member.toString(36)}`;
    const session = people.owner.auth.viewer.session.id;
    const ids = [
      '',
      'c_',
      'c_!',
      'C_1',
      'c_01',
      'c_zzzzzzzzzzzzzzz',
      'x_1',
      unknown,
      'u_zz',
      'm_1_1',
    ];
    const document = `query ($id: ID!) { node(id: $id) { __typename id } conversation(id: $id) { id } }`;
    const seen = async (user: TestUser, asked: string) =>
      (
        await post<{ node: { __typename: string } | null; conversation: object | null }, object>(
          chat.server,
          document,
          { id: asked },
          user.auth.accessToken,
        )
      ).data;
    for (const asked of [...ids, id, direct, message, session]) {
      expect(await seen(people.outsider, asked), asked).toEqual({ node: null, conversation: null });
    }
    expect(await seen(people.gone, id)).toEqual({ node: null, conversation: null });
    expect(await seen(people.gone, message)).toEqual({ node: null, conversation: null });
    expect((await seen(people.member, id))?.node).toEqual({ __typename: 'Conversation', id });
    expect((await seen(people.member, message))?.node?.__typename).toBe('Message');
    expect(await seen(people.member, people.owner.id)).toEqual({
      node: { __typename: 'User', id: people.owner.id },
      conversation: null,
    });
    expect(await seen(people.owner, session)).toMatchObject({ node: { __typename: 'Session' } });
  });

  test('subscriptions answer an error message', async () => {
    const { people, group: id } = world;
    await using outsider = people.outsider;
    const socket = await outsider.socket();
    for (const [asked, code] of [
      [malformed, 'INVALID_ARGUMENT'],
      [unknown, 'NOT_FOUND'],
      [id, 'NOT_FOUND'],
    ] as const) {
      const both = [
        socket.subscribe(ConversationEventsDocument, { id: asked }),
        socket.subscribe(TypingDocument, { conversationId: asked }),
      ];
      for (const recording of both) {
        expect(await recording.waitForEnd()).toBe('error');
        expect(recording.errors).toMatchObject([{ extensions: { code, retryable: false } }]);
        expect(recording.events).toEqual([]);
      }
    }
  });
});
