import type { Report } from './checker.ts';
import type { Call, History, Shown, StoredConversation } from './history.ts';

type Send = Extract<Call, { kind: 'send' }>;

/** What was answered, against what is stored. */
export function checkCalls({ calls, store }: History, found: Report): void {
  const conversations = new Map(store.conversations.map((stored) => [stored.id, stored]));
  checkSends(calls, store.conversations, found);
  const readBefore = new Map<string, number>();
  for (const call of calls) {
    if (call.result !== 'ok') continue;
    if (call.kind === 'intrude') {
      const what = `${call.what} of ${call.conversation}`;
      found('leak', `${call.user} had been removed: ${what}`);
    }
    const stored = conversations.get(call.conversation);
    if (call.kind === 'edit' || call.kind === 'recall') checkChange(call, stored, found);
    if (call.kind === 'read') checkRead(call, stored, readBefore, found);
  }
}

function checkSends(
  calls: readonly Call[],
  conversations: readonly StoredConversation[],
  found: Report,
): void {
  const attempts = new Map<string, Send[]>();
  const lastSeqs = new Map<string, { seq: number; key: string }>();
  for (const call of calls) {
    if (call.kind !== 'send') continue;
    const name = sendName(call.conversation, call.user, call.key);
    attempts.set(name, [...(attempts.get(name) ?? []), call]);
    if (call.result !== 'ok' || call.seq === null) continue;
    // One client has one send under way in a conversation: the next begins after the answer to the last.
    const of = `${call.conversation} ${call.user}`;
    const last = lastSeqs.get(of);
    if (last && last.key !== call.key && last.seq >= call.seq) {
      found('nonmonotonic-send', `${name} got ${call.seq} after ${last.key} got ${last.seq}`);
    }
    lastSeqs.set(of, { seq: call.seq, key: call.key });
  }
  const stored = new Map<string, Shown>();
  for (const { id, messages } of conversations) {
    for (const message of messages) {
      if (message.key !== null) stored.set(sendName(id, message.sender, message.key), message);
    }
  }
  for (const [name, sends] of attempts) checkSend(name, sends, stored.get(name), found);
  for (const [name, message] of stored) {
    if (!attempts.has(name)) found('phantom', `nobody sent ${name}, stored at ${message.seq}`);
  }
}

function checkSend(
  name: string,
  sends: readonly Send[],
  stored: Shown | undefined,
  found: Report,
): void {
  const seqs = new Set(sends.flatMap(({ result, seq }) => (result === 'ok' ? [seq] : [])));
  if (seqs.size > 1) found('inconsistent-offsets', `${name} was answered ${[...seqs].join(', ')}`);
  for (const seq of seqs) {
    if (stored?.seq === seq) continue;
    const what = stored ? `is stored at ${stored.seq}` : 'is not stored';
    found('lost-write', `${name} was acknowledged at ${seq} and ${what}`);
  }
  const isRefused = sends.every(({ result }) => result === 'fail');
  if (stored && isRefused) found('aborted-read', `${name} was refused and is at ${stored.seq}`);
  const text = sends[0]?.text;
  if (stored && stored.changeSeq === 0 && stored.text !== text) {
    found('phantom', `${name} is stored as ${stored.text} and was sent as ${text}`);
  }
}

function checkChange(
  call: Extract<Call, { kind: 'edit' | 'recall' }>,
  conversation: StoredConversation | undefined,
  found: Report,
): void {
  const stored = conversation?.messages.find(({ seq }) => seq === call.seq);
  const name = `${call.kind} of ${call.conversation}/${call.seq} as change ${call.changeSeq}`;
  const isKept = stored && stored.changeSeq >= (call.changeSeq ?? 0);
  const isSame = stored?.changeSeq !== call.changeSeq || stored.text === call.text;
  const isUndone = call.kind === 'recall' && stored?.text !== null;
  if (!isKept || !isSame || isUndone) {
    found('lost-change', `${name}: stored is ${JSON.stringify(stored)}`);
  }
}

function checkRead(
  call: Extract<Call, { kind: 'read' }>,
  conversation: StoredConversation | undefined,
  before: Map<string, number>,
  found: Report,
): void {
  const name = `${call.user} in ${call.conversation}`;
  const readSeq = call.readSeq ?? 0;
  const last = before.get(name) ?? 0;
  if (readSeq < last) found('nonmonotonic-read', `${name} was answered ${readSeq} after ${last}`);
  before.set(name, readSeq);
  const member = conversation?.members.find(({ user }) => user === call.user);
  if (member && member.readSeq < readSeq) {
    found('lost-read', `${name} was answered ${readSeq}, stored is ${member.readSeq}`);
  }
}

function sendName(conversation: string, user: string, key: string): string {
  return `${conversation}/${user}/${key}`;
}
