import {
  EditMessageDocument,
  InboxPageDocument,
  LogoutDocument,
  LoginDocument,
  MarkReadDocument,
  RegisterDocument,
  SendMessageDocument,
  type MessageContentInput,
} from '../../client/generated/documents.ts';
import { createGroup, recall, removeMember, setRole } from './chat.ts';
import { claim, fund, giveAway, keyOf, operatorKeyOf } from './money.ts';
import { ask, TestUser } from './clients.ts';
import type { TestServer } from './server.ts';

/** Who asks. */
export interface Actor {
  readonly name: ActorName;
  /** Null: shows none. */
  readonly token: string | null;
  /** Null: nobody that the server knows by that token. */
  readonly user: TestUser | null;
  readonly app: 'default' | 'other';
  /** In the group; null: no member. */
  readonly role: 'MEMBER' | 'ADMIN' | 'OWNER' | null;
  /** Was a member of the group, and wrote in it. */
  readonly isFormer: boolean;
  /** From before anything of the world happened. */
  readonly cursor: string | null;
}

export const actorNames = [
  'anonymous',
  'stranger',
  "other app's user",
  'former member',
  'member',
  'admin',
  'owner',
  'revoked session',
  "app's server",
  'operator',
] as const;
export type ActorName = (typeof actorNames)[number];

/** What only some may see, wherever it turns up. */
export interface Secret {
  readonly text: string;
  readonly mayKnow: (actor: Actor) => boolean;
}

/** Where the messages of each kind stand in the group. */
export const seqs = {
  created: 1,
  text: 2,
  custom: 3,
  reply: 4,
  recalled: 5,
  ofFormer: 6,
  ofOwner: 7,
  roleChanged: 8,
  redPacket: 11,
} as const;

/** A fixed world: a group with every role and every kind of message, a direct conversation, sessions. */
export interface World {
  readonly server: TestServer;
  readonly actors: Readonly<Record<ActorName, Actor>>;
  readonly group: string;
  /** Between the member and the admin. */
  readonly direct: string;
  /** A group that is large for this server, of all members of the first one. */
  readonly large: string;
  /** In the group, with shares for everybody. */
  readonly redPacket: string;
  /** A member of the group who is none of the actors. */
  readonly other: TestUser;
  /** Who is in no conversation, and signs in. */
  readonly guest: TestUser;
  readonly secrets: readonly Secret[];
  /** A new group with the same roles, of which the former member was removed; seq 2 is the member's, 3 the owner's. */
  freshGroup(): Promise<string>;
  /** A name that nobody has. */
  newName(): string;
}

const password = 'correct horse';

export async function openWorld(server: TestServer): Promise<World> {
  let named = 0;
  const newName = (): string => `name_${(named += 1)}`;
  const join = async (appId: string, username: string): Promise<TestUser> => {
    const device = { id: `device of ${username}`, name: `phone of ${username}`, platform: 'OTHER' };
    const input = { appId, username, password, device: { ...device, platform: 'OTHER' as const } };
    return new TestUser(server, (await ask(server, RegisterDocument, { input })).register);
  };
  const users = {
    stranger: await join('default', 'stranger'),
    outsider: await join('other', 'outsider'),
    former: await join('default', 'former'),
    member: await join('default', 'member'),
    admin: await join('default', 'admin'),
    owner: await join('default', 'owner'),
  };
  const { former, member, admin, owner } = users;
  const other = await join('default', 'typist');
  await Promise.all(Object.values(users).map((user) => fund(server, user)));
  const actors = await actorsOf(server, users);
  const everybody = [admin, member, former, other];
  const group = await createGroup(owner, everybody);
  const redPacket = await fillGroup(group, users);
  const direct = await admin.directWith(member);
  await write(admin, direct, 'secret of the two', { text: { text: 'secret words of the two' } });
  const crowd = [await join('default', 'crowd_1'), await join('default', 'crowd_2')];
  const large = await createGroup(owner, [admin, member, other, ...crowd]);
  await write(owner, large, 'secret of the crowd', { text: { text: 'secret words of the crowd' } });
  return {
    server,
    actors,
    group,
    direct,
    large,
    redPacket,
    other,
    guest: await join('default', 'guest'),
    secrets: await secretsOf(users, { group, direct, large, redPacket }),
    newName,
    async freshGroup() {
      const id = await createGroup(owner, everybody);
      await write(member, id, 'own', { text: { text: 'of the member' } });
      await write(owner, id, 'own', { text: { text: 'of the owner' } });
      await setRole(owner, id, admin, 'ADMIN');
      await removeMember(owner, id, former);
      return id;
    },
  };
}

interface Users {
  readonly stranger: TestUser;
  readonly outsider: TestUser;
  readonly former: TestUser;
  readonly member: TestUser;
  readonly admin: TestUser;
  readonly owner: TestUser;
}

