import { expect, test } from 'vitest';
import type { CommittedRow, Message, OutboxItem } from '../../src/domain/timeline/timeline.ts';
import type { MemberList, MemberLists } from '../../src/realtime/outbox/member-lists.ts';
import { stretchesOf, tellingOf } from '../../src/realtime/outbox/row-stretches.ts';
import type { Shards } from '../../src/storage/shards.ts';

const conversationId = 1n;

function message(changeSeq: number): Message {
  return {
    conversationId,
    seq: 1,
    senderId: 5n,
    clientMessageId: 'one',
    content: { kind: 'TEXT', text: `as of ${changeSeq}` },
    createdAtMs: 0,
    editedAtMs: null,
    recalledAtMs: null,
    changeSeq,
    replyToSeq: null,
  };
}

function row(id: bigint, item: OutboxItem, messages: readonly Message[]): CommittedRow {
  const part = {
    conversationId,
    firstEventNo: Number(id),
    membersEventNo: 1,
    isLarge: false,
    lastSeq: 1,
    changeSeq: 1,
    items: [item],
  };
  return { shardIndex: 0, id, body: { parts: [part] }, createdAtMs: 0, messages };
}

/** Shards that hold the message as it is after its second change. */
const shards = {
  of: () => ({
    sql: {
      query: () =>
        Promise.resolve([
          {
            ...message(2),
            clientMessageId: null,
            kind: 0,
            content: '{"text":"as of 2"}',
            createdAtMs: 0n,
            recalledBy: null,
          },
        ]),
    },
  }),
} as never as Shards;

const list: MemberList = {
  membersEventNo: 1,
  memberCount: 1,
  isLarge: false,
  members: [{ userId: 7n, joinedSeq: 1, joinedEventNo: 1 }],
};
const memberLists = { get: () => Promise.resolve(list) } as never as MemberLists;

async function told(rows: readonly CommittedRow[]): Promise<number | undefined> {
  const stretches = await stretchesOf(rows, memberLists, () => true);
  const { messages } = await tellingOf(rows, stretches, shards, () => true);
  return messages.get('1 1')?.changeSeq;
}

const added = row(1n, { kind: 'added', firstSeq: 1, count: 1 }, [message(0)]);
const changed = (changeSeq: number): OutboxItem => ({ kind: 'changed', changeSeq, seq: 1 });

test('what the writer knew is told, as its last row had it', async () => {
  expect(await told([added])).toBe(0);
  expect(await told([added, row(2n, changed(1), [message(1)])])).toBe(1);
});

test('what another node changed is read: an older state is no state of that change', async () => {
  expect(await told([added, row(2n, changed(1), [])])).toBe(2);
  expect(await told([row(2n, changed(1), [])])).toBe(2);
});
