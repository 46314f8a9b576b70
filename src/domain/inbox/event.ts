import type { Message } from '../timeline/timeline.ts';
import type { WalletEntry } from '../wallet/wallet.ts';

/**
 * Something that happened, as it is told to the users it concerns: the same value for all of them. What it shows
 * of a conversation or a user is looked up when it is resolved.
 */
export type Happening =
  | {
      readonly kind: 'MessageAdded';
      readonly conversationId: bigint;
      readonly seq: number;
      readonly message: Message;
    }
  | {
      readonly kind: 'MessageChanged';
      readonly conversationId: bigint;
      readonly seq: number;
      readonly changeSeq: number;
      readonly message: Message;
    }
  | {
      readonly kind: 'ReadAdvanced';
      readonly conversationId: bigint;
      readonly userId: bigint;
      readonly readSeq: number;
    }
  | {
      readonly kind: 'ConversationChanged';
      readonly conversationId: bigint;
      /** The regime that the group is under from here on. */
      readonly isLarge: boolean;
    }
  | { readonly kind: 'ConversationRemoved'; readonly conversationId: bigint }
  | {
      readonly kind: 'ConversationAdvanced';
      readonly conversationId: bigint;
      readonly lastSeq: number;
      readonly changeSeq: number;
      /** The regime that the group is under from here on. */
      readonly isLarge: boolean;
    }
  | { readonly kind: 'WalletChanged'; readonly entry: WalletEntry };

/** What a stream says about itself. */
export type Signal = { readonly kind: 'InboxHeartbeat' } | { readonly kind: 'InboxReset' };

/** An event of one user's inbox, ready to be resolved: GraphQL's `InboxEvent`. */
export type InboxEvent = (Happening | Signal) & {
  /** Opaque text, bound to the user. */
  readonly cursor: string;
  readonly atMs: number;
};

/** GraphQL's `InboxPage`. */
export interface InboxPage {
  readonly events: readonly InboxEvent[];
  readonly endCursor: string;
  readonly hasMore: boolean;
}

/** An event of `Subscription.conversation`. */
export type ConversationEvent =
  | { readonly kind: 'ConversationMessageAdded'; readonly message: Message }
  | {
      readonly kind: 'ConversationMessageChanged';
      readonly message: Message;
      readonly changeSeq: number;
    }
  | { readonly kind: 'ConversationCaughtUp'; readonly lastSeq: number; readonly changeSeq: number };

/** An event of `Subscription.typing`. */
export interface TypingEvent {
  readonly userId: bigint;
  readonly isTyping: boolean;
}

/** An event of `Subscription.presence`. */
export interface PresenceEvent {
  readonly userId: bigint;
  readonly isOnline: boolean;
  readonly lastSeenAtMs: number | null;
}
