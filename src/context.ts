import type { Authority } from './domain/app/app.ts';
import type { Conversations } from './domain/conversation/conversation.ts';
import type {
  ConversationEvent,
  InboxEvent,
  InboxPage,
  PresenceEvent,
  TypingEvent,
} from './domain/inbox/inbox.ts';
import type { Ledger } from './domain/ledger/ledger.ts';
import type { GateAsk, GateTicket, HeldRules, KnownGate } from './domain/lsb/lsb.ts';
import type { Messages } from './domain/message/message.ts';
import type { Rates } from './domain/rate/rate.ts';
import type { RedPackets } from './domain/red-packet/red-packet.ts';
import type { Sessions, Viewer } from './domain/session/session.ts';
import type { Users } from './domain/user/user.ts';
import type { Wallets } from './domain/wallet/wallet.ts';
import type { Clock } from './lib/clock.ts';
import { Fault } from './lib/fault.ts';
import { Loaders } from './resolvers/loaders.ts';

/**
 * What the resolvers ask of the realtime side. Iterators are hand-written: `return()` ends them at once, whatever
 * `next()` is pending. All faults come before the first event.
 */
export interface Streams {
  /** @param after the cursor as the client gave it; null: from now on. @throws {Fault} INVALID_ARGUMENT for a cursor that is malformed or another's. */
  inbox(viewer: Viewer, after: string | null): Promise<AsyncIterableIterator<InboxEvent>>;
  /** The present head: taken first, and told once it is sure that the log is kept for who asks. */
  inboxHead(viewer: Viewer): InboxHead;
  /** @throws {Fault} INVALID_ARGUMENT as `inbox`. */
  inboxPage(viewer: Viewer, after: string | null, first: number): Promise<InboxPage>;
  /** @throws {Fault} NOT_FOUND, INVALID_ARGUMENT */
  conversation(
    viewer: Viewer,
    conversationId: bigint,
    from: { afterSeq: number | null; afterChangeSeq: number | null },
  ): Promise<AsyncIterableIterator<ConversationEvent>>;
  /** @throws {Fault} NOT_FOUND */
  typing(viewer: Viewer, conversationId: bigint): Promise<AsyncIterableIterator<TypingEvent>>;
  /** @throws {Fault} NOT_FOUND */
  setTyping(viewer: Viewer, conversationId: bigint, isTyping: boolean): Promise<void>;
  presence(
    viewer: Viewer,
    userIds: readonly bigint[],
  ): Promise<AsyncIterableIterator<PresenceEvent>>;
  /** Whether a session has a live socket (or had until 5 s ago), on any node. */
  isSessionOnline(sessionId: bigint): Promise<boolean>;
}

/** The head of an inbox that somebody asks for. */
export interface InboxHead {
  /** What is read once it resolves is as new as the head. */
  readonly taken: Promise<unknown>;
  /** What answers who asked. */
  readonly page: Promise<InboxPage>;
}

/** Tells clients which gate to dial, and operators of all of them. */
export interface Gates {
  /** @throws {Fault} NOT_FOUND for an app that nobody serves, INVALID_ARGUMENT, UNAVAILABLE while no gate takes connections. */
  ticket(ask: GateAsk): Promise<GateTicket>;
  /** As this node knows them. */
  known(): readonly KnownGate[];
  rules(): HeldRules;
  /** @throws {Fault} INVALID_ARGUMENT that names every mistake. */
  replaceRules(value: unknown): Promise<HeldRules>;
}

/** A class by what it offers, so that anything of that shape will do. */
type Door<T> = Pick<T, keyof T>;