async function actorsOf(server: TestServer, users: Users): Promise<World['actors']> {
  const actor = async (name: ActorName, user: TestUser, role: Actor['role']): Promise<Actor> => ({
    name,
    user,
    role,
    token: user.auth.accessToken,
    app: user === users.outsider ? 'other' : 'default',
    isFormer: user === users.former,
    cursor: (await user.query(InboxPageDocument, { first: 0 })).viewer.inbox.endCursor,
  });
  const nobody = { user: null, app: 'default', role: null, isFormer: false, cursor: null } as const;
  return {
    anonymous: { ...nobody, name: 'anonymous', token: null },
    stranger: await actor('stranger', users.stranger, null),
    "other app's user": await actor("other app's user", users.outsider, null),
    'former member': await actor('former member', users.former, null),
    member: await actor('member', users.member, 'MEMBER'),
    admin: await actor('admin', users.admin, 'ADMIN'),
    owner: await actor('owner', users.owner, 'OWNER'),
    'revoked session': {
      ...nobody,
      name: 'revoked session',
      token: await revokedToken(server, users.member),
    },
    operator: { ...nobody, name: 'operator', token: await operatorKeyOf(server) },
    "app's server": { ...nobody, name: "app's server", token: keyOf(server, 'default') },
  };
}

/** Of a session of the user's that lived beside the one that goes on. */
async function revokedToken(server: TestServer, user: TestUser): Promise<string> {
  const { accessToken, viewer } = await signInBeside(server, user);
  await user.query(LogoutDocument, { sessionId: viewer.session.id });
  return accessToken;
}

let signedIn = 0;
/** Another session of the user's, on a device of another class. */
export async function signInBeside(server: TestServer, user: TestUser) {
  const id = `beside ${(signedIn += 1)}`;
  const device = { id, name: 'browser', platform: 'WEB' as const };
  const appId = user.username === 'outsider' ? 'other' : 'default';
  const input = { appId, username: user.username, password, device };
  return (await ask(server, LoginDocument, { input })).login;
}

/** With a packet that the member sent, and of which all three who stay claim a share. @returns its id. */
async function fillGroup(group: string, users: Users): Promise<string> {
  const { former, member, admin, owner } = users;
  const secret = { note: 'secret data' };
  await write(member, group, 'secret key', { text: { text: 'secret words' } });
  await write(member, group, 'custom', { custom: { type: 'secret.type', data: secret } });
  await write(member, group, 'reply', { text: { text: 'to be edited' } }, seqs.text);
  const content = { text: { text: 'secret edited words' } };
  await member.query(EditMessageDocument, {
    input: { conversationId: group, seq: seqs.reply, content },
  });
  await write(member, group, 'recalled', { text: { text: 'to be recalled' } });
  await recall(member, group, seqs.recalled);
  await write(former, group, 'retry', { text: { text: 'of the former' } }, seqs.created);
  await write(owner, group, 'retry', { text: { text: 'of the owner' } }, seqs.created);
  await setRole(owner, group, admin, 'ADMIN');
  await write(admin, group, 'retry', { text: { text: 'of the admin' } }, seqs.created);
  await write(member, group, 'retry', { text: { text: 'of the member' } }, seqs.created);
  const redPacket = await giveAway(member, group, {
    total: 1_000,
    count: 100,
    greeting: 'secret greeting',
  });
  for (const user of [owner, admin, member]) {
    await claim(user, redPacket);
    await user.query(MarkReadDocument, { input: { conversationId: group, seq: 10 } });
  }
  await removeMember(owner, group, former);
  return redPacket;
}

async function write(
  user: TestUser,
  conversationId: string,
  clientMessageId: string,
  content: MessageContentInput,
  replyToSeq: number | null = null,
): Promise<void> {
  const input = { conversationId, clientMessageId, content, replyToSeq };
  await user.query(SendMessageDocument, { input });
}

async function secretsOf(
  users: Users,
  ids: { group: string; direct: string; large: string; redPacket: string },
): Promise<Secret[]> {
  const isMember = ({ role }: Actor): boolean => role !== null;
  const ofGroup = [
    'Climbers',
    'secret words',
    'secret key',
    'secret.type',
    'secret data',
    'secret greeting',
  ];
  const isOfTwo = ({ role }: Actor): boolean => role === 'MEMBER' || role === 'ADMIN';
  return [
    ...[...ofGroup, 'secret edited words'].map((text) => ({ text, mayKnow: isMember })),
    ...['of the owner', 'of the admin'].map((text) => ({ text, mayKnow: isMember })),
    { text: 'to be recalled', mayKnow: () => false },
    { text: 'secret of the two', mayKnow: isOfTwo },
    { text: 'secret words of the two', mayKnow: isOfTwo },
    { text: ids.direct, mayKnow: isOfTwo },
    { text: ids.large, mayKnow: isMember },
    { text: ids.redPacket, mayKnow: isMember },
    { text: ids.group, mayKnow: (actor) => isMember(actor) || actor.isFormer },
    ...Object.values<TestUser>({ ...users }).flatMap((user) =>
      secretsOfDevice(user).map((text) => ({
        text,
        mayKnow: (actor: Actor) => actor.user === user,
      })),
    ),
  ];
}

function secretsOfDevice({ username, auth }: TestUser): string[] {
  return [
    `device of ${username}`,
    `phone of ${username}`,
    auth.viewer.session.id,
    auth.accessToken,
    auth.refreshToken,
  ];
}
