import { expect, test } from 'vitest';
import type { OutboxItem, OutboxPart } from '../../src/domain/timeline/timeline.ts';
import { addressPart, needsMembers } from '../../src/realtime/outbox/addressing.ts';
import { clip, unseen } from '../../src/realtime/inbox/append-job.ts';
import { happeningsOf } from '../../src/realtime/inbox/happenings.ts';
import { regimesAfter } from '../../src/realtime/conversation/regimes.ts';

const conversationId = 9n;
const all = (): boolean => true;
const old = { userId: 1n, joinedSeq: 1, joinedEventNo: 1 };
const newcomer = { userId: 2n, joinedSeq: 6, joinedEventNo: 12 };
const members = [old, newcomer];

function partOf(items: OutboxItem[], change: Partial<OutboxPart> = {}): OutboxPart {
  const counters = { firstEventNo: 10, membersEventNo: 12, lastSeq: 6, changeSeq: 1 };
  return { conversationId, ...counters, isLarge: false, items, ...change };
}

/** Who is told of what. */
function told(part: OutboxPart, isOurs: (userId: bigint) => boolean = all): string[] {
  const stretch = addressPart(part, members, isOurs, 0);
  return (stretch?.events ?? []).map(
    ({ event, eventNo, recipients }) =>
      `${eventNo} ${event.kind} ${recipients.map(({ userId }) => userId).join()}`,
  );
}

const changed = { kind: 'changed', changeSeq: 1, seq: 2 } as const;
const run = { kind: 'added', firstSeq: 4, count: 2 } as const;
const announced = { kind: 'conversation', userIds: [2n], toAll: true } as const;
const one = { kind: 'added', firstSeq: 6, count: 1 } as const;

test('members are told from their joining on', () => {
  expect(told(partOf([changed, run, announced, one]))).toEqual([
    '10 changed 1',
    '11 added 1,2',
    '13 conversation 1,2',
    '14 added 1,2',
  ]);
  // Of a run, what came since.
  const event = { kind: 'added', conversationId, firstSeq: 4, count: 4 } as const;
  expect(clip(event, newcomer)).toEqual({ ...event, firstSeq: 6, count: 2 });
  expect(clip({ ...event, count: 2 }, newcomer)).toBeNull();
  expect(clip({ kind: 'changed', conversationId, changeSeq: 1, seq: 5 }, newcomer)).toBeNull();
});

test('in large groups only those whom an item names are told, and all of the crossing', () => {
  const removed = { kind: 'removed', userIds: [3n] } as const;
  const items = [changed, run, announced, removed, one, { kind: 'advanced' } as const];
  const part = partOf(items, { isLarge: true });
  expect(told(part)).toEqual(['13 conversation 2', '14 removed 3', '16 advanced 1,2']);
  expect(needsMembers(part)).toBe(true);
  expect(needsMembers(partOf([run, announced], { isLarge: true }))).toBe(false);
});

test('a shard on which nobody is told is not visited', () => {
  expect(addressPart(partOf([run]), members, (id) => id > 2n, 0)).toBeNull();
  expect(told(partOf([run]), (id) => id === 2n)).toEqual(['10 added 2']);
});

test('what was appended before is passed over, of a run its beginning', () => {
  const event = { kind: 'added', conversationId, firstSeq: 4, count: 3 } as const;
  expect(unseen(event, 10, 10)).toEqual(event);
  expect(unseen(event, 10, 12)).toEqual({ ...event, firstSeq: 6, count: 1 });
  expect(unseen(event, 10, 13)).toBeNull();
  expect(unseen({ kind: 'removed', conversationId }, 10, 11)).toBeNull();
});

test('of several rows the last regime counts, and the crossing’s own counters', () => {
  const rows = [
    partOf([one, { kind: 'advanced' }]),
    partOf([run], { isLarge: true, lastSeq: 8 }),
  ].map((part, index) => ({
    shardIndex: 0,
    id: BigInt(index),
    body: { parts: [part] },
    createdAtMs: 0,
    messages: [],
  }));
  const tell = happeningsOf({ messages: new Map(), regimes: regimesAfter(rows) });
  const crossing = tell({ event: { kind: 'advanced', conversationId }, lastOffset: 3n, atMs: 0 });
  expect(crossing.map(({ happening }) => happening)).toEqual([
    { kind: 'ConversationAdvanced', conversationId, lastSeq: 6, changeSeq: 1, isLarge: true },
  ]);
  const alone = happeningsOf({ messages: new Map(), regimes: regimesAfter(rows.slice(0, 1)) });
  const said = alone({ event: { kind: 'advanced', conversationId }, lastOffset: 3n, atMs: 0 });
  expect(said[0]?.happening).toMatchObject({ isLarge: true });
});
