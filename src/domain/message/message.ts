import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Shards } from '../../storage/shards.ts';
import type { Membership } from '../conversation/conversation.ts';
import type { Viewer } from '../session/viewer.ts';
import type { DraftContent, Member, Message, TimelineWriter } from '../timeline/timeline.ts';

export interface MessagesDeps {
  readonly shards: Shards;
  readonly timelines: TimelineWriter;
  readonly clock: Clock;
  /** Called after a commit that left reads to be told in `UntoldRead` of that shard. Must not throw. */
  readonly onReadsCommitted: (shardIndex: number) => void;
}

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

export interface MessageKey {
  readonly conversationId: bigint;
  readonly seq: number;
}

/** Messages as the members see them. */
export declare class Messages implements Lifecycle {
  constructor(deps: MessagesDeps);
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
  send(viewer: Viewer, input: SendInput): Promise<{ message: Message; isDuplicate: boolean }>;
  edit(
    viewer: Viewer,
    conversationId: bigint,
    seq: number,
    content: DraftContent,
  ): Promise<Message>;
  recall(viewer: Viewer, conversationId: bigint, seq: number): Promise<Message>;
  page(membership: Membership, input: HistoryPageInput): Promise<HistoryPage>;
  bySeqs(viewer: Viewer, keys: readonly MessageKey[]): Promise<(Message | null)[]>;
  changes(membership: Membership, after: number, first: number): Promise<ChangesPage>;
  readCounts(
    viewer: Viewer,
    keys: readonly (MessageKey & { readonly senderId: bigint | null })[],
  ): Promise<number[]>;
  markRead(viewer: Viewer, conversationId: bigint, seq: number): Promise<Member>;
}
