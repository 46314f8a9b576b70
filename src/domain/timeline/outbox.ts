import type { Message } from './model.ts';

/**
 * What a batch made happen, for whoever tells the members: one row of the outbox, written in the batch's own
 * transaction. Of one conversation, the rows' order is the commits' order, and its eventNos go on without a gap from
 * row to row.
 */
export interface OutboxBody {
  readonly parts: readonly OutboxPart[];
}

/** What happened to one conversation in a batch. */
export interface OutboxPart {
  readonly conversationId: bigint;
  readonly firstEventNo: number;
  /** The eventNo of the last change of members: a cached list of members must be at least this new. */
  readonly membersEventNo: number;
  /** Whether the group was large until then: nothing is logged per member, but for those whom an item names. */
  readonly isLarge: boolean;
  /** The head's counters when the batch was done. */
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly items: readonly OutboxItem[];
}

/** Each takes one eventNo, `added` as many as it has messages. */
export type OutboxItem =
  /** A run of messages. */
  | { readonly kind: 'added'; readonly firstSeq: number; readonly count: number }
  | { readonly kind: 'changed'; readonly changeSeq: number; readonly seq: number }
  /**
   * Created, renamed, or its members changed. `userIds`: whose own membership changed; they are told in large
   * groups too. `toAll`: the others are told as well.
   */
  | { readonly kind: 'conversation'; readonly userIds: readonly bigint[]; readonly toAll: boolean }
  /** No members any more. */
  | { readonly kind: 'removed'; readonly userIds: readonly bigint[] }
  /** The group became large, or ceased to be: told to every member; from here on the other regime holds. */
  | { readonly kind: 'advanced' };

/** How many eventNos an item takes. */
export function eventCount(item: OutboxItem): number {
  return item.kind === 'added' ? item.count : 1;
}

/** A committed row, with what the writer still knows of it, so that nobody need read it again. */
export interface CommittedRow {
  readonly shardIndex: number;
  readonly id: bigint;
  readonly body: OutboxBody;
  readonly createdAtMs: number;
  /** The messages that were added or changed, as they were at the commit. */
  readonly messages: readonly Message[];
}

/** The text of a body: JSON, ids as decimal strings. */
export function encodeBody(body: OutboxBody): string {
  const parts = body.parts.map((part) => ({
    ...part,
    conversationId: String(part.conversationId),
    items: part.items.map((item) =>
      'userIds' in item ? { ...item, userIds: item.userIds.map(String) } : item,
    ),
  }));
  return JSON.stringify({ parts });
}

interface StoredPart extends Omit<OutboxPart, 'conversationId' | 'items'> {
  readonly conversationId: string;
  readonly items: readonly (
    OutboxItem | { kind: 'conversation' | 'removed'; userIds: string[]; toAll?: boolean }
  )[];
}

/** Reads what `encodeBody` wrote. */
export function decodeBody(text: string): OutboxBody {
  const stored = JSON.parse(text) as { parts: StoredPart[] };
  return {
    parts: stored.parts.map((part) => ({
      ...part,
      conversationId: BigInt(part.conversationId),
      items: part.items.map((item) =>
        'userIds' in item ? ({ ...item, userIds: item.userIds.map(BigInt) } as OutboxItem) : item,
      ),
    })),
  };
}
