import type { ConversationEvent, InboxEvent, InboxPage, PresenceEvent, TypingEvent } from './domain/inbox/inbox.ts';
import type { Viewer } from './domain/session/session.ts';

/**
 * What the resolvers ask of the realtime side. Iterators are hand-written: `return()` ends them at once, whatever
 * `next()` is pending. All faults come before the first event.
 */
export interface Streams {
  /** @param after the cursor as the client gave it; null: from now on. @throws {Fault} INVALID_ARGUMENT for a cursor that is malformed or another's. */
  inbox(viewer: Viewer, after: string | null): Promise<AsyncIterableIterator<InboxEvent>>;
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
  presence(viewer: Viewer, userIds: readonly bigint[]): Promise<AsyncIterableIterator<PresenceEvent>>;
  /** Whether a session has a live socket (or had until 5 s ago). */
  isSessionOnline(sessionId: bigint): boolean;
}
