import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/domain/inbox/inbox.ts';
import { reachesBack } from '../../src/realtime/inbox/inbox-log.ts';

const cursor = { userId: 5n, epoch: (1n << 63n) - 1n, offset: 12n, atMs: 1_795_000_000_000 };

test('reads what it wrote', () => {
  expect(decodeCursor(encodeCursor(cursor), 5n)).toEqual(cursor);
  const amid = { ...cursor, told: { conversationId: (1n << 62n) + 3n, atMs: cursor.atMs + 7 } };
  expect(decodeCursor(encodeCursor(amid), 5n)).toEqual(amid);
});

test.each([
  ['empty', ''],
  ['a digit more', `${encodeCursor(cursor)}A`],
  ['a digit less', encodeCursor(cursor).slice(0, -1)],
  ['padded', `${encodeCursor(cursor)}=`],
  ['of another alphabet', encodeCursor(cursor).replace(/^./, '+')],
  ['of another version', encodeCursor(cursor).replace(/^A/, 'B')],
  ['with space around', ` ${encodeCursor(cursor)}`],
])('refuses one that is %s', (_how, text) => {
  expect(() => decodeCursor(text, 5n)).toThrow('no cursor of your inbox');
});

test("refuses another user's", () => {
  expect(() => decodeCursor(encodeCursor(cursor), 6n)).toThrow('no cursor of your inbox');
});

test('a log goes on from what it still has', () => {
  const head = { userId: 5n, epoch: cursor.epoch, lastOffset: 20n, trimmedOffset: 10n };
  const from = (change: Partial<typeof cursor>): boolean =>
    reachesBack(head, { ...cursor, ...change }, cursor.atMs - 1);
  expect(from({})).toBe(true);
  expect([from({ offset: 10n }), from({ offset: 9n })]).toEqual([true, false]);
  expect([from({ offset: 20n }), from({ offset: 21n })]).toEqual([true, false]);
  expect(from({ epoch: 1n })).toBe(false);
  expect([from({ atMs: cursor.atMs - 1 }), from({ atMs: cursor.atMs - 2 })]).toEqual([true, false]);
});
