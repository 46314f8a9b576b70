import { encodeCursor } from '../../src/domain/inbox/inbox.ts';
import { decodeId } from '../../src/resolvers/global-id.ts';
import { seqs, signInBeside, type Actor, type World } from './authorisation-world.ts';
import { newKey } from './chat.ts';
import { TestUser } from './clients.ts';
import type { Variant } from './schema-walk.ts';

/** Who may have a field's value, once they have come to its parent. */
export type Reader =
  /** Also who has not signed in. */
  | 'anyone'
  | 'signedIn'
  /** Signed in, to the app that the world is in. */
  | 'sameApp'
  /** The one whose session it is. */
  | 'self'
  | 'member'
  | 'onceMember'
  /** Who was removed from a group. */
  | 'former'
  /** Who was ever in the group: something has happened to them. */
  | 'involved'
  | 'admin'
  | 'owner'
  /** The member whose message it is. */
  | 'author'
  /** Who shows a server key of the app. */
  | 'server'
  /** Who shows the operator's key. */
  | 'operator'
  /** Nobody but who has come to the parent can ask. */
  | 'inherits';

/**
 * Every field by its type and who may have it. A field that is not here has not been thought about, and fails the
 * test.
 */
const table: Readonly<Record<string, Partial<Record<Reader, string>>>> = {
  Query: {
    anyone: 'gate',
    operator: 'ledger gates gateRules',
    signedIn: 'node user conversation viewer redPacket',
  },
  Mutation: {
    anyone: 'register login refreshSession',
    signedIn: 'logout updateProfile',
    sameApp: 'openDirect createGroup',
    member:
      'addMembers leaveGroup setTyping sendMessage recallMessage markRead sendRedPacket claimRedPacket',
    admin: 'updateGroup removeMember',
    owner: 'setMemberRole',
    author: 'editMessage',
    server: 'creditWallet',
    operator: 'setGateRules',
  },
  Subscription: { signedIn: 'inbox', member: 'conversation presence typing' },

  Node: { inherits: 'id' },
  User: { inherits: 'id username displayName createdAt' },
  Session: {
    inherits: 'id deviceId deviceName platform createdAt lastSeenAt isCurrent isOnline',
  },
  Viewer: { signedIn: 'user session sessions conversations inbox unreadCount wallet' },
  GateTicket: { inherits: 'url httpUrl gateId expiresAt alternates' },
  Gate: { inherits: 'id httpUrl state apps track weight connections tickets' },
  GateRules: { inherits: 'rules revision changedAt' },
  SetGateRulesPayload: { inherits: 'gateRules' },

  Conversation: {
    onceMember: 'id kind createdAt',
    member:
      'title lastSeq changeSeq memberCount members me lastMessage messages message messageChanges',
  },
  Member: { member: 'user role joinedAt joinedSeq readSeq unreadCount' },
  // Who is no member any more comes to a message only by a retry of their own.
  Message: {
    inherits:
      'id conversation seq sender clientMessageId content createdAt editedAt recalledAt changeSeq replyToSeq readCount',
    member: 'replyTo',
  },
  TextContent: { inherits: 'text' },
  CustomContent: { inherits: 'type data' },
  SystemContent: { inherits: 'event actor users title role' },
  RecalledContent: { inherits: 'recalledBy' },
  RedPacketContent: { inherits: 'redPacket' },
  RedPacket: {
    inherits:
      'id conversation sender kind state greeting total count claimedCount claimedTotal recipient claims myClaim createdAt expiresAt refundedTotal',
  },
  RedPacketClaim: { inherits: 'user amount claimedAt isBest' },

  Wallet: { inherits: 'balance entries' },
  WalletEntryConnection: { inherits: 'edges pageInfo' },
  WalletEntryEdge: { inherits: 'cursor node' },
  LedgerReport: {
    inherits: 'isSound issued wallets openPackets inFlight entries packets transfers problems',
  },
  WalletEntry: { inherits: 'id kind amount createdAt redPacket' },

  PageInfo: { inherits: 'hasNextPage hasPreviousPage', member: 'startCursor endCursor' },
  ConversationConnection: { inherits: 'pageInfo', member: 'edges' },
  ConversationEdge: { member: 'cursor node' },
  MemberConnection: { member: 'edges pageInfo' },
  MemberEdge: { member: 'cursor node' },
  MessageConnection: { member: 'edges pageInfo' },
  MessageEdge: { member: 'cursor node' },
  MessageChangePage: { member: 'messages endChangeSeq hasMore' },
  InboxPage: { inherits: 'endCursor hasMore', involved: 'events' },

  InboxEvent: { involved: 'cursor at' },
  MessageAdded: { member: 'cursor at message' },
  MessageChanged: { member: 'cursor at message changeSeq' },
  ReadAdvanced: { member: 'cursor at conversation user readSeq' },
  ConversationChanged: { member: 'cursor at conversation' },
  ConversationRemoved: { former: 'cursor at conversationId' },
  ConversationAdvanced: { member: 'cursor at conversation lastSeq changeSeq' },
  WalletChanged: { member: 'cursor at entry balance' },
  InboxHeartbeat: { inherits: 'cursor at' },
  InboxReset: { inherits: 'cursor at' },
  ConversationMessageAdded: { inherits: 'message' },
  ConversationMessageChanged: { inherits: 'message changeSeq' },
  ConversationCaughtUp: { inherits: 'lastSeq changeSeq' },
  PresenceEvent: { inherits: 'user isOnline lastSeenAt' },
  TypingEvent: { inherits: 'user isTyping' },

  AuthPayload: {
    inherits: 'accessToken accessTokenExpiresAt refreshToken viewer displacedSessions',
  },
  LogoutPayload: { inherits: 'session' },
  UpdateProfilePayload: { inherits: 'user' },
  OpenDirectPayload: { inherits: 'conversation' },
  CreateGroupPayload: { inherits: 'conversation' },
  UpdateGroupPayload: { inherits: 'conversation' },
  AddMembersPayload: { inherits: 'conversation' },
  RemoveMemberPayload: { inherits: 'conversation' },
  LeaveGroupPayload: { inherits: 'conversationId' },
  SetMemberRolePayload: { inherits: 'member' },
  SetTypingPayload: { inherits: 'conversationId' },
  SendMessagePayload: { inherits: 'message isDuplicate' },
  RecallMessagePayload: { inherits: 'message' },
  EditMessagePayload: { inherits: 'message' },
  MarkReadPayload: { inherits: 'member' },
  SendRedPacketPayload: { inherits: 'message redPacket isDuplicate' },
  ClaimRedPacketPayload: { inherits: 'status claim creditPending redPacket' },
  CreditWalletPayload: { inherits: 'entry balance isDuplicate' },
};

