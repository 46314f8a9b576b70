import { expect, test } from 'vitest';
import { spellForMariadb } from '../../src/storage/mariadb-inserts.ts';
import { spellValues } from '../../src/storage/mariadb-literals.ts';

test('values stand in the text, those of people in hexadecimal', () => {
  const raw = new Uint8Array([0, 39, 92, 255]).subarray(1, 3);
  const text = 'SELECT ?, ?, ?, ?, ?, ? FROM Entry WHERE word = ? OR raw = ?';
  const params = [1, -(2n ** 63n), true, false, null, 2 ** 53 - 1, "'? é", raw];
  expect(spellValues({ text, params })).toEqual({
    text: "SELECT 1, -9223372036854775808, 1, 0, NULL, 9007199254740991 FROM Entry WHERE word = _utf8mb4 x'273f20c3a9' OR raw = x'275c'",
    params: [],
  });
  expect(spellValues({ text: 'SELECT 1' })).toEqual({ text: 'SELECT 1' });
});

test('what would fill a packet, and what is no value, is left to the driver', () => {
  const long = '?'.repeat(40_000);
  const params = [7, long, 'x', 1.5];
  expect(spellValues({ text: 'SELECT ?, ?, ?, ?', params })).toEqual({
    text: "SELECT 7, ?, _utf8mb4 x'78', ?",
    params: [long, 1.5],
  });
});

test('so is a statement whose values are not as many as its marks', () => {
  const given = { text: 'SELECT ?, ?', params: [1] };
  expect(spellValues(given)).toEqual(given);
});

test('rows are spelled in the same way, but for columns that are NULL in all', () => {
  const long = 'é'.repeat(40_000);
  const rows = [
    [1n, 'a', null, null],
    [2n, long, null, new Uint8Array([10])],
  ];
  const columns = ['id', 'word', 'absent', 'raw'];
  expect(spellForMariadb({ table: 'Entry', columns, rows, tail: ' TAIL' })).toEqual([
    {
      text: "INSERT INTO Entry (id, word, raw) VALUES (1,_utf8mb4 x'61',NULL), (2,?,x'0a') TAIL",
      params: [long],
    },
  ]);
});
