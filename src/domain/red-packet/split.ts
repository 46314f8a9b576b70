import { randomInt } from 'node:crypto';
import { assert } from '../../lib/assert.ts';

/** An integer from 0 up to, and without, `below`; each with the same chance. */
export type RandomBelow = (below: number) => number;

/** What a share may be worth at most, whatever is configured: beyond it the randomness of the system is not exact. */
export const shareCeiling = 2 ** 40;

/** What a packet is to be split into. Whole minor units. */
export interface SplitInput {
  readonly total: number;
  readonly count: number;
  /** No share is larger. */
  readonly shareMax: number;
}

/**
 * Splits a total into random shares: each is 1 to `shareMax`, and they sum to the total, exactly.
 *
 * By the double mean: a share is drawn evenly from what lies around the mean of what is left, as far to either side as one unit
 * below and `shareMax` above allow, so its expectation is that mean. What is left narrows or widens the next draw, so the shares
 * are not distributed alike as they are drawn; therefore they are shuffled, after which no place in the order of claims is
 * better than another one.
 *
 * The answer is a secret until each share is claimed.
 * @param random crypto randomness, but in tests.
 */
export function splitLucky(input: SplitInput, random: RandomBelow = randomInt): bigint[] {
  const { total, count, shareMax } = input;
  assertSplits(input);
  const shares: number[] = [];
  let left = total;
  for (let sharesLeft = count; sharesLeft > 1; sharesLeft -= 1) {
    const twiceMean = (2 * left) / sharesLeft;
    const least = Math.max(1, Math.ceil(twiceMean) - shareMax);
    const most = Math.min(shareMax, Math.floor(twiceMean) - 1);
    const share = least + random(most - least + 1);
    shares.push(share);
    left -= share;
  }
  shares.push(left);
  shuffle(shares, random);
  return shares.map(BigInt);
}

/** Splits a total into equal shares; it must divide by the count. */
export function splitEqual(input: SplitInput): bigint[] {
  const { total, count } = input;
  assertSplits(input);
  assert(total % count === 0, 'an equal total divides by its count');
  return new Array<bigint>(count).fill(BigInt(total / count));
}

function assertSplits({ total, count, shareMax }: SplitInput): void {
  assert(Number.isSafeInteger(count) && count >= 1, `no count: ${count}`);
  assert(Number.isSafeInteger(shareMax) && shareMax >= 1 && shareMax <= shareCeiling, 'no share');
  assert(Number.isSafeInteger(total) && total >= count, 'a unit for each share at least');
  assert(total <= count * shareMax, 'no more than the largest share for each');
}

/** Every order with the same chance (Fisher and Yates). */
function shuffle(values: number[], random: RandomBelow): void {
  for (let end = values.length - 1; end > 0; end -= 1) {
    const other = random(end + 1);
    const value = values[end] as number;
    values[end] = values[other] as number;
    values[other] = value;
  }
}
