import { Fault } from '../../../lib/fault.ts';
import type { Edit, Recall, Send } from '../draft.ts';
import type { Kind } from '../kind.ts';
import type { DraftContent, Member, Message } from '../model.ts';
import { sameBytes, sameContent, sendHash } from '../payload.ts';
import type { ConversationState } from '../state.ts';
import { forbidden, memberOrFault, notFound } from './rights.ts';

/** @throws {Fault} IDEMPOTENCY_CONFLICT where the key was used for another payload. */
export function asDuplicate(
  draft: Send,
  original: { message: Message; payloadHash: Uint8Array | null },
): { message: Message; isDuplicate: true } {
  if (!sameBytes(original.payloadHash, sendHash(draft))) {
    throw new Fault('IDEMPOTENCY_CONFLICT', 'This clientMessageId was used for another message.');
  }
  return { message: original.message, isDuplicate: true };
}

export const send: Kind<Send> = {
  needs: ({ actorId }) => ({ userIds: [actorId] }),
  decide(draft, state) {
    const member = memberOrFault(state, draft.actorId);
    const twin = state.sent(draft.actorId, draft.clientMessageId);
    if (twin) return asDuplicate(draft, twin);
    const { replyToSeq } = draft;
    if (replyToSeq !== null && !isVisible(replyToSeq, member, state)) throw notFound('message');
    listTheOthers(state);
    const message = state.append({
      senderId: draft.actorId,
      clientMessageId: draft.clientMessageId,
      payloadHash: sendHash(draft),
      content: draft.content,
      replyToSeq,
    });
    return { message, isDuplicate: false };
  },
};

/** A first message makes a direct conversation exist for the other side. */
export function listTheOthers(state: ConversationState): void {
  if (state.head.kind !== 'DIRECT' || state.head.lastSeq > 0) return;
  const unlisted = state.loadedMembers.filter((member) => !member.isListed);
  for (const member of unlisted) state.list(member);
  if (unlisted.length > 0)
    state.announce(
      unlisted.map((member) => member.userId),
      false,
    );
}

export const edit: Kind<Edit> = {
  needs: ({ actorId, seq }) => ({ userIds: [actorId], message: { seq, author: false } }),
  decide(draft, state, rules) {
    const message = visibleMessage(draft, state);
    mustBeChangeable(message);
    if (message.senderId !== draft.actorId) throw forbidden('Only its sender edits a message.');
    const present = message.content;
    if (present.kind !== 'TEXT' && present.kind !== 'CUSTOM') {
      throw new Fault('FAILED_PRECONDITION', 'A recalled message cannot be edited.');
    }
    if (!isSameKind(present, draft.content)) {
      throw new Fault('INVALID_ARGUMENT', 'An edit keeps the kind and the type of the content.');
    }
    if (sameContent(present, draft.content)) return { message };
    if (state.nowMs - message.createdAtMs > rules.editWindowMs) {
      throw new Fault('FAILED_PRECONDITION', 'The time for editing this message is over.');
    }
    return {
      message: state.change({ ...message, content: draft.content, editedAtMs: state.nowMs }),
    };
  },
};

export const recall: Kind<Recall> = {
  needs: ({ actorId, seq }) => ({ userIds: [actorId], message: { seq, author: true } }),
  decide(draft, state, rules) {
    const message = visibleMessage(draft, state);
    mustBeChangeable(message);
    const actor = memberOrFault(state, draft.actorId);
    const isOwn = message.senderId === draft.actorId;
    const isModerator = mayRecallAnytime(message, actor, state);
    if (!isOwn && !isModerator)
      throw forbidden('Only its sender or a moderator recalls a message.');
    if (message.content.kind === 'RECALLED') return { message };
    if (!isModerator && state.nowMs - message.createdAtMs > rules.recallWindowMs) {
      throw new Fault('FAILED_PRECONDITION', 'The time for recalling this message is over.');
    }
    const content = { kind: 'RECALLED', recalledBy: draft.actorId } as const;
    return { message: state.change({ ...message, content, recalledAtMs: state.nowMs }) };
  },
};

/** The owner any message, an admin their own and those of plain members, of the gone ones too. */
function mayRecallAnytime(message: Message, actor: Member, state: ConversationState): boolean {
  if (state.head.kind !== 'GROUP') return false;
  if (actor.role === 'OWNER') return true;
  if (actor.role !== 'ADMIN' || message.senderId === null) return false;
  const author = state.membership(message.senderId);
  return author === null || author.role === 'MEMBER' || author.userId === actor.userId;
}

function isVisible(seq: number, member: Member, state: ConversationState): boolean {
  return seq >= member.joinedSeq && seq <= state.head.lastSeq;
}

function visibleMessage(draft: Edit | Recall, state: ConversationState): Message {
  const member = memberOrFault(state, draft.actorId);
  const message = isVisible(draft.seq, member, state) ? state.message(draft.seq) : null;
  if (!message) throw notFound('message');
  return message;
}

function mustBeChangeable({ content }: Message): void {
  if (content.kind === 'SYSTEM') {
    throw new Fault('FAILED_PRECONDITION', 'A system message cannot be changed.');
  }
  if (content.kind === 'RED_PACKET') {
    throw new Fault('FAILED_PRECONDITION', 'A red packet cannot be changed.');
  }
}

function isSameKind(present: DraftContent, next: DraftContent): boolean {
  if (present.kind === 'TEXT') return next.kind === 'TEXT';
  return next.kind === 'CUSTOM' && next.type === present.type;
}
