import { eventCount } from '../../domain/timeline/timeline.ts';
import type { OutboxItem, OutboxPart } from '../../domain/timeline/timeline.ts';
import type { Addressed, Recipient, Stretch } from '../inbox/append-job.ts';
import type { LogEvent } from '../inbox/log-entry.ts';
import type { ListedMember } from './member-lists.ts';

/** Whom a job is for: the users of one shard. */
export type IsOurs = (userId: bigint) => boolean;

/** Whether a part's events concern anybody but those whom its items name. */
export function needsMembers(part: OutboxPart): boolean {
  return part.items.some((item) =>
    item.kind === 'conversation' ? item.toAll && !part.isLarge : isToAll(item, part),
  );
}

/**
 * What of a part goes to the logs of some users: the members at present, each from their joining on, and those whom an item
 * names. Null where that is nobody: their shard need not be visited.
 * @param members may be empty where `needsMembers` says no.
 */
export function addressPart(
  part: OutboxPart,
  members: readonly ListedMember[],
  isOurs: IsOurs,
  atMs: number,
): Stretch | null {
  const ours = members.filter(({ userId }) => isOurs(userId));
  const events: Addressed[] = [];
  let eventNo = part.firstEventNo;
  for (const item of part.items) {
    const recipients = recipientsOf(item, part, ours, eventNo, isOurs);
    if (recipients.length > 0) {
      events.push({ eventNo, event: eventOf(item, part.conversationId), recipients });
    }
    eventNo += eventCount(item);
  }
  if (events.length === 0) return null;
  return {
    conversationId: part.conversationId,
    firstEventNo: part.firstEventNo,
    nextEventNo: eventNo,
    membersEventNo: part.membersEventNo,
    atMs,
    events,
  };
}

function isToAll(item: OutboxItem, part: OutboxPart): boolean {
  if (item.kind === 'advanced') return true;
  return (item.kind === 'added' || item.kind === 'changed') && !part.isLarge;
}

function recipientsOf(
  item: OutboxItem,
  part: OutboxPart,
  members: readonly ListedMember[],
  eventNo: number,
  isOurs: IsOurs,
): readonly Recipient[] {
  switch (item.kind) {
    case 'removed':
      return item.userIds.filter(isOurs).map((userId) => ({ userId, joinedSeq: 0 }));
    case 'conversation': {
      const named = item.userIds.filter(isOurs).map((userId) => ({ userId, joinedSeq: 0 }));
      if (part.isLarge || !item.toAll) return named;
      return members.filter((member) => member.joinedEventNo <= eventNo);
    }
    case 'added':
      // A run is clipped by joinedSeq, which is finer.
      return part.isLarge ? [] : members;
    case 'changed':
      return part.isLarge ? [] : members.filter((member) => member.joinedEventNo <= eventNo);
    case 'advanced':
      return members.filter((member) => member.joinedEventNo <= eventNo);
  }
}

function eventOf(item: OutboxItem, conversationId: bigint): LogEvent {
  switch (item.kind) {
    case 'added':
      return { kind: 'added', conversationId, firstSeq: item.firstSeq, count: item.count };
    case 'changed':
      return { kind: 'changed', conversationId, changeSeq: item.changeSeq, seq: item.seq };
    case 'conversation':
    case 'removed':
    case 'advanced':
      return { kind: item.kind, conversationId };
  }
}
