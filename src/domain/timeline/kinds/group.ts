import { Fault } from '../../../lib/fault.ts';
import type { AddMembers, Leave, RemoveMember, Rename, SetRole } from '../draft.ts';
import type { Kind } from '../kind.ts';
import {
  forbidden,
  mayManage,
  memberOrFault,
  mustBeGroup,
  notFound,
  postSystem,
} from './rights.ts';

export const rename: Kind<Rename> = {
  needs: ({ actorId }) => ({ userIds: [actorId] }),
  decide({ actorId, title }, state) {
    const actor = memberOrFault(state, actorId);
    mustBeGroup(state);
    if (!mayManage(actor)) throw forbidden('Only the owner and admins rename a group.');
    if (title !== state.head.title) {
      state.rename(title);
      state.announce([]);
      postSystem(state, 'RENAMED', actorId, { title });
    }
    return { conversationId: state.head.id };
  },
};

export const addMembers: Kind<AddMembers> = {
  needs: ({ actorId, userIds }) => ({ userIds: [actorId, ...userIds] }),
  decide({ actorId, userIds }, state, rules) {
    memberOrFault(state, actorId);
    mustBeGroup(state);
    const newcomers = userIds.filter((userId) => state.membership(userId) === null);
    if (state.head.memberCount + newcomers.length > rules.groupMembersMax) {
      throw new Fault('FAILED_PRECONDITION', 'The group has too many members.');
    }
    if (newcomers.length > 0) {
      const joinedSeq = state.head.lastSeq + 1;
      for (const userId of newcomers) state.join(userId, 'MEMBER', { isListed: true, joinedSeq });
      state.announce(newcomers);
      postSystem(state, 'JOINED', actorId, { userIds: newcomers });
    }
    return { conversationId: state.head.id };
  },
};

export const removeMember: Kind<RemoveMember> = {
  needs: ({ actorId, userId }) => ({ userIds: [actorId, userId] }),
  decide({ actorId, userId }, state) {
    const actor = memberOrFault(state, actorId);
    const target = state.membership(userId);
    if (!target) throw notFound('member');
    mustBeGroup(state);
    const isAllowed =
      actor.role === 'OWNER' || (actor.role === 'ADMIN' && target.role === 'MEMBER');
    if (!isAllowed)
      throw forbidden('Only the owner, and admins for plain members, remove members.');
    state.remove(userId);
    state.announce([]);
    postSystem(state, 'REMOVED', actorId, { userIds: [userId] });
    return { conversationId: state.head.id };
  },
};

export const leave: Kind<Leave> = {
  needs: ({ actorId }) => ({ userIds: [actorId], heirOf: actorId }),
  decide({ actorId }, state) {
    const actor = memberOrFault(state, actorId);
    mustBeGroup(state);
    const heirId = actor.role === 'OWNER' ? state.heirId : null;
    const heir = heirId === null ? null : state.membership(heirId);
    state.remove(actorId);
    if (heir) state.setRole(heir, 'OWNER');
    state.announce(heir ? [heir.userId] : []);
    postSystem(state, 'LEFT', actorId, { userIds: [actorId] });
    if (heir) postSystem(state, 'ROLE_CHANGED', actorId, { userIds: [heir.userId], role: 'OWNER' });
    return { conversationId: state.head.id };
  },
};

export const setRole: Kind<SetRole> = {
  needs: ({ actorId, userId }) => ({ userIds: [actorId, userId] }),
  decide({ actorId, userId, role }, state) {
    const actor = memberOrFault(state, actorId);
    const target = state.membership(userId);
    if (!target) throw notFound('member');
    mustBeGroup(state);
    if (actor.role !== 'OWNER') throw forbidden('Only the owner gives roles.');
    if (target.role === role) return { member: target };
    if (target.role === 'OWNER') {
      throw new Fault('FAILED_PRECONDITION', 'The owner hands the group over by naming another.');
    }
    const member = state.setRole(target, role);
    if (role === 'OWNER') state.setRole(actor, 'ADMIN');
    state.announce(role === 'OWNER' ? [userId, actorId] : [userId]);
    postSystem(state, 'ROLE_CHANGED', actorId, { userIds: [userId], role });
    return { member };
  },
};
