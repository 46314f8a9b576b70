import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeId,
  decodeIdOf,
  encodeEntryId,
  encodeId,
  encodeMessageId,
  idArgument,
  type GlobalId,
} from '../../src/resolvers/global-id.ts';

const ids = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
const seqs = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const types = fc.constantFrom('User', 'Conversation', 'Session', 'RedPacket');

function encode(id: GlobalId): string {
  if (id.type === 'Message') return encodeMessageId(id.conversationId, id.seq);
  if (id.type === 'WalletEntry') return encodeEntryId(id.userId, id.entryNo);
  return encodeId(id.type, id.id);
}

describe('a global id', () => {
  it('comes back as what was encoded', () => {
    fc.assert(
      fc.property(types, ids, seqs, (type, id, seq) => {
        expect(decodeId(encodeId(type, id))).toEqual({ type, id });
        expect(decodeId(encodeMessageId(id, seq))).toEqual({
          type: 'Message',
          conversationId: id,
          seq,
        });
        expect(decodeId(encodeEntryId(id, seq))).toEqual({
          type: 'WalletEntry',
          userId: id,
          entryNo: seq,
        });
      }),
    );
  });

  it('has one spelling alone: whatever decodes is what the encoder writes', () => {
    const digit = fc.constantFrom(...'0123456789abcxyzABZ_- ');
    const prefix = fc.constantFrom('u_', 'c_', 'm_', 's_', 'r_', 'w_', 'U_', 'x_', '');
    const body = fc.string({ unit: digit, maxLength: 16 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(prefix, body).map((two) => two.join('')),
        ),
        (text) => {
          const id = decodeId(text);
          if (id === null) return;
          expect(encode(id)).toBe(text);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it.each([
    '',
    'u_',
    'u_0',
    'u_01',
    'u_A',
    'u_-1',
    ' u_1',
    'u_1 ',
    'u_1\n',
    'U_1',
    'm_1',
    'w_1',
    'w_1_0',
    'r_1_1',
    'm_1_',
    'm_1_0',
    'm_1_01',
    'm_1_1_1',
    `u_${(2n ** 63n).toString(36)}`,
    `m_1_${(2 ** 31).toString(36)}`,
    'u_zzzzzzzzzzzzzz',
    '1',
  ])('is malformed as %j', (text) => {
    expect(decodeId(text)).toBeNull();
  });

  it('of another type is malformed for an argument', () => {
    expect(decodeIdOf('User', encodeId('Conversation', 5n))).toBeNull();
    expect(idArgument('User', encodeId('User', 5n), 'userId')).toBe(5n);
    expect(() => idArgument('User', encodeId('Session', 5n), 'userId')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
