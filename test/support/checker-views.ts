import type { Report } from './checker.ts';
import type { Call, History, Shown, StoredConversation, StoredMember } from './history.ts';
import { ViewState, type ConversationView, type Removals } from './view-state.ts';

/** What each view showed: by itself, against the others, and in the end against what is stored. */
export function checkViews(history: History, found: Report): void {
  const { calls, views, store, forgotAtMs = [] } = history;
  const known = { removals: removalsOf(calls), forgotAtMs };
  const states = views.map((view) => new ViewState(view, known, found));
  for (const conversation of store.conversations) {
    checkOrder(conversation.id, states, found);
    for (const state of states) {
      const member = conversation.members.find(({ user }) => user === state.user);
      const view = state.conversations.get(conversation.id);
      if (member) checkEnd(member, conversation, view, found);
      else if (view?.isMember) {
        found('stale-view', `${state.user} was never told to be out of ${conversation.id}`);
      }
    }
  }
}

function removalsOf(calls: readonly Call[]): Removals {
  const asked = new Map<string, number[]>();
  for (const call of calls) {
    if (call.kind !== 'remove' || call.result === 'fail' || call.askedAtMs === undefined) continue;
    const name = `${call.conversation} ${call.subject}`;
    asked.set(name, [...(asked.get(name) ?? []), call.askedAtMs]);
  }
  return (conversation, user) => asked.get(`${conversation} ${user}`) ?? [];
}

/** All see the same message at a seq, and each change after the same message. */
function checkOrder(id: string, states: readonly ViewState[], found: Report): void {
  const messages = new Map<number, string>();
  const changes = new Map<number, number>();
  for (const { user, conversations } of states) {
    const view = conversations.get(id);
    if (!view) continue;
    for (const { seq, sender, key } of view.messages.values()) {
      const name = `${sender}/${key ?? 'system'}`;
      const other = messages.get(seq) ?? name;
      messages.set(seq, other);
      if (other !== name) found('inconsistent-offsets', `${id}/${seq}: ${other} and ${name}`);
    }
    for (const [changeSeq, seq] of view.changes) {
      const other = changes.get(changeSeq) ?? seq;
      changes.set(changeSeq, other);
      if (other === seq) continue;
      const detail = `change ${changeSeq} of ${id} after ${other} and, to ${user}, after ${seq}`;
      found('inconsistent-order', detail);
    }
  }
}

function checkEnd(
  { user, joinedSeq, readSeq }: StoredMember,
  conversation: StoredConversation,
  view: ConversationView | undefined,
  found: Report,
): void {
  const { id, lastSeq, members } = conversation;
  const visible = conversation.messages.filter(({ seq }) => seq >= joinedSeq);
  if (!view?.isMember) {
    if (visible.length > 0) found('unseen', `${user} was never told of ${id}`);
    return;
  }
  const unseen = visible.filter(({ seq }) => !view.messages.has(seq)).map(({ seq }) => seq);
  if (unseen.length > 0) found('unseen', `${user} never saw ${unseen.join(', ')} of ${id}`);
  for (const stored of visible) {
    const shown = view.messages.get(stored.seq);
    if (!shown || isSame(shown, stored)) continue;
    const detail = `${id}/${stored.seq} is ${JSON.stringify(stored)}`;
    found('stale-view', `${user} sees ${JSON.stringify(shown)}, but ${detail}`);
  }
  for (const { seq } of view.messages.values()) {
    if (seq > lastSeq) found('phantom', `${user} saw ${id}/${seq}, which is not stored`);
    if (seq < joinedSeq) found('leak', `${user} joined at ${joinedSeq} and saw ${id}/${seq}`);
  }
  for (const other of members) {
    const derived = Math.max(view.reads.get(other.user) ?? 0, other.joinedSeq - 1);
    // What others had read before is not told to one who joins later: they ask for it.
    const isOlder = other.readSeq < joinedSeq && derived <= other.readSeq;
    if (derived === other.readSeq || isOlder) continue;
    const detail = `${other.user} read ${other.readSeq} of ${id}, ${user} derives ${derived}`;
    found('read-mismatch', detail);
  }
  const own = Math.max(view.reads.get(user) ?? 0, joinedSeq - 1);
  const unread = Math.max(0, view.lastSeq - own);
  const storedUnread = Math.max(0, lastSeq - Math.max(readSeq, joinedSeq - 1));
  if (unread !== storedUnread) {
    found('unread-mismatch', `${user} derives ${unread} of ${id}, stored are ${storedUnread}`);
  }
}

function isSame(shown: Shown, stored: Shown): boolean {
  return (
    shown.sender === stored.sender &&
    shown.key === stored.key &&
    shown.text === stored.text &&
    shown.changeSeq === stored.changeSeq
  );
}