export const rules: ReadonlyMap<string, Reader> = new Map(
  Object.entries(table).flatMap(([type, readers]) =>
    Object.entries(readers).flatMap(([reader, names]) =>
      names.split(' ').map((name) => [`${type}.${name}`, reader as Reader] as const),
    ),
  ),
);

/** Below a root a refusal is NOT_FOUND; these are silent instead. */
export const silent: ReadonlyMap<string, string> = new Map([
  ['Message.replyTo', 'null where the viewer may not see its target'],
  ['Subscription.presence', 'who shares no conversation is left out, whoever asks'],
  ['PageInfo.startCursor', 'null where the page is empty'],
  ['PageInfo.endCursor', 'null where the page is empty'],
]);

/** Fields that may be null though the reader may have them: what they would show is not so, or not known. */
export const mayBeNull: ReadonlyMap<string, string> = new Map([
  ['PresenceEvent.lastSeenAt', 'nobody of the world has had a socket'],
  ['AuthPayload.displacedSessions', 'the sign-in displaces nobody'],
  ['GateTicket.alternates', 'there is one gate'],
  ['GateRules.changedAt', 'nobody has set any'],
  ['LedgerReport.problems', 'the books are right'],
  ['RedPacket.recipient', 'any member may claim'],
  ['RedPacket.myClaim', 'only some have claimed'],
  ['WalletEntry.redPacket', 'money that came from outside'],
]);

