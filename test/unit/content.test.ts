import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkContent } from '../../src/domain/message/content.ts';
import { contentOf, contentText, messageKindCodes } from '../../src/domain/timeline/rows.ts';
import type { DraftContent } from '../../src/domain/timeline/timeline.ts';

const fault = (code: string): unknown => expect.objectContaining({ name: 'Fault', code });
const text = (value: string): DraftContent => ({ kind: 'TEXT', text: value });
const custom = (data: unknown, type = 'card'): DraftContent => ({ kind: 'CUSTOM', type, data });
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
const loneHigh = '\ud83e';
const loneLow = '\udde7';

describe('content', () => {
  const refusal = (content: DraftContent): unknown => {
    try {
      checkContent(content);
    } catch (error) {
      return error;
    }
    return null;
  };

  test('a text has 1 to 16,384 bytes of UTF-8', () => {
    expect(refusal(text(''))).toEqual(fault('INVALID_ARGUMENT'));
    expect(refusal(text(' '))).toBeNull();
    expect(refusal(text('x'.repeat(16_384)))).toBeNull();
    expect(refusal(text('x'.repeat(16_385)))).toEqual(fault('PAYLOAD_TOO_LARGE'));
    expect(refusal(text('🧧'.repeat(4_096)))).toBeNull();
    expect(refusal(text(`${'🧧'.repeat(4_096)}x`))).toEqual(fault('PAYLOAD_TOO_LARGE'));
  });

  test('data has at most 16,384 bytes as JSON, and any JSON value is data', () => {
    for (const value of [null, true, 0, -1.5, '', [], {}, [[null, { a: {} }]]]) {
      expect(refusal(custom(value)), JSON.stringify(value)).toBeNull();
    }
    expect(refusal(custom('x'.repeat(16_382)))).toBeNull();
    expect(refusal(custom('x'.repeat(16_383)))).toEqual(fault('PAYLOAD_TOO_LARGE'));
    // An escape is six bytes of JSON.
    expect(refusal(custom('\u0001'.repeat(2_730)))).toBeNull();
    expect(refusal(custom('\u0001'.repeat(2_731)))).toEqual(fault('PAYLOAD_TOO_LARGE'));
  });

  test('data nests 32 levels at most', () => {
    expect(refusal(custom(nested(32)))).toBeNull();
    expect(refusal(custom(nested(33)))).toEqual(fault('INVALID_ARGUMENT'));
    expect(refusal(custom(nested(5_000)))).toEqual(fault('INVALID_ARGUMENT'));
    expect(refusal(custom([1, 2, { a: nested(30) }]))).toBeNull();
    expect(refusal(custom([1, 2, { a: nested(31) }]))).toEqual(fault('INVALID_ARGUMENT'));
  });

  test('what JSON does not know is no data', () => {
    const values = [undefined, NaN, Infinity, 1n, () => 1, Symbol('x'), new Date(0), new Map()];
    for (const [at, value] of [...values, [undefined], { a: NaN }].entries()) {
      expect(refusal(custom(value)), `value ${at}`).toEqual(fault('INVALID_ARGUMENT'));
    }
    expect(refusal(custom(Object.assign(Object.create(null) as object, { a: 1 })))).toBeNull();
  });

  test('half a surrogate pair is refused wherever it stands', () => {
    for (const half of [loneHigh, loneLow, `a${loneHigh}b`, loneLow + loneHigh]) {
      expect(refusal(text(half))).toEqual(fault('INVALID_ARGUMENT'));
      expect(refusal(custom(half))).toEqual(fault('INVALID_ARGUMENT'));
      expect(refusal(custom([{ a: [half] }]))).toEqual(fault('INVALID_ARGUMENT'));
      expect(refusal(custom([{ [half]: 1 }]))).toEqual(fault('INVALID_ARGUMENT'));
      expect(refusal(custom(null, half))).toEqual(fault('INVALID_ARGUMENT'));
    }
    expect(refusal(custom({ '🧧': '🧧' }, '🧧'))).toBeNull();
  });

  test('a type has 1 to 64 characters', () => {
    expect(refusal(custom(null, ''))).toEqual(fault('INVALID_ARGUMENT'));
    expect(refusal(custom(null, '🧧'.repeat(64)))).toBeNull();
    expect(refusal(custom(null, 'x'.repeat(65)))).toEqual(fault('INVALID_ARGUMENT'));
  });

  test('whatever JSON value is given comes back from the store', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'medium', noUnicodeString: false }), (data) => {
        const stored = contentOf(messageKindCodes.CUSTOM, contentText(custom(data)));
        expect(stored).toEqual({
          kind: 'CUSTOM',
          type: 'card',
          data: JSON.parse(JSON.stringify(data)),
        });
      }),
    );
  });

  test('ids of a system message keep all their digits in the store', () => {
    const content = {
      kind: 'SYSTEM',
      event: 'JOINED',
      actorId: 2n ** 63n - 1n,
      userIds: [9007199254740993n, 1n],
      title: null,
      role: null,
    } as const;
    expect(contentOf(messageKindCodes.SYSTEM, contentText(content))).toEqual(content);
  });
});
