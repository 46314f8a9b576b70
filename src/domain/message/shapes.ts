import type { Clock } from '../../lib/clock.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import type { DraftContent, Message, TimelineQueue, TimelineWriter } from '../timeline/timeline.ts';

export interface MessagesDeps {
  readonly shards: ShardMap;
  readonly timelines: TimelineWriter & TimelineQueue;
  readonly clock: Clock;
  /**
   * Called after a commit that left reads to be told in `UntoldRead` of that shard. Must not throw.
   */
  readonly onReadsCommitted: (shardIndex: number) => void;
}

/** What a client asks to be sent; the same clientMessageId is the same message. */
export interface SendInput {
  readonly conversationId: bigint;
  readonly clientMessageId: string;
  readonly content: DraftContent;
  readonly replyToSeq: number | null;
}

/** As the client gave them; cursors are decimal seqs. */
export interface HistoryPageInput {
  readonly first: number | null;
  readonly after: string | null;
  readonly last: number | null;
  readonly before: string | null;
}

/** Oldest first. A message's cursor is its seq in decimal. */
export interface HistoryPage {
  readonly messages: readonly Message[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** In the order of their latest changes. */
export interface ChangesPage {
  readonly messages: readonly Message[];
  readonly endChangeSeq: number;
  readonly hasMore: boolean;
}

/** Which message: it has no id of its own. */
export interface MessageKey {
  readonly conversationId: bigint;
  readonly seq: number;
}

/** Which message, and whose. */
export interface SentMessageKey extends MessageKey {
  /** Null for a system message. */
  readonly senderId: bigint | null;
}
