import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idEpochMs, IdSource, slotCount, slotOf, slotOfKey, timeOf } from '../../src/lib/id.ts';

const start = Date.UTC(2026, 5, 1);

/** A clock that goes on by these steps, the last of them for ever. */
function steppingClock(stepsMs: readonly number[]): { now(): number } {
  let at = start;
  let turn = 0;
  return {
    now: () => {
      at += stepsMs[Math.min(turn, stepsMs.length - 1)] ?? 0;
      turn += 1;
      return at;
    },
  };
}

const order = (id: bigint): bigint => id >> 10n;

/** The chi-square of what fell into equal bins; its mean is the bins less one. */
function chiSquare(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function spread(slots: Iterable<number>): number[] {
  const counts = new Array<number>(slotCount).fill(0);
  for (const slot of slots) counts[slot] = (counts[slot] ?? 0) + 1;
  return counts;
}

/** Six standard deviations above the mean of chi-square with 1,023 degrees. */
const chiSquareMax = 1_023 + 6 * Math.sqrt(2 * 1_023);

describe('ids', () => {
  test('are unique, rise, and keep their slot, whatever the clock does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 300 }),
        fc.array(fc.integer({ min: 0, max: slotCount - 1 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 0, max: 4_095 }),
        (stepsMs, slots, seed) => {
          const ids = new IdSource({ clock: steppingClock(stepsMs), random: () => seed });
          const drawn = slots.map((slot) => ids.next(slot));
          drawn.forEach((id, index) => {
            expect(slotOf(id)).toBe(slots[index]);
            expect(id < 2n ** 63n && id > 0n).toBe(true);
            if (index > 0) expect(order(id) > order(drawn[index - 1] ?? 0n)).toBe(true);
          });
        },
      ),
    );
  });

  test('borrow from the next ms beyond 4,096 in one, and stay close to the clock', () => {
    for (const seed of [0, 1, 2_000, 4_095]) {
      const ids = new IdSource({ clock: { now: () => start }, random: () => seed });
      const drawn = Array.from({ length: 10_000 }, () => ids.next(7));
      expect(new Set(drawn).size).toBe(drawn.length);
      for (let index = 1; index < drawn.length; index += 1) {
        expect(order(drawn[index] ?? 0n) > order(drawn[index - 1] ?? 0n)).toBe(true);
      }
      expect(timeOf(drawn.at(-1) ?? 0n) - start).toBeLessThanOrEqual(4);
    }
  });

  test('go on from the last ms when the clock steps back, and follow it when it has caught up', () => {
    let now = start;
    const ids = new IdSource({ clock: { now: () => now }, random: () => 5 });
    const before = ids.next(1);
    now = start - 60_000;
    const during = ids.next(2);
    expect(order(during) > order(before)).toBe(true);
    expect(timeOf(during) - start).toBeLessThanOrEqual(1);
    now = start + 10;
    expect(timeOf(ids.next(3))).toBe(start + 10);
  });

  test('tell when they were drawn', () => {
    const at = start + 123;
    expect(timeOf(new IdSource({ clock: { now: () => at } }).next(1023))).toBe(at);
    expect(timeOf(0n)).toBe(idEpochMs);
  });

  test('of processes that start at once meet rarely: the counter begins at random', () => {
    const clock = { now: () => start };
    const first = Array.from({ length: 500 }, () => new IdSource({ clock }).next(0));
    expect(new Set(first).size).toBeGreaterThan(400);
  });

  test('refuse a slot that there is not', () => {
    const ids = new IdSource({ clock: { now: () => start } });
    for (const slot of [-1, 1024, 0.5, Number.NaN]) expect(() => ids.next(slot)).toThrow('no slot');
  });
});

describe('slots of keys', () => {
  test('are stable for ever', () => {
    // What is stored lies where these say: a change loses it.
    expect(slotOfKey('default', 'ann')).toBe(515);
    expect(slotOfKey(5n, 7n)).toBe(630);
    expect(slotOfKey(5n, 'request-1')).toBe(712);
  });

  test('tell keys apart that look alike when put together', () => {
    const alike = [['a', 'bc'], ['ab', 'c'], ['abc'], ['abc', ''], ['', 'abc'], ['a', 'b', 'c']];
    expect(new Set(alike.map((parts) => slotOfKey(...parts))).size).toBe(alike.length);
    expect(slotOfKey('1')).not.toBe(slotOfKey(1n));
  });

  test('are even, for many keys and for few, for names and for ids drawn fast and slowly', () => {
    const names = Array.from({ length: 40_000 }, (_, n) => slotOfKey('default', `user${n}`));
    expect(chiSquare(spread(names))).toBeLessThan(chiSquareMax);

    for (const stepMs of [0, 1, 1_000]) {
      const ids = new IdSource({ clock: steppingClock([stepMs]) });
      const drawn = Array.from({ length: 40_000 }, (_, n) => ids.next(n % 3));
      const pairs = drawn.map((id, n) => slotOfKey(id, drawn[(n * 7 + 1) % drawn.length] ?? 0n));
      expect(chiSquare(spread(pairs))).toBeLessThan(chiSquareMax);
    }

    const few = new Set(Array.from({ length: 32 }, (_, n) => slotOfKey('default', `few${n}`)));
    expect(few.size).toBeGreaterThan(26);
  });
});
