import { createHash, randomInt } from 'node:crypto';
import { assert } from './assert.ts';
import type { Clock } from './clock.ts';

/** Slots are fixed for ever: an id carries its own. */
export const slotCount = 1024;

/** The ms since 1970 at which ids begin: 2025-01-01. */
export const idEpochMs = Date.UTC(2025, 0, 1);

const slotBits = 10n;
const counterBits = 12n;
const slotMask = BigInt(slotCount - 1);
const counterCount = 1 << Number(counterBits);
const lastMs = 2 ** 41 - 1;

/**
 * Draws 63-bit ids: 41 bits of ms since 2025-01-01, 12 bits of a counter, 10 bits of slot.
 *
 * Within a process ids are unique, and each is greater than the one before if their slots are left
 * aside. Between processes they collide rarely, since the counter begins at random: insert them as
 * primary keys, and draw again where one strikes. A clock that steps back is not followed: ids go
 * on from the last ms given; beyond 4,096 ids in a ms they borrow from the next.
 */
export class IdSource {
  readonly #clock: Clock;
  #ms = -1;
  #counter: number;

  /** @param deps.random an integer from 0 up to, and without, its argument. */
  constructor(deps: { clock: Clock; random?: (below: number) => number }) {
    this.#clock = deps.clock;
    this.#counter = (deps.random ?? randomInt)(counterCount);
  }

  /** @param slot where the id's row is to live, 0 to 1,023. */
  next(slot: number): bigint {
    assert(Number.isInteger(slot) && slot >= 0 && slot < slotCount, `no slot: ${slot}`);
    const now = Math.floor(this.#clock.now()) - idEpochMs;
    if (now > this.#ms) this.#ms = now;
    else if (this.#counter + 1 === counterCount) this.#ms += 1;
    assert(this.#ms >= 0 && this.#ms <= lastMs, 'the clock is outside of what ids can tell');
    this.#counter = (this.#counter + 1) % counterCount;
    return (((BigInt(this.#ms) << counterBits) | BigInt(this.#counter)) << slotBits) | BigInt(slot);
  }
}

/** The slot on whose shard an id's row lives. */
export function slotOf(id: bigint): number {
  return Number(id & slotMask);
}

/** The ms since 1970 at which an id was drawn, as the clock of its process had it. */
export function timeOf(id: bigint): number {
  return Number(id >> (slotBits + counterBits)) + idEpochMs;
}

/**
 * The slot of what is found by a key and not by an id. Stable for ever, and even over any keys:
 * each part is hashed with its kind and length before it, so `('a', 'bc')` and `('ab', 'c')`, `'1'`
 * and `1n` are different keys.
 */
export function slotOfKey(...parts: readonly (string | bigint)[]): number {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(String(part), 'utf8');
    hash.update(`${typeof part === 'bigint' ? 'n' : 's'}${bytes.length}:`).update(bytes);
  }
  return hash.digest().readUInt16BE(0) & Number(slotMask);
}
