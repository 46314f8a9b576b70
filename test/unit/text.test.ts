import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/lib/fault.ts';
import {
  checkText,
  codePoints,
  isWellFormed,
  textOf,
  utf8,
  utf8Length,
} from '../../src/lib/text.ts';

/** Any sequence of UTF-16 units: surrogates in and out of place included. */
const anyUnits = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
      fc.constantFrom(0x61, 0xfeff, 0),
    ),
    { maxLength: 40 },
  )
  .map((units) => String.fromCharCode(...units));

describe('text', () => {
  test('codePoints counts as the iterator of strings does', () => {
    fc.assert(
      fc.property(anyUnits, (text) => {
        expect(codePoints(text)).toBe([...text].length);
      }),
    );
  });

  test('isWellFormed holds exactly for what survives UTF-8', () => {
    fc.assert(
      fc.property(anyUnits, (text) => {
        expect(isWellFormed(text)).toBe(Buffer.from(text, 'utf8').toString('utf8') === text);
      }),
    );
  });

  test('utf8 and textOf are inverse, byte order mark and NUL included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(textOf(utf8(text))).toBe(text);
        expect(utf8(text).length).toBe(utf8Length(text));
      }),
    );
    expect(textOf(utf8('\ufeffa\0'))).toBe('\ufeffa\0');
  });

  test('checkText accepts exactly the well-formed texts within bounds and without U+0000, and gives them back unchanged', () => {
    fc.assert(
      fc.property(anyUnits, fc.nat(20), fc.nat(20), (text, min, more) => {
        const max = min + more;
        const count = [...text].length;
        if (count >= min && count <= max && isWellFormed(text) && !text.includes('\0')) {
          expect(checkText('text', text, { min, max })).toBe(text);
        } else {
          expect(() => checkText('text', text, { min, max })).toThrow(Fault);
        }
      }),
    );
  });

  test('characters are code points: 64 emoji fit into 64', () => {
    expect(checkText('name', '🧧'.repeat(64), { min: 1, max: 64 })).toBe('🧧'.repeat(64));
    expect(() => checkText('name', '🧧'.repeat(65), { min: 1, max: 64 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  test('a lone surrogate is INVALID_ARGUMENT', () => {
    for (const text of ['\ud800', 'a\udc00', '\udc00\ud800', 'x\ud83d']) {
      expect(() => checkText('name', text, { min: 1, max: 64 })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});
