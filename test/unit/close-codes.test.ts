import { describe, expect, test } from 'vitest';
import { closings, drainingTo, reasonText } from '../../src/gate/close-codes.ts';

describe('the reason in a closing frame', () => {
  test('is in words, or the hint as JSON', () => {
    expect(reasonText(closings.sessionEnded)).toBe('Session ended');
    const url = 'wss://node-2.chat.example.com/graphql';
    const closing = drainingTo({ retryAfterMs: 120, url });
    expect(closing.code).toBe(4604);
    expect(JSON.parse(reasonText(closing))).toEqual({ retryAfterMs: 120, url });
  });

  test('fits the frame, whatever the URL: one that does not is left out', () => {
    for (let length = 0; length < 200; length += 1) {
      const url = `wss://${'ü'.repeat(length)}/graphql`;
      const text = reasonText(drainingTo({ retryAfterMs: 9_999, url }));
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
      expect(JSON.parse(text)).toMatchObject({ retryAfterMs: 9_999 });
    }
    const long = `wss://${'x'.repeat(120)}/graphql`;
    expect(JSON.parse(reasonText(drainingTo({ retryAfterMs: 1, url: long })))).toEqual({
      retryAfterMs: 1,
    });
  });
});
