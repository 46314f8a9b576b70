import type { Services } from '../../src/doors.ts';
import { contextFor, type Context } from '../../src/resolvers/context.ts';
import { Membership, membershipToken } from '../../src/domain/conversation/membership.ts';
import type { Session, SignIn, Viewer } from '../../src/domain/session/session.ts';
import type { Head, Member, Message } from '../../src/domain/timeline/timeline.ts';
import type { User } from '../../src/domain/user/user.ts';

export const nowMs = Date.UTC(2026, 10, 25, 12);

export function viewerOf(userId: bigint, sessionId = userId * 100n): Viewer {
  return { userId, sessionId, appId: 'default', expiresAtMs: nowMs + 900_000 };
}

export function userOf(id: bigint, changed: Partial<User> = {}): User {
  const username = `user${id}`;
  return { id, appId: 'default', username, displayName: username, createdAtMs: nowMs, ...changed };
}

export function sessionOf(id: bigint, userId: bigint): Session {
  return {
    id,
    userId,
    deviceId: `device${id}`,
    deviceName: null,
    platform: 'WEB',
    createdAtMs: nowMs,
    lastSeenAtMs: nowMs,
  };
}

export function messageOf(
  conversationId: bigint,
  seq: number,
  changed: Partial<Message> = {},
): Message {
  return {
    conversationId,
    seq,
    senderId: 2n,
    clientMessageId: `m${seq}`,
    content: { kind: 'TEXT', text: `text ${seq}` },
    createdAtMs: nowMs + seq,
    editedAtMs: null,
    recalledAtMs: null,
    changeSeq: 0,
    replyToSeq: null,
    ...changed,
  };
}

export function membershipOf(
  id: bigint,
  viewerId: bigint,
  changed: { head?: Partial<Head>; member?: Partial<Member> } = {},
): Membership {
  const head: Head = {
    id,
    appId: 'default',
    kind: 'GROUP',
    title: `group ${id}`,
    createdBy: viewerId,
    createdAtMs: nowMs,
    lastSeq: 7,
    changeSeq: 0,
    eventNo: 7,
    membersEventNo: 1,
    memberCount: 2,
    isLarge: false,
    activityAtMs: nowMs,
    movedAtMs: nowMs,
    ...changed.head,
  };
  const member: Member = {
    conversationId: id,
    userId: viewerId,
    role: 'OWNER',
    joinedAtMs: nowMs,
    joinedSeq: 1,
    joinedEventNo: 1,
    readSeq: 5,
    isListed: true,
    ...changed.member,
  };
  return new Membership(membershipToken, head, member);
}

export function signInOf(viewer: Viewer): SignIn {
  return {
    session: sessionOf(viewer.sessionId, viewer.userId),
    viewer,
    accessToken: 'access',
    accessTokenExpiresAtMs: viewer.expiresAtMs,
    refreshToken: 'refresh',
    displaced: [],
  };
}

/** What was asked of the doors, in order: the door's method and how many things it was asked for. */
export type Asked = string[];

type Doubles = { [K in keyof Services['doors']]?: Partial<Services['doors'][K]> } & {
  streams?: Partial<Services['streams']>;
  gates?: Partial<Services['gates']>;
};

/**
 * A context over doors that answer as told, and write down what they were asked; what was not told throws.
 * Users 1 to 99 exist, unless told otherwise; none is kept.
 */
export function contextOver(
  doubles: Doubles,
  viewer: Viewer | null,
): { context: Context; asked: Asked } {
  const asked: Asked = [];
  const recorded = <T extends object>(door: string, methods: T): T =>
    new Proxy(methods, {
      get(target, name: string) {
        if (door === 'users' && name === 'kept') return () => null;
        const method: unknown = Reflect.get(target, name);
        return (...args: unknown[]): unknown => {
          if (typeof method !== 'function') {
            throw new Error(`nobody said what ${door}.${name} answers`);
          }
          const list = args.find((arg) => Array.isArray(arg));
          asked.push(`${door}.${name}${list ? ` ${list.length}` : ''}`);
          return method.apply(target, args);
        };
      },
    });
  const existing = {
    byIds: async (ids: readonly bigint[]) =>
      new Map(ids.filter((id) => id < 100n).map((id) => [id, userOf(id)])),
    ...doubles.users,
  };
  const services = {
    doors: {
      users: recorded('users', existing),
      sessions: recorded('sessions', { isEnded: () => null, ...doubles.sessions }),
      conversations: recorded('conversations', { ...doubles.conversations }),
      messages: recorded('messages', { ...doubles.messages }),
      wallets: recorded('wallets', { ...doubles.wallets }),
      redPackets: recorded('redPackets', { ...doubles.redPackets }),
      ledger: recorded('ledger', { ...doubles.ledger }),
      rates: {
        within: (_name: string, _key: string, work: () => unknown) => work(),
        addressIn: (_appId: string, address: string) => address,
      },
    },
    streams: recorded('streams', { ...doubles.streams }),
    gates: recorded('gates', { ...doubles.gates }),
    clock: { now: () => nowMs },
  } as Services;
  return { context: contextFor(viewer, services), asked };
}
