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
