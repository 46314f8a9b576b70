import type { Message } from './model.ts';
import { contentOf, contentText, messageKindCodes } from './rows.ts';

/** What stands in the place of a message, in this order. */
type Fields = readonly [
  conversationId: string,
  seq: number,
  senderId: string | null,
  clientMessageId: string | null,
  kind: number,
  content: string,
  createdAtMs: number,
  editedAtMs: number | null,
  recalledAtMs: number | null,
  recalledBy: string | null,
  changeSeq: number,
  replyToSeq: number | null,
];

const recalledKind = -1;

/** A message as JSON text without line breaks, for other nodes. */
export function encodeMessage(message: Message): string {
  const { content } = message;
  const isRecalled = content.kind === 'RECALLED';
  const fields: Fields = [
    String(message.conversationId),
    message.seq,
    message.senderId === null ? null : String(message.senderId),
    message.clientMessageId,
    isRecalled ? recalledKind : messageKindCodes[content.kind],
    contentText(content),
    message.createdAtMs,
    message.editedAtMs,
    message.recalledAtMs,
    isRecalled ? String(content.recalledBy) : null,
    message.changeSeq,
    message.replyToSeq,
  ];
  return JSON.stringify(fields);
}

/** What `encodeMessage` wrote, after `JSON.parse`. */
export function decodeMessage(fields: unknown): Message {
  const [
    conversationId,
    seq,
    senderId,
    clientMessageId,
    kind,
    content,
    createdAtMs,
    editedAtMs,
    recalledAtMs,
    recalledBy,
    changeSeq,
    replyToSeq,
  ] = fields as Fields;
  return {
    conversationId: BigInt(conversationId),
    seq,
    senderId: senderId === null ? null : BigInt(senderId),
    clientMessageId,
    content:
      kind === recalledKind
        ? { kind: 'RECALLED', recalledBy: BigInt(recalledBy ?? 0) }
        : contentOf(kind, content),
    createdAtMs,
    editedAtMs,
    recalledAtMs,
    changeSeq,
    replyToSeq,
  };
}
