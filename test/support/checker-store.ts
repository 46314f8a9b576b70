import type { Report } from './checker.ts';
import type { History, StoredConversation, StoredLog, StoredMember } from './history.ts';

/** What is stored, against itself. */
export function checkStore({ store, forgotAtMs = [] }: History, found: Report): void {
  // A log that began anew holds only what came since.
  const wholeness = forgotAtMs.length > 0 ? { isWhole: false } : {};
  const logs = new Map(store.logs.map((log) => [log.user, { ...log, ...wholeness }]));
  for (const conversation of store.conversations) {
    checkTimeline(conversation, found);
    for (const member of conversation.members) {
      const { user, joinedSeq, readSeq, unreadCount } = member;
      const unread = Math.max(0, conversation.lastSeq - Math.max(readSeq, joinedSeq - 1));
      if (unreadCount !== null && unreadCount !== unread) {
        const detail = `${user} in ${conversation.id}: answered ${unreadCount}, derived ${unread}`;
        found('unread-mismatch', detail);
      }
      checkLog(member, conversation, logs.get(user), found);
    }
  }
  if (store.undoneOutboxRows > 0) found('outbox-left', `${store.undoneOutboxRows} rows`);
  if (store.untoldReads > 0) found('outbox-left', `${store.untoldReads} untold reads`);
}

function checkTimeline({ id, lastSeq, messages }: StoredConversation, found: Report): void {
  const keys = new Map<string, number>();
  let expected = 1;
  for (const { seq, sender, key } of messages) {
    if (seq !== expected) found('seq-gap', `${id}: ${expected} is missing before ${seq}`);
    expected = seq + 1;
    if (key === null) continue;
    const first = keys.get(`${sender} ${key}`);
    if (first !== undefined) found('duplicate', `${id}: ${sender}/${key} at ${first} and ${seq}`);
    keys.set(`${sender} ${key}`, seq);
  }
  if (expected - 1 !== lastSeq)
    found('seq-gap', `${id}: lastSeq ${lastSeq}, stored ${expected - 1}`);
}

/** From where a log begins it has every message that its user may see, once. */
function checkLog(
  { user, joinedSeq }: StoredMember,
  { id, lastSeq }: StoredConversation,
  log: StoredLog | undefined,
  found: Report,
): void {
  if (!log) {
    found('log-mismatch', `${user} has no log`);
    return;
  }
  const runs = log.runs.filter((run) => run.conversation === id && run.firstSeq >= joinedSeq);
  // Where the beginning is trimmed, all of a quiet conversation may be.
  if (!log.isWhole && runs.length === 0) return;
  let next = log.isWhole ? joinedSeq : (runs[0]?.firstSeq ?? joinedSeq);
  for (const { firstSeq, count } of runs) {
    if (firstSeq !== next) {
      found('log-mismatch', `${user}'s log of ${id} has ${firstSeq} where ${next} belongs`);
    }
    next = firstSeq + count;
  }
  if (next - 1 !== lastSeq) {
    found('log-mismatch', `${user}'s log of ${id} ends at ${next - 1}, its timeline at ${lastSeq}`);
  }
}
