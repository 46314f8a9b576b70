import { expect, test } from 'vitest';
import {
  entryColumns,
  entryOf,
  entryValues,
  type EntryRow,
  type LogEvent,
} from '../../src/realtime/inbox/log-entry.ts';

const conversationId = 9n;
const events: readonly LogEvent[] = [
  { kind: 'added', conversationId, firstSeq: 4, count: 1 },
  { kind: 'added', conversationId, firstSeq: 4, count: 3 },
  { kind: 'changed', conversationId, changeSeq: 2, seq: 4 },
  { kind: 'read', conversationId, userId: 8n, readSeq: 4 },
  { kind: 'conversation', conversationId },
  { kind: 'removed', conversationId },
  { kind: 'advanced', conversationId },
  { kind: 'wallet', userId: 7n, entryNo: 5 },
];

/** As a database gives back what it was given. */
function rowOf(values: readonly unknown[]): EntryRow {
  const named = entryColumns.map((column, at) => [column, values[at]]);
  return Object.fromEntries(named) as EntryRow;
}

test('an entry is read as it was written', () => {
  for (const event of events) {
    const entry = { event, lastOffset: 12n, atMs: 1_000 };
    expect(entryOf(rowOf(entryValues(7n, entry)))).toEqual(entry);
  }
});

test('one message names neither its count nor its kind, and is read where it does, as it once did', () => {
  const event = { kind: 'added', conversationId, firstSeq: 4, count: 1 } as const;
  const entry = { event, lastOffset: 12n, atMs: 1_000 };
  const row = rowOf(entryValues(7n, entry));
  expect(row).toMatchObject({ count: null, kind: null, seq: null, subjectId: null });
  expect(entryOf({ ...row, count: 1, kind: 0 })).toEqual(entry);
});
