/** What a shard's tables hold, in the words of the domain. Ids are bigint, times ms since 1970. */

export type ConversationKind = 'DIRECT' | 'GROUP';
/** What a member may do; a direct conversation has members only. */
export type Role = 'OWNER' | 'ADMIN' | 'MEMBER';
/** What a system message says has happened. */
export type SystemEvent = 'CREATED' | 'JOINED' | 'LEFT' | 'REMOVED' | 'RENAMED' | 'ROLE_CHANGED';

/** A conversation's state and counters. Whoever holds its row lock gives the next event its place. */
export interface Head {
  readonly id: bigint;
  readonly appId: string;
  readonly kind: ConversationKind;
  readonly title: string | null;
  readonly createdBy: bigint;
  readonly createdAtMs: number;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly eventNo: number;
  readonly membersEventNo: number;
  readonly memberCount: number;
  readonly isLarge: boolean;
  readonly activityAtMs: number;
  readonly movedAtMs: number;
}

/** A user's place in a conversation. */
export interface Member {
  readonly conversationId: bigint;
  readonly userId: bigint;
  readonly role: Role;
  readonly joinedAtMs: number;
  /** The first seq that this member may see. */
  readonly joinedSeq: number;
  /** The first event that goes to this member's inbox. */
  readonly joinedEventNo: number;
  readonly readSeq: number;
  /** False while a direct conversation does not exist for this side. */
  readonly isListed: boolean;
}

/** What people write. */
export interface TextContent {
  readonly kind: 'TEXT';
  readonly text: string;
}
/** What an app makes of a message; FastIM only keeps it. */
export interface CustomContent {
  readonly kind: 'CUSTOM';
  readonly type: string;
  /** Any JSON value. */
  readonly data: unknown;
}
/** What a conversation says of itself. */
export interface SystemContent {
  readonly kind: 'SYSTEM';
  readonly event: SystemEvent;
  readonly actorId: bigint;
  readonly userIds: readonly bigint[];
  readonly title: string | null;
  readonly role: Role | null;
}
/** Money for who comes first; what became of it is asked of the packet itself. */
export interface RedPacketContent {
  readonly kind: 'RED_PACKET';
  readonly redPacketId: bigint;
}
/** What is left of a message that was recalled. */
export interface RecalledContent {
  readonly kind: 'RECALLED';
  readonly recalledBy: bigint;
}
/** What a member may write. */
export type DraftContent = TextContent | CustomContent;
/** What a message may hold. */
export type Content = DraftContent | RedPacketContent | SystemContent | RecalledContent;

/** One entry of a timeline, as it is now. */
export interface Message {
  readonly conversationId: bigint;
  readonly seq: number;
  /** Null for a system message. */
  readonly senderId: bigint | null;
  readonly clientMessageId: string | null;
  readonly content: Content;
  readonly createdAtMs: number;
  readonly editedAtMs: number | null;
  readonly recalledAtMs: number | null;
  /** The conversation's changeSeq when it last changed; 0: as it was sent. */
  readonly changeSeq: number;
  readonly replyToSeq: number | null;
}
