import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitEqual, splitLucky, type SplitInput } from '../../src/domain/red-packet/split.ts';
import { Random } from '../kill/random.ts';

const shareMax = 20_000;

/** Chance that can be repeated. */
function seeded(seed: number): (below: number) => number {
  const random = new Random(seed);
  return (below) => random.between(0, below - 1);
}

/** Any packet that may be made. */
const packets: fc.Arbitrary<SplitInput> = fc
  .record({
    count: fc.integer({ min: 1, max: 100 }),
    shareMax: fc.integer({ min: 1, max: 20_000 }),
  })
  .chain((packet) =>
    fc
      .integer({ min: packet.count, max: packet.count * packet.shareMax })
      .map((total) => ({ ...packet, total })),
  );

const numbersOf = (shares: readonly bigint[]): number[] => shares.map(Number);
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

describe('a split', () => {
  test('is exact: so many shares, of one unit at least and the largest at most, that sum to the total', () => {
    fc.assert(
      fc.property(packets, fc.integer(), (packet, seed) => {
        const shares = numbersOf(splitLucky(packet, seeded(seed)));
        expect(shares).toHaveLength(packet.count);
        expect(sum(shares)).toBe(packet.total);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
        expect(Math.max(...shares)).toBeLessThanOrEqual(packet.shareMax);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is exact whatever the randomness: always the least, always the most, by turns', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.boolean(), { minLength: 1 }), (packet, turns) => {
        let turn = 0;
        const extremes = (below: number): number => (turns[turn++ % turns.length] ? below - 1 : 0);
        const shares = numbersOf(splitLucky(packet, extremes));
        expect(sum(shares)).toBe(packet.total);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
        expect(Math.max(...shares)).toBeLessThanOrEqual(packet.shareMax);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of the least total is one unit each, of the greatest the largest share each', () => {
    expect(splitLucky({ total: 100, count: 100, shareMax })).toEqual(new Array(100).fill(1n));
    const most = { total: 100 * shareMax, count: 100, shareMax };
    expect(splitLucky(most)).toEqual(new Array(100).fill(BigInt(shareMax)));
    expect(splitLucky({ total: 777, count: 1, shareMax })).toEqual([777n]);
  });

  test('into equal shares is equal', () => {
    expect(splitEqual({ total: 300, count: 3, shareMax })).toEqual([100n, 100n, 100n]);
  });

  test('refuses what cannot be split', () => {
    expect(() => splitLucky({ total: 2, count: 3, shareMax })).toThrow();
    expect(() => splitLucky({ total: 7, count: 3, shareMax: 2 })).toThrow();
    expect(() => splitLucky({ total: 1.5, count: 1, shareMax })).toThrow();
    expect(() => splitLucky({ total: 10, count: 0, shareMax })).toThrow();
    expect(() => splitLucky({ total: Number.NaN, count: 1, shareMax })).toThrow();
    expect(() => splitEqual({ total: 10, count: 3, shareMax })).toThrow();
  });
});

interface Chances {
  /** The mean of what stands at each place in the order of claims. */
  readonly means: readonly number[];
  /** Variance of one share, whatever its place. */
  readonly variance: number;
  /** How often the best stood at each place. Among equals one is drawn, so that "earliest on a tie" hides no bias. */
  readonly bests: readonly number[];
}

function measure(packet: SplitInput, rounds: number): Chances {
  const sums = new Array<number>(packet.count).fill(0);
  const bests = new Array<number>(packet.count).fill(0);
  let squares = 0;
  const drawn = seeded(packet.total * 1_000 + packet.count);
  for (let round = 0; round < rounds; round += 1) {
    const shares = numbersOf(splitLucky(packet));
    const best = Math.max(...shares);
    const places = shares.flatMap((share, place) => (share === best ? [place] : []));
    const place = places[drawn(places.length)] as number;
    bests[place] = (bests[place] ?? 0) + 1;
    shares.forEach((share, at) => {
      sums[at] = (sums[at] ?? 0) + share;
      squares += share * share;
    });
  }
  const all = rounds * packet.count;
  return {
    means: sums.map((value) => value / rounds),
    variance: squares / all - (sum(sums) / all) ** 2,
    bests,
  };
}

/** Mean and spread of chi-square: six standard deviations above it never come by chance. */
const chiSquareMax = (degrees: number): number => degrees + 6 * Math.sqrt(2 * degrees) + 18;

describe('the place in the order of claims', () => {
  test.each([
    [{ total: 1_000, count: 10, shareMax }, 20_000],
    [{ total: 100_000, count: 100, shareMax }, 4_000],
    [{ total: 101, count: 100, shareMax }, 10_000],
    [{ total: 120, count: 100, shareMax }, 10_000],
    [{ total: 199, count: 100, shareMax }, 10_000],
    [{ total: 3, count: 2, shareMax }, 20_000],
    [{ total: 5, count: 3, shareMax }, 20_000],
    [{ total: 190_000, count: 10, shareMax }, 20_000],
    [{ total: 50_000, count: 5, shareMax }, 20_000],
  ])('%o: has the same mean and the same chance to be the best', (packet, rounds) => {
    const { means, variance, bests } = measure(packet, rounds);
    const expected = packet.total / packet.count;
    expect(mean(means)).toBeCloseTo(expected, 6);

    // The places' sums are bound to the total, which makes them share a degree and their spread a little wider.
    const spread = (variance * packet.count) / (packet.count - 1) / rounds;
    const ofMeans = sum(means.map((value) => (value - expected) ** 2 / spread));
    expect(ofMeans).toBeLessThan(chiSquareMax(packet.count - 1));

    const each = rounds / packet.count;
    const ofBests = sum(bests.map((count) => (count - each) ** 2 / each));
    expect(ofBests).toBeLessThan(chiSquareMax(packet.count - 1));
  });

  test('would show a bias: shares as they are drawn, unshuffled, are seen at once', () => {
    // A shuffle that always swaps an element with itself leaves the order of drawing.
    const packet = { total: 1_000, count: 10, shareMax };
    const bests = new Array<number>(10).fill(0);
    const rounds = 20_000;
    const random = seeded(1);
    for (let round = 0; round < rounds; round += 1) {
      let calls = 0;
      const shares = numbersOf(
        splitLucky(packet, (below) => {
          calls += 1;
          return calls < packet.count ? random(below) : below - 1;
        }),
      );
      const place = shares.indexOf(Math.max(...shares));
      bests[place] = (bests[place] ?? 0) + 1;
    }
    const each = rounds / packet.count;
    const ofBests = sum(bests.map((count) => (count - each) ** 2 / each));
    expect(ofBests).toBeGreaterThan(chiSquareMax(packet.count - 1) * 2);
  });

  test('a share is worth about as much as it may be: it spreads, and reaches twice the mean', () => {
    const packet = { total: 10_000, count: 10, shareMax };
    const shares = Array.from({ length: 2_000 }, () => numbersOf(splitLucky(packet))).flat();
    expect(Math.min(...shares)).toBeLessThan(30);
    expect(Math.max(...shares)).toBeGreaterThan(1_900);
    const values = new Set(shares);
    expect(values.size).toBeGreaterThan(1_500);
  });
});
