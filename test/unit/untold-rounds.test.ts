import { expect, it, vi } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { Shard } from '../../src/storage/shards.ts';
import { UntoldRounds } from '../../src/storage/untold-rounds.ts';

const shard = { index: 0 } as Shard;

/** Rows 1 to 5 in pages of two, of which some cannot be told the first time. */
function rowsOf(cannotBeTold: number[]) {
  const untold = [1, 2, 3, 4, 5];
  const logged: string[] = [];
  const began: number[] = [];
  const rounds = new UntoldRounds<number>({
    shards: { all: [shard] },
    clock: systemClock,
    log: createLogger({ level: 'warn' }, { write: (line: string) => void logged.push(line) }),
    failure: 'row.tell_failed',
    rowsMax: 2,
    read: (_shard, after, rowsMax) => {
      if (after === null) began.push(performance.now());
      return Promise.resolve(untold.filter((row) => row > (after ?? 0)).slice(0, rowsMax));
    },
    tell: (_shard, rows) => {
      const failing = rows.filter((row) => cannotBeTold.includes(row));
      cannotBeTold = cannotBeTold.filter((row) => !failing.includes(row));
      for (const row of rows) if (!failing.includes(row)) untold.splice(untold.indexOf(row), 1);
      return failing.length > 0
        ? Promise.reject(new Error(`not ${failing.join()}`))
        : Promise.resolve(false);
    },
    apartMs: 10,
    againMs: 50,
    pollMs: 60_000,
  });
  return { rounds, untold, logged, began };
}

it('tells the pages behind one that fails, says so once, and comes again for the rest', async () => {
  const { rounds, untold, logged, began } = rowsOf([1, 3]);
  await rounds.start();
  await vi.waitFor(() => expect(began).toHaveLength(1));
  await vi.waitFor(() => expect(untold).toEqual([1, 3]));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('row.tell_failed');
  expect(logged[0]).toContain('not 1');
  await vi.waitFor(() => expect(untold).toEqual([]));
  expect((began[1] ?? 0) - (began[0] ?? 0)).toBeGreaterThanOrEqual(49);
  await rounds.stop();
  untold.push(6);
  rounds.wake(0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(untold).toEqual([6]);
});

it('ends a round in which it cannot read, and tries again', async () => {
  const logged: string[] = [];
  let reads = 0;
  const rounds = new UntoldRounds<number>({
    shards: { all: [shard] },
    clock: systemClock,
    log: createLogger({ level: 'warn' }, { write: (line: string) => void logged.push(line) }),
    failure: 'row.tell_failed',
    rowsMax: 2,
    read: () => {
      reads += 1;
      return reads < 3 ? Promise.reject(new Error('away')) : Promise.resolve([]);
    },
    tell: () => Promise.resolve(false),
    apartMs: 1,
    againMs: 1,
    pollMs: 60_000,
  });
  await rounds.start();
  await vi.waitFor(() => expect(reads).toBe(3));
  await rounds.stop();
  expect(logged).toHaveLength(2);
});
