import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Rounds } from '../../src/lib/rounds.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function roundsOf(answers: boolean[] = []) {
  const began: number[] = [];
  const rounds = new Rounds<string>({
    keys: () => ['a'],
    run: () => {
      began.push(performance.now());
      return Promise.resolve(answers.shift() ?? false);
    },
    apartMs: 1_000,
    againMs: 50,
    pollMs: 10_000,
  });
  return { rounds, began };
}

it('begins at once, then never two within the time that they are apart, and always once more', async () => {
  const { rounds, began } = roundsOf();
  await rounds.start();
  await vi.advanceTimersByTimeAsync(10);
  expect(began).toHaveLength(1);
  for (let n = 0; n < 25; n += 1) {
    rounds.wake('a');
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(began).toHaveLength(4);
  const gaps = began.slice(1).map((at, index) => at - (began[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
  await rounds.stop();
});

it('comes again where something is left, and by itself now and then', async () => {
  const { rounds, began } = roundsOf([true, false]);
  await rounds.start();
  await vi.advanceTimersByTimeAsync(1_100);
  expect(began).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(began).toHaveLength(3);
  await rounds.stop();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(began).toHaveLength(3);
});
