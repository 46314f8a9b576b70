import { Fault } from '../../../lib/fault.ts';
import type { Member } from '../model.ts';
import type { ConversationState } from '../state.ts';

/** Unknown and forbidden look the same. */
export function notFound(what: string): Fault {
  return new Fault('NOT_FOUND', `There is no such ${what}.`);
}

/** @throws {Fault} NOT_FOUND for whom the conversation does not exist. */
export function memberOrFault(state: ConversationState, userId: bigint): Member {
  const member = state.membership(userId);
  if (!member?.isListed) throw notFound('conversation');
  return member;
}

/** @throws {Fault} FAILED_PRECONDITION: a direct conversation has no title and no members to manage. */
export function mustBeGroup(state: ConversationState): void {
  if (state.head.kind !== 'GROUP') {
    throw new Fault('FAILED_PRECONDITION', 'A direct conversation cannot be changed.');
  }
}

export function mayManage(member: Member): boolean {
  return member.role === 'OWNER' || member.role === 'ADMIN';
}

export function forbidden(message: string): Fault {
  return new Fault('FORBIDDEN', message);
}

/** Posts that something happened to the conversation. */
export function postSystem(
  state: ConversationState,
  event: 'CREATED' | 'JOINED' | 'LEFT' | 'REMOVED' | 'RENAMED' | 'ROLE_CHANGED',
  actorId: bigint,
  details: {
    userIds?: readonly bigint[];
    title?: string | null;
    role?: Member['role'];
  } = {},
): void {
  state.append({
    senderId: null,
    clientMessageId: null,
    payloadHash: null,
    replyToSeq: null,
    content: {
      kind: 'SYSTEM',
      event,
      actorId,
      userIds: details.userIds ?? [],
      title: details.title ?? null,
      role: details.role ?? null,
    },
  });
}
