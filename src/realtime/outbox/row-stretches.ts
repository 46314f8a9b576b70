import type { CommittedRow, Message } from '../../domain/timeline/timeline.ts';
import type { Shards } from '../../storage/shards.ts';
import { addressPart, needsMembers, type IsOurs } from './addressing.ts';
import type { Stretch, Telling } from '../inbox/append-job.ts';
import { keysOf } from '../inbox/happenings.ts';
import type { LogEvent } from '../inbox/log-entry.ts';
import type { MemberLists } from './member-lists.ts';
import { regimesAfter } from '../conversation/regimes.ts';
import { messageKey, readMessages } from '../inbox/timeline-reads.ts';

/** What rows of the outbox are for the logs of some users, in the rows' order. */
export async function stretchesOf(
  rows: readonly CommittedRow[],
  memberLists: MemberLists,
  isOurs: IsOurs,
): Promise<Stretch[]> {
  const stretches: Stretch[] = [];
  for (const { body, createdAtMs } of rows) {
    for (const part of body.parts) {
      const members = needsMembers(part)
        ? (await memberLists.get(part.conversationId, part.membersEventNo)).members
        : [];
      const stretch = addressPart(part, members, isOurs, createdAtMs);
      if (stretch) stretches.push(stretch);
    }
  }
  return stretches;
}

/**
 * What the events of some rows tell: as the writer committed it, else as the timelines have it.
 * @param isHeard whether anybody would be told what this user's log gets.
 */
export async function tellingOf(
  rows: readonly CommittedRow[],
  stretches: readonly Stretch[],
  shards: Shards,
  isHeard: (userId: bigint) => boolean,
): Promise<Telling> {
  const messages = new Map<string, Message>(
    rows.flatMap((row) => row.messages.map((message) => [messageKey(message), message] as const)),
  );
  const heard = stretches
    .flatMap(({ events }) => events)
    .filter(({ recipients }) => recipients.some(({ userId }) => isHeard(userId)));
  const events = heard.map(({ event }) => event);
  const changeSeqs = newestChanges(events);
  const missing = keysOf(events).filter((key) => {
    const name = messageKey(key);
    const known = messages.get(name);
    // A row of another node, of which only the change is known here, may have changed what this node has written.
    return !known || known.changeSeq < (changeSeqs.get(name) ?? 0);
  });
  const read = missing.length > 0 ? await readMessages(shards, missing) : [];
  for (const [key, message] of read) messages.set(key, message);
  return { messages, regimes: regimesAfter(rows) };
}

/** Of the messages that some events say are changed, the last change. */
function newestChanges(events: readonly LogEvent[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'changed') continue;
    const name = messageKey(event);
    newest.set(name, Math.max(newest.get(name) ?? 0, event.changeSeq));
  }
  return newest;
}
