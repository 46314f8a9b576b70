/**
 * How the words of the domain lie in a shard's rows: the one place that knows it, for the writer
 * and all readers.
 *
 * Times are bigint in rows and number in the domain; text that identifies is bytes in rows. The
 * columns of a head and of a member have no name in common, so both can be read from one joined
 * row.
 */
import { present } from '../../lib/assert.ts';
import { textOf } from '../../lib/text.ts';
import type {
  Content,
  ConversationKind,
  Head,
  Member,
  Message,
  RecalledContent,
  Role,
  SystemEvent,
} from './model.ts';

/** `Conversation.kind`. */
export const conversationKindCodes = { DIRECT: 0, GROUP: 1 } as const satisfies Record<
  ConversationKind,
  number
>;
/** `Member.role`. */
export const roleCodes = { MEMBER: 0, ADMIN: 1, OWNER: 2 } as const satisfies Record<Role, number>;
/** `Message.kind`: what it was sent as; a recalled message keeps it. */
export const messageKindCodes = { TEXT: 0, CUSTOM: 1, SYSTEM: 2, RED_PACKET: 3 } as const;

const conversationKinds = ['DIRECT', 'GROUP'] as const;
const roles = ['MEMBER', 'ADMIN', 'OWNER'] as const;
/** What stands for a content that was erased. */
const erasedText = 'null';

/** The kind that a row's code stands for. */
export function conversationKindOf(code: number): ConversationKind {
  return present(conversationKinds[code], 'a conversation of unknown kind');
}

/** A row of Conversation without what only creating it needs (originKey, originHash). */
export interface HeadRow {
  readonly id: bigint;
  readonly appId: Uint8Array;
  readonly kind: number;
  readonly title: string | null;
  readonly createdBy: bigint;
  readonly createdAtMs: bigint;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly eventNo: number;
  readonly membersEventNo: number;
  readonly memberCount: number;
  readonly isLarge: boolean;
  readonly activityAtMs: bigint;
  readonly movedAtMs: bigint;
}

/** A row of Member. */
export interface MemberRow {
  readonly conversationId: bigint;
  readonly userId: bigint;
  readonly role: number;
  readonly joinedAtMs: bigint;
  readonly joinedSeq: number;
  readonly joinedEventNo: number;
  readonly readSeq: number;
  readonly isListed: boolean;
}

/** A row of Message without payloadHash, which only the writer needs. */
export interface MessageRow {
  readonly conversationId: bigint;
  readonly seq: number;
  readonly senderId: bigint | null;
  readonly clientMessageId: Uint8Array | null;
  readonly kind: number;
  readonly content: string;
  readonly createdAtMs: bigint;
  readonly editedAtMs: bigint | null;
  readonly recalledAtMs: bigint | null;
  readonly recalledBy: bigint | null;
  readonly changeSeq: number;
  readonly replyToSeq: number | null;
}

/** The columns of a HeadRow. */
export const headColumns = [
  'id',
  'appId',
  'kind',
  'title',
  'createdBy',
  'createdAtMs',
  'lastSeq',
  'changeSeq',
  'eventNo',
  'membersEventNo',
  'memberCount',
  'isLarge',
  'activityAtMs',
  'movedAtMs',
] as const satisfies readonly (keyof HeadRow)[];

/** The columns of a MemberRow. */
export const memberColumns = [
  'conversationId',
  'userId',
  'role',
  'joinedAtMs',
  'joinedSeq',
  'joinedEventNo',
  'readSeq',
  'isListed',
] as const satisfies readonly (keyof MemberRow)[];

/** The columns of a MessageRow. */
export const messageColumns = [
  'conversationId',
  'seq',
  'senderId',
  'clientMessageId',
  'kind',
  'content',
  'createdAtMs',
  'editedAtMs',
  'recalledAtMs',
  'recalledBy',
  'changeSeq',
  'replyToSeq',
] as const satisfies readonly (keyof MessageRow)[];

/** `c.id, c.appId, …`: a select list of a table's alias. */
export function columnsOf(alias: string, columns: readonly string[]): string {
  return columns.map((column) => `${alias}.${column}`).join(', ');
}

