import { assert } from '../../src/lib/assert.ts';

/** @param share 0.5: the median. Nearest rank, so the answer is one of the values. */
export function quantile(values: ArrayLike<number>, share: number): number {
  assert(values.length > 0, 'a quantile is of something');
  const sorted = Float64Array.from(values).sort();
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? 0;
}

export function median(values: readonly number[]): number {
  assert(values.length > 0, 'a median is of something');
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

const pointsMax = 200;

/**
 * Points of a plot: by seconds, the share of all in % that took no longer.
 * @param ms ascending.
 */
export function sharesOver(ms: readonly number[]): (readonly [x: number, y: number])[] {
  const every = Math.max(1, Math.ceil(ms.length / pointsMax));
  return ms
    .map((one, index) => [one / 1000, ((index + 1) / ms.length) * 100] as const)
    .filter((_, index) => index % every === 0 || index === ms.length - 1);
}

/** Three significant digits, without an exponent. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Number(value.toPrecision(3)).toString();
}

/** The least squares line through points: what y gains by one x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length;
  assert(n > 1, 'a slope is of two points at least');
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const under = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

/** Numbers from 0 up to 1 that follow from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