/** The doors of the domain that resolvers knock at. */
export interface Doors {
  readonly users: Door<Users>;
  readonly sessions: Pick<Sessions, 'open' | 'refresh' | 'end' | 'live' | 'isEnded'>;
  readonly conversations: Door<Conversations>;
  readonly messages: Door<Messages>;
  readonly wallets: Pick<Wallets, 'mine' | 'entries' | 'entryCursor' | 'entry' | 'topUp'>;
  readonly ledger: Door<Ledger>;
  readonly redPackets: Pick<RedPackets, 'send' | 'claim' | 'byIds' | 'claims' | 'claimsOf'>;
  readonly rates: Door<Rates>;
}

/** What every operation of a server shares. */
export interface Services {
  readonly doors: Doors;
  readonly streams: Streams;
  readonly gates: Gates;
  readonly clock: Clock;
}

/** Why the access token that came with a request makes nobody a viewer. */
export type AuthFailure = 'FORGED' | 'EXPIRED' | 'ENDED';

/**
 * What one operation, or one event of a subscription, is executed with. Plain data, so that a server may spread it
 * into an object of its own; only the functions below change it.
 */
export interface Context extends Services {
  /** Null: anonymous. A sign-in makes its user the viewer of its own payload. */
  viewer: Viewer | null;
  /** The viewer as the request came. */
  readonly requestViewer: Viewer | null;
  readonly authFailure: AuthFailure | null;
  /** Of who came with a server key in place of an access token; null: nobody did. */
  readonly authority: Authority | null;
  /** Whose address the request counts for; events have none. */
  readonly address: string;
  loaders: Loaders;
  /**
   * The head of the viewer's inbox, taken before anything else of the operation was read; null where the operation
   * asks for none, undefined where nobody has looked yet.
   */
  inboxHead: InboxHead | null | undefined;
}

/**
 * A context for one operation or one event: cheap, since its loaders are made when they are first used.
 * @param authFailure why the token given is no good, for the message of UNAUTHENTICATED.
 * @param address whose the request counts for.
 * @param authority of the server key that came with it.
 */
export function contextFor(
  viewer: Viewer | null,
  services: Services,
  authFailure: AuthFailure | null = null,
  address = '',
  authority: Authority | null = null,
): Context {
  const { doors, streams, gates, clock } = services;
  return {
    doors,
    streams,
    gates,
    clock,
    viewer,
    requestViewer: viewer,
    authFailure,
    authority,
    address,
    loaders: new Loaders(viewer, doors),
    inboxHead: undefined,
  };
}

/**
 * Makes `viewer` the one for whom what follows is read, with nothing read yet.
 * For the payload of a sign-in, and for the next field of a mutation.
 */
export function actAs(context: Context, viewer: Viewer | null): void {
  context.viewer = viewer;
  context.loaders = new Loaders(viewer, context.doors);
  context.inboxHead = undefined;
}

/**
 * Who asks.
 * @throws {Fault} UNAUTHENTICATED without a valid access token.
 */
export function requireViewer(context: Context): Viewer {
  if (context.viewer) return context.viewer;
  throw new Fault('UNAUTHENTICATED', unauthenticated(context.authFailure));
}

/**
 * That somebody known asks, whatever they may do.
 * @throws {Fault} UNAUTHENTICATED
 */
export function requireCaller({ authority, viewer, authFailure }: Context): void {
  if (authority || viewer) return;
  throw new Fault('UNAUTHENTICATED', unauthenticated(authFailure, 'a server key'));
}

/**
 * What the caller's server key allows.
 * @throws {Fault} FORBIDDEN where a user asks, UNAUTHENTICATED where nobody known does.
 */
export function requireAuthority(context: Context): Authority {
  requireCaller(context);
  if (context.authority) return context.authority;
  throw new Fault('FORBIDDEN', "This needs an app's server key.");
}

function unauthenticated(failure: AuthFailure | null, needed = 'an access token'): string {
  switch (failure) {
    case null:
      return `Sign in first: this needs ${needed}.`;
    case 'EXPIRED':
      return 'The access token has expired: refresh the session.';
    case 'ENDED':
      return 'The session has ended: sign in again.';
    case 'FORGED':
      return 'The access token is not valid.';
  }
}