/** Whether it is direct, and not somebody's notes to themself. */
export function isBetweenTwo({ kind, memberCount }: Pick<Head, 'kind' | 'memberCount'>): boolean {
  return kind === 'DIRECT' && memberCount === 2;
}

/** A head from its row. */
export function headOf(row: HeadRow): Head {
  return {
    id: row.id,
    appId: textOf(row.appId),
    kind: conversationKindOf(row.kind),
    title: row.title,
    createdBy: row.createdBy,
    createdAtMs: Number(row.createdAtMs),
    lastSeq: row.lastSeq,
    changeSeq: row.changeSeq,
    eventNo: row.eventNo,
    membersEventNo: row.membersEventNo,
    memberCount: row.memberCount,
    isLarge: row.isLarge,
    activityAtMs: Number(row.activityAtMs),
    movedAtMs: Number(row.movedAtMs),
  };
}

/** A member from their row. */
export function memberOf(row: MemberRow): Member {
  return {
    conversationId: row.conversationId,
    userId: row.userId,
    role: present(roles[row.role], 'a member of unknown role'),
    joinedAtMs: Number(row.joinedAtMs),
    joinedSeq: row.joinedSeq,
    joinedEventNo: row.joinedEventNo,
    readSeq: row.readSeq,
    isListed: row.isListed,
  };
}

/** A message from its row, as it is now. */
export function messageOf(row: MessageRow): Message {
  return {
    conversationId: row.conversationId,
    seq: row.seq,
    senderId: row.senderId,
    clientMessageId: row.clientMessageId === null ? null : textOf(row.clientMessageId),
    content:
      row.recalledAtMs === null
        ? contentOf(row.kind, row.content)
        : { kind: 'RECALLED', recalledBy: present(row.recalledBy, 'a recall by nobody') },
    createdAtMs: Number(row.createdAtMs),
    editedAtMs: row.editedAtMs === null ? null : Number(row.editedAtMs),
    recalledAtMs: row.recalledAtMs === null ? null : Number(row.recalledAtMs),
    changeSeq: row.changeSeq,
    replyToSeq: row.replyToSeq,
  };
}

/**
 * What `Message.content` holds: JSON text. Ids in it are decimal strings; of a recalled content
 * nothing is left.
 */
export function contentText(content: Content): string {
  switch (content.kind) {
    case 'TEXT':
      return JSON.stringify({ text: content.text });
    case 'CUSTOM':
      return JSON.stringify({ type: content.type, data: content.data });
    case 'RED_PACKET':
      return JSON.stringify({ redPacketId: String(content.redPacketId) });
    case 'SYSTEM':
      return JSON.stringify({
        event: content.event,
        actorId: String(content.actorId),
        userIds: content.userIds.map(String),
        title: content.title,
        role: content.role,
      });
    case 'RECALLED':
      return erasedText;
  }
}

/** `contentText` back, for a content that was not recalled. */
export function contentOf(kindCode: number, text: string): Exclude<Content, RecalledContent> {
  switch (kindCode) {
    case messageKindCodes.TEXT: {
      const { text: body } = JSON.parse(text) as { text: string };
      return { kind: 'TEXT', text: body };
    }
    case messageKindCodes.CUSTOM: {
      const { type, data } = JSON.parse(text) as { type: string; data: unknown };
      return { kind: 'CUSTOM', type, data };
    }
    case messageKindCodes.RED_PACKET: {
      const { redPacketId } = JSON.parse(text) as { redPacketId: string };
      return { kind: 'RED_PACKET', redPacketId: BigInt(redPacketId) };
    }
    case messageKindCodes.SYSTEM: {
      const stored = JSON.parse(text) as StoredSystemContent;
      return {
        kind: 'SYSTEM',
        event: stored.event,
        actorId: BigInt(stored.actorId),
        userIds: stored.userIds.map(BigInt),
        title: stored.title,
        role: stored.role,
      };
    }
    default:
      throw new Error(`a message of unknown kind ${kindCode}`);
  }
}

interface StoredSystemContent {
  readonly event: SystemEvent;
  readonly actorId: string;
  readonly userIds: readonly string[];
  readonly title: string | null;
  readonly role: Role | null;
}
