import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Patience } from '../../src/storage/patience.ts';
import { SqlError } from '../../src/storage/sql.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

const [hot, still] = [1n, 2n];

/** One that has waited in vain just now, and whether its next transaction passes over what is held. */
async function lost() {
  const patience = new Patience();
  const passesOver = (held: readonly bigint[] = []) =>
    patience.within((passes) => {
      if (passes) patience.passedOver(held);
      return Promise.resolve(passes);
    });
  const tries: boolean[] = [];
  await patience.within((passes) => {
    tries.push(passes);
    if (!passes) throw new SqlError('lockTimeout', 'held');
    patience.passedOver([hot, still]);
    return Promise.resolve();
  });
  expect(tries).toEqual([false, true]);
  return { patience, passesOver };
}

/** Transactions every 100 ms, for some time. */
async function over(seconds: number, next: (at: number) => Promise<boolean>): Promise<boolean[]> {
  const passed: boolean[] = [];
  for (let at = 0; at < seconds * 10; at += 1) {
    vi.advanceTimersByTime(100);
    passed.push(await next(at));
  }
  return passed;
}

test("transactions wait, until one has waited in vain; other failures are nobody's fault", async () => {
  const patience = new Patience();
  const deadlock = new SqlError('deadlock', 'both wait');
  await expect(patience.within(() => Promise.reject(deadlock))).rejects.toBe(deadlock);
  expect(await patience.within((passes) => Promise.resolve(passes))).toBe(false);
  const { passesOver } = await lost();
  expect(await passesOver()).toBe(true);
});

test('a while later they wait again, though others take turns with what is hot', async () => {
  const { passesOver } = await lost();
  const passed = await over(11, (at) => passesOver(at % 5 === 0 ? [] : [hot]));
  expect(passed.indexOf(false)).toBe(99);
  expect(await passesOver()).toBe(false);
});

test('while something stands still they go on passing over it, and for a while after that', async () => {
  const { passesOver } = await lost();
  expect(await over(30, (at) => passesOver(at % 5 === 0 ? [still] : [still, hot]))).not.toContain(
    false,
  );
  const passed = await over(11, () => passesOver());
  expect(passed.indexOf(false)).toBe(99);
});

test('what stood still before it was waited for in vain again counts from then on', async () => {
  const { patience, passesOver } = await lost();
  vi.advanceTimersByTime(60_000);
  const again = patience.within((passes) => {
    if (!passes) throw new SqlError('lockTimeout', 'held');
    patience.passedOver([still]);
    return Promise.resolve();
  });
  await again;
  const passed = await over(11, () => passesOver());
  expect(passed.indexOf(false)).toBe(99);
});
