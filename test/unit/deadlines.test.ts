import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/lib/deadlines.ts';
import { Heartbeat } from '../../src/gate/heartbeat.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const clock = { now: () => Date.now() };

function deadlines() {
  const due: [string, number][] = [];
  const startMs = Date.now();
  const all = new Deadlines<string>({
    clock,
    tickMs: 100,
    onDue: (item) => due.push([item, Date.now() - startMs]),
  });
  all.start();
  return { all, due, startMs };
}

test('each is met once, within two ticks and never early', () => {
  const { all, due, startMs } = deadlines();
  all.set('late', startMs + 930);
  all.set('early', startMs + 310);
  all.set('past', startMs - 5_000);
  vi.advanceTimersByTime(3_000);
  expect(due.map(([item]) => item)).toEqual(['past', 'early', 'late']);
  const [past, early, late] = due.map(([, atMs]) => atMs);
  expect(past).toBeLessThanOrEqual(200);
  expect(early).toBeGreaterThanOrEqual(310);
  expect(early).toBeLessThanOrEqual(510);
  expect(late).toBeGreaterThanOrEqual(930);
  expect(late).toBeLessThanOrEqual(1_130);
  expect(all.size).toBe(0);
  all.stop();
});

test('a deadline is replaced, taken back, and forgotten when it stops', () => {
  const { all, due, startMs } = deadlines();
  all.set('moved', startMs + 200);
  all.set('moved', startMs + 1_000);
  all.set('gone', startMs + 200);
  all.delete('gone');
  all.set('never', startMs + 5_000);
  vi.advanceTimersByTime(800);
  expect(due).toEqual([]);
  vi.advanceTimersByTime(400);
  expect(due.map(([item]) => item)).toEqual(['moved']);
  all.stop();
  vi.advanceTimersByTime(10_000);
  expect(due).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('of those that are due together one may take back the other', () => {
  const due: string[] = [];
  const all: Deadlines<string> = new Deadlines({
    clock,
    tickMs: 100,
    onDue: (item) => {
      due.push(item);
      all.delete('b');
    },
  });
  all.start();
  all.set('a', Date.now() + 50);
  all.set('b', Date.now() + 50);
  vi.advanceTimersByTime(1_000);
  expect(due).toEqual(['a']);
  all.stop();
});

test('who is silent for two heartbeats is terminated, who answers is asked on', () => {
  const heartbeat = new Heartbeat(1_000);
  const log: string[] = [];
  const pulse = (name: string, answers: boolean) => {
    const self = {
      ping: () => {
        log.push(`${name} asked`);
        if (answers) heartbeat.heard(self);
      },
      terminate: () => {
        log.push(`${name} terminated`);
        forget();
      },
    };
    const forget = heartbeat.add(self);
    return forget;
  };
  pulse('silent', false);
  const forget = pulse('alive', true);
  heartbeat.start();
  vi.advanceTimersByTime(6_000);
  expect(log.filter((line) => line.startsWith('silent'))).toEqual([
    'silent asked',
    'silent asked',
    'silent terminated',
  ]);
  expect(log.filter((line) => line === 'alive asked')).toHaveLength(6);
  forget();
  vi.advanceTimersByTime(3_000);
  expect(log.filter((line) => line === 'alive asked')).toHaveLength(6);
  heartbeat.stop();
  expect(vi.getTimerCount()).toBe(0);
});
