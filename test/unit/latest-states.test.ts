import { expect, test } from 'vitest';
import { LatestStates } from '../../src/realtime/presence/latest-states.ts';

const open = (assumed?: boolean) => {
  let ended = 0;
  const onEnd = () => void (ended += 1);
  const states = new LatestStates<string, string>(
    assumed === undefined ? { onEnd } : { assumed, onEnd },
  );
  const tell = (key: string, isOn: boolean) => states.tell(key, isOn, `${key} ${isOn}`);
  return { states, tell, timesEnded: () => ended };
};

test('a state never repeats, and what a slow reader missed is the newest of each', async () => {
  const { states, tell } = open();
  tell('a', true);
  expect(await states.next()).toEqual({ value: 'a true', done: false });
  tell('a', true);
  tell('a', false);
  tell('b', false);
  tell('a', true);
  tell('b', true);
  expect(await states.next()).toEqual({ value: 'b true', done: false });
  const waiting = states.next();
  tell('a', true);
  tell('a', false);
  expect(await waiting).toEqual({ value: 'a false', done: false });
});

test('what a reader assumes is told only where it is not so', async () => {
  const { states, tell } = open(false);
  tell('a', false);
  tell('a', true);
  expect((await states.next()).value).toBe('a true');
  tell('a', false);
  tell('a', true);
  tell('b', true);
  expect((await states.next()).value).toBe('b true');
});

test('return ends it at once, whatever waits', async () => {
  const { states, tell, timesEnded } = open();
  const waiting = [states.next(), states.next()];
  await states.return();
  expect(await Promise.all(waiting)).toEqual([
    { value: undefined, done: true },
    { value: undefined, done: true },
  ]);
  tell('a', true);
  expect((await states.next()).done).toBe(true);
  states.end();
  expect(timesEnded()).toBe(1);
});