/** Where the shortest way leads to an instance that has no value: the variant of `Query.node` that has one. */
export const better: ReadonlyMap<string, string> = new Map([
  ['Message.recalledAt', 'recalled message'],
  ['RecalledContent', 'recalled message'],
  ['TextContent', 'text message'],
  ['CustomContent', 'custom message'],
  ['SystemContent', 'first message'],
  ['RedPacketContent', 'red packet message'],
  ['SystemContent.role', 'message of a role'],
]);

/** What a field's arguments are made from. */
export interface Scene {
  readonly world: World;
  readonly actor: Actor;
  /** The group that is acted on: a fresh one where the variant asks for it. */
  readonly group: string;
}

export interface Arguments extends Variant {
  /** Who may, where it is not for all variants the same. */
  readonly reader?: Reader;
  /** Needs a group of its own: it changes who is in it, or what. */
  readonly isFresh?: true;
  /** As GraphQL's text, with its parentheses. */
  readonly text: (scene: Scene) => string | Promise<string>;
}

const literal = (value: string): string => JSON.stringify(value);
const message = (name: string, seq: number): Arguments => ({
  name,
  only: ['Message'],
  reader: 'member',
  text: ({ group }) => `(id: ${literal(`m_${group.slice(2)}_${seq.toString(36)}`)})`,
});
const inGroup = (name: string, more: string, options: Partial<Arguments> = {}): Arguments => ({
  name,
  ...options,
  text: ({ group }) => `(input: { conversationId: ${literal(group)}, ${more} })`,
});
const device = (id: string): string => `device: { id: ${literal(id)} }`;

/** What comes in the inboxes of this world only to those whom it concerns. */
const happened = [
  'MessageAdded',
  'MessageChanged',
  'ReadAdvanced',
  'ConversationChanged',
  'ConversationRemoved',
  'ConversationAdvanced',
  'WalletChanged',
];

