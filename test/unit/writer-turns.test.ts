import { expect, test } from 'vitest';
import { Turnstile } from '../../src/storage/turnstile.ts';
import { WriterTurns, type Turn } from '../../src/storage/writer-turns.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asks for so many turns; those that are had, by their number. */
function ask(count: number, waitingMax = 10): (Turn | undefined)[] {
  const turns = new WriterTurns(new Turnstile({ places: 1, waitingMax }));
  const had: (Turn | undefined)[] = new Array<undefined>(count).fill(undefined);
  had.forEach((_none, index) => {
    turns.enter().then(
      (turn) => (had[index] = turn),
      () => undefined,
    );
  });
  return had;
}

const inside = (had: readonly (Turn | undefined)[]): number[] =>
  had.flatMap((turn, index) => (turn ? [index] : []));

test('the next is let in when the last request of the one before was sent', async () => {
  const had = ask(3);
  await settled();
  expect(inside(had)).toEqual([0]);
  had[0]?.sent();
  await settled();
  expect(inside(had)).toEqual([0, 1]);
  had[0]?.end();
  had[1]?.end();
  await settled();
  expect(inside(had)).toEqual([0, 1, 2]);
});

test('one is ahead at a time: the next but one waits for an answer', async () => {
  const had = ask(4);
  await settled();
  had[0]?.sent();
  await settled();
  had[1]?.sent();
  await settled();
  expect(inside(had)).toEqual([0, 1]);
  had[0]?.end();
  await settled();
  expect(inside(had)).toEqual([0, 1, 2]);
  // The second is ahead now: the third may send all it has, and the fourth waits all the same.
  had[2]?.sent();
  await settled();
  expect(inside(had)).toEqual([0, 1, 2]);
  had[1]?.end();
  had[2]?.end();
  await settled();
  expect(inside(had)).toEqual([0, 1, 2, 3]);
});

test('one that ends without having sent an end gives its place back once', async () => {
  const had = ask(3, 1);
  await settled();
  had[0]?.end();
  await settled();
  // One inside, one waiting; the third found too many.
  expect(inside(had)).toEqual([0, 1]);
  had[1]?.end();
  await settled();
  expect(inside(had)).toEqual([0, 1]);
});
