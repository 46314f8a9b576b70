import { Fault } from '../../../lib/fault.ts';
import type { PostRedPacket, Results, TellRedPacket } from '../draft.ts';
import type { Kind } from '../kind.ts';
import { isBetweenTwo } from '../rows.ts';
import type { ConversationState } from '../state.ts';
import { listTheOthers } from './messages.ts';
import { memberOrFault, notFound } from './rights.ts';

export const postRedPacket: Kind<PostRedPacket> = {
  needs: ({ actorId, clientMessageId, redPacketId, recipientId }) => ({
    userIds: recipientId === null ? [actorId] : [actorId, recipientId],
    redPacket: { id: redPacketId, senderId: actorId, clientMessageId },
  }),
  decide(draft, state) {
    const decided = decidedBefore(draft, state);
    if (decided) return decided;
    try {
      return post(draft, state);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // The money is on its way back by the same commit: nobody can accept it any more.
      state.refusedRedPackets.set(draft.redPacketId, error);
      state.beside.push(...draft.refused(error, state.nowMs));
      return { kind: 'refused', fault: error, isDuplicate: false };
    }
  },
};

type Posted = Results['postRedPacket'];

function decidedBefore(draft: PostRedPacket, state: ConversationState): Posted | null {
  const refusal = state.refusedRedPackets.get(draft.redPacketId);
  if (refusal) return { kind: 'refused', fault: refusal, isDuplicate: true };
  const message = state.sent(draft.actorId, draft.clientMessageId)?.message;
  const isPosted =
    message?.content.kind === 'RED_PACKET' && message.content.redPacketId === draft.redPacketId;
  return isPosted ? { kind: 'accepted', message, isDuplicate: true } : null;
}

/** @throws {Fault} where the conversation refuses. */
function post(draft: PostRedPacket, state: ConversationState): Posted {
  const { actorId, clientMessageId, payloadHash, redPacketId, recipientId } = draft;
  memberOrFault(state, actorId);
  if (state.sent(actorId, clientMessageId)) {
    throw new Fault('IDEMPOTENCY_CONFLICT', 'This clientMessageId was used for another message.');
  }
  if (recipientId !== null && !state.membership(recipientId)) throw notFound('member');
  listTheOthers(state);
  const message = state.append({
    senderId: actorId,
    clientMessageId,
    payloadHash,
    content: { kind: 'RED_PACKET', redPacketId },
    replyToSeq: null,
  });
  const { seq, createdAtMs } = message;
  const accepted = { seq, createdAtMs, isBetweenTwo: isBetweenTwo(state.head) };
  state.beside.push(...draft.accepted(accepted));
  return { kind: 'accepted', message, isDuplicate: false };
}

export const tellRedPacket: Kind<TellRedPacket> = {
  needs: ({ seq }) => ({ userIds: [], message: { seq, author: false } }),
  decide({ seq, redPacketId, beside }, state) {
    state.beside.push(...beside);
    const message = state.message(seq);
    const isIts =
      message?.content.kind === 'RED_PACKET' && message.content.redPacketId === redPacketId;
    return { message: isIts ? state.change(message) : null };
  },
};