/** The arguments of every field that has some. A field with arguments that is not here fails the test. */
export const calls: Readonly<Record<string, readonly Arguments[]>> = {
  'Query.node': [
    message('message', seqs.reply),
    message('text message', seqs.text),
    message('custom message', seqs.custom),
    message('recalled message', seqs.recalled),
    message('first message', seqs.created),
    message('message of a role', seqs.roleChanged),
    message('red packet message', seqs.redPacket),
    {
      name: 'red packet',
      only: ['RedPacket'],
      reader: 'member',
      text: ({ world }) => `(id: ${literal(world.redPacket)})`,
    },
    {
      name: "member's entry",
      only: ['WalletEntry'],
      reader: 'self',
      text: ({ world }) => `(id: ${literal(entryOf(userOf(world.actors.member)))})`,
    },
    {
      name: 'group',
      only: ['Node', 'Conversation'],
      reader: 'member',
      text: ({ group }) => `(id: ${literal(group)})`,
    },
    {
      name: 'user',
      only: ['User'],
      reader: 'sameApp',
      text: ({ world }) => `(id: ${literal(userOf(world.actors.owner).id)})`,
    },
    {
      name: "member's session",
      only: ['Session'],
      reader: 'self',
      text: ({ world }) => `(id: ${literal(userOf(world.actors.member).auth.viewer.session.id)})`,
    },
  ],
  'Query.user': [{ name: 'owner', reader: 'sameApp', text: () => '(username: "owner")' }],
  'Query.conversation': [
    { name: 'group', reader: 'member', text: ({ group }) => `(id: ${literal(group)})` },
  ],
  'Query.redPacket': [
    {
      name: 'in the group',
      reader: 'member',
      text: ({ world }) => `(id: ${literal(world.redPacket)})`,
    },
  ],
  'Wallet.entries': [{ name: 'first page', text: () => '' }],
  'Query.gate': [{ name: 'default', text: () => '' }],
  'Mutation.setGateRules': [{ name: 'none', text: () => '(rules: { rules: [] })' }],
  'Conversation.members': [{ name: 'first page', text: () => '' }],
  'Conversation.messages': [{ name: 'first page', text: () => '(first: 20)' }],
  'Conversation.message': [{ name: 'text', text: () => `(seq: ${seqs.text})` }],
  'Conversation.messageChanges': [{ name: 'all', text: () => '(after: 0)' }],
  'Viewer.conversations': [{ name: 'first page', text: () => '' }],
  'Viewer.inbox': [
    {
      name: 'since the beginning',
      only: ['InboxPage'],
      text: ({ actor }) =>
        actor.cursor === null ? '' : `(after: ${literal(actor.cursor)}, first: 500)`,
    },
  ],
  // A page never says that there is nothing new, and this one goes on where it was.
  'InboxPage.events': [{ name: '', only: ['InboxEvent', ...happened], text: () => '' }],
  'Subscription.inbox': [
    {
      name: 'since the beginning',
      // The heartbeat at its end is for everybody.
      only: [...happened, 'InboxHeartbeat'],
      text: ({ actor }) => (actor.cursor === null ? '' : `(after: ${literal(actor.cursor)})`),
    },
    {
      name: 'from a log that is gone',
      only: ['InboxReset'],
      text: ({ actor }) => `(after: ${literal(lostCursor(actor))})`,
    },
  ],
  'Subscription.conversation': [
    {
      name: 'since its beginning',
      // What is told as new is not told as changed as well.
      only: ['ConversationMessageAdded', 'ConversationCaughtUp'],
      text: ({ group }) => `(id: ${literal(group)}, afterSeq: 0, afterChangeSeq: 0)`,
    },
    {
      name: 'its changes',
      only: ['ConversationMessageChanged'],
      text: ({ group }) =>
        `(id: ${literal(group)}, afterSeq: ${seqs.roleChanged}, afterChangeSeq: 0)`,
    },
  ],
  'Subscription.presence': [
    { name: 'of a member', text: ({ world }) => `(userIds: [${literal(world.other.id)}])` },
  ],
  'Subscription.typing': [
    { name: 'in the group', text: ({ group }) => `(conversationId: ${literal(group)})` },
  ],
  'Mutation.register': [
    {
      name: 'new user',
      text: ({ world }) =>
        `(input: { username: ${literal(world.newName())}, password: "correct horse", ${device('new')} })`,
    },
  ],
  'Mutation.login': [
    {
      name: 'user without conversations',
      text: () => `(input: { username: "guest", password: "correct horse", ${device('again')} })`,
    },
  ],
  'Mutation.refreshSession': [
    {
      name: 'session without conversations',
      text: async ({ world }) => {
        const guest = userOf({ user: await guestOf(world) });
        return `(refreshToken: ${literal(guest.auth.refreshToken)})`;
      },
    },
  ],
  'Mutation.logout': [
    {
      name: 'another session of oneself',
      text: async ({ world, actor }) => {
        const user = actor.user ?? userOf(world.actors.member);
        const { viewer } = await signInBeside(world.server, user);
        return `(sessionId: ${literal(viewer.session.id)})`;
      },
    },
    {
      name: "a session of the member's",
      reader: 'self',
      text: async ({ world }) => {
        const { viewer } = await signInBeside(world.server, userOf(world.actors.member));
        return `(sessionId: ${literal(viewer.session.id)})`;
      },
    },
  ],
  'Mutation.updateProfile': [{ name: 'own', text: () => '(input: { displayName: "as before" })' }],
  'Mutation.openDirect': [
    { name: 'with a user', text: ({ world }) => `(userId: ${literal(world.other.id)})` },
  ],
  'Mutation.createGroup': [
    {
      name: 'with a user',
      text: ({ world }) =>
        `(input: { clientRequestId: ${literal(newKey())}, title: "New", memberIds: [${literal(world.other.id)}] })`,
    },
  ],
  'Mutation.updateGroup': [inGroup('same title', 'title: "Climbers"')],
  'Mutation.addMembers': [
    {
      name: 'one who is there',
      text: ({ world, group }) =>
        `(input: { conversationId: ${literal(group)}, userIds: [${literal(world.other.id)}] })`,
    },
  ],
  'Mutation.removeMember': [
    {
      name: 'a plain member',
      isFresh: true,
      text: ({ world, group }) =>
        `(input: { conversationId: ${literal(group)}, userId: ${literal(world.other.id)} })`,
    },
    {
      name: 'an admin',
      isFresh: true,
      reader: 'owner',
      only: [],
      text: ({ world, group, actor }) => {
        const admin = userOf(actor.role === 'ADMIN' ? world.actors.owner : world.actors.admin);
        return `(input: { conversationId: ${literal(group)}, userId: ${literal(admin.id)} })`;
      },
    },
  ],
  'Mutation.leaveGroup': [
    { name: 'group', isFresh: true, text: ({ group }) => `(conversationId: ${literal(group)})` },
  ],
  'Mutation.setMemberRole': [
    {
      name: 'the role that one has',
      text: ({ world, group }) =>
        `(input: { conversationId: ${literal(group)}, userId: ${literal(world.other.id)}, role: MEMBER })`,
    },
  ],
  'Mutation.setTyping': [
    {
      name: 'stopped',
      text: ({ group }) => `(conversationId: ${literal(group)}, isTyping: false)`,
    },
  ],
  'Mutation.sendMessage': [
    {
      name: 'new message',
      text: ({ group }) =>
        `(input: { conversationId: ${literal(group)}, clientMessageId: ${literal(newKey())}, content: { text: { text: "new" } } })`,
    },
    {
      name: 'retry of an own one',
      reader: 'onceMember',
      text: ({ world, actor }) =>
        `(input: { conversationId: ${literal(world.group)}, clientMessageId: "retry", replyToSeq: ${seqs.created}, content: { text: { text: "of the ${retryWord(actor)}" } } })`,
    },
  ],
  'Mutation.sendRedPacket': [
    {
      name: 'new packet',
      text: ({ group }) =>
        `(input: { conversationId: ${literal(group)}, clientMessageId: ${literal(newKey())}, total: 2, count: 2 })`,
    },
  ],
  'Mutation.claimRedPacket': [
    { name: 'in the group', text: ({ world }) => `(redPacketId: ${literal(world.redPacket)})` },
  ],
  'Mutation.creditWallet': [
    {
      name: 'one unit',
      text: ({ world }) =>
        `(input: { userId: ${literal(world.guest.id)}, amount: 1, key: ${literal(newKey())}, reason: "a gift" })`,
    },
  ],
  'Mutation.recallMessage': [
    inGroup("the member's", 'seq: 2', { isFresh: true }),
    inGroup("the owner's", 'seq: 3', { isFresh: true, reader: 'owner' }),
  ],
  'Mutation.editMessage': [
    inGroup("the member's", `seq: ${seqs.text}, content: { text: { text: "secret words" } }`),
  ],
  'Mutation.markRead': [inGroup('what is read already', 'seq: 1')],
};

const retryWord = ({ name }: Actor): string => (name === 'former member' ? 'former' : name);

function userOf({ user }: { user: TestUser | null }): TestUser {
  if (!user) throw new Error('nobody');
  return user;
}

/** The first entry of a wallet: money from outside. */
const entryOf = ({ id }: TestUser): string => `w_${id.slice(2)}_1`;

function lostCursor({ user }: Actor): string {
  const id = user ? decodeId(user.id) : null;
  const userId = id?.type === 'User' ? id.id : 1n;
  return encodeCursor({ userId, epoch: 1n, offset: 1n, atMs: 1 });
}

async function guestOf(world: World): Promise<TestUser> {
  return new TestUser(world.server, await signInBeside(world.server, world.guest));
}
