import { Fault } from '../../../lib/fault.ts';
import type { CreateGroup, OpenDirect } from '../draft.ts';
import type { Kind } from '../kind.ts';
import { groupHash, sameBytes } from '../payload.ts';
import { memberOrFault, postSystem } from './rights.ts';

export const openDirect: Kind<OpenDirect> = {
  needs: ({ actorId, peerId }) => ({ userIds: [actorId, peerId] }),
  decide({ actorId, peerId }, state) {
    if (state.isNew && !state.isTouched) {
      state.join(actorId, 'MEMBER', { isListed: true, joinedSeq: 1 });
      if (peerId !== actorId) state.join(peerId, 'MEMBER', { isListed: false, joinedSeq: 1 });
      state.announce([actorId], false);
    } else {
      const member = state.membership(actorId);
      if (member && !member.isListed) {
        state.list(member);
        state.announce([actorId], false);
      }
    }
    return { conversationId: state.head.id };
  },
};

export const createGroup: Kind<CreateGroup> = {
  needs: ({ actorId }) => ({ userIds: [actorId] }),
  decide(draft, state, rules) {
    const conversationId = state.head.id;
    if (!state.isNew || state.isTouched) {
      memberOrFault(state, draft.actorId);
      if (!sameBytes(state.originHash, groupHash(draft))) {
        throw new Fault('IDEMPOTENCY_CONFLICT', 'This clientRequestId created another group.');
      }
      return { conversationId };
    }
    if (draft.memberIds.length >= rules.groupMembersMax) {
      throw new Fault('FAILED_PRECONDITION', 'The group has too many members.');
    }
    state.join(draft.actorId, 'OWNER', { isListed: true, joinedSeq: 1 });
    for (const userId of draft.memberIds) {
      state.join(userId, 'MEMBER', { isListed: true, joinedSeq: 1 });
    }
    state.announce([draft.actorId, ...draft.memberIds]);
    postSystem(state, 'CREATED', draft.actorId, { userIds: draft.memberIds, title: draft.title });
    return { conversationId };
  },
};
