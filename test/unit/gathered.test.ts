import { afterEach, expect, it, vi } from 'vitest';
import { Gathered } from '../../src/lib/gathered.ts';

afterEach(() => vi.useRealTimers());

function gatheredOf(deps: Partial<ConstructorParameters<typeof Gathered<number, string>>[0]> = {}) {
  const batches: number[][] = [];
  const waiting: (() => void)[] = [];
  const gathered = new Gathered<number, string>({
    async answer(asks) {
      batches.push([...asks]);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return asks.map((ask) => `answer ${ask}`);
    },
    weightOf: () => 1,
    weightMax: 100,
    apartMs: 0,
    asksMax: 100,
    ...deps,
  });
  const answer = async (): Promise<void> => {
    await vi.waitUntil(() => waiting.length > 0);
    waiting.shift()?.();
  };
  return { gathered, batches, answer };
}

it('answers those together that came while an answer was under way, and never by what was asked before', async () => {
  const { gathered, batches, answer } = gatheredOf();
  const first = gathered.ask(1);
  await vi.waitUntil(() => batches.length === 1);
  const others = [gathered.ask(2), gathered.ask(3)];
  expect(batches).toEqual([[1]]);
  await answer();
  expect(await first).toBe('answer 1');
  await answer();
  expect(await Promise.all(others)).toEqual(['answer 2', 'answer 3']);
  expect(batches).toEqual([[1], [2, 3]]);
});

it('takes no more together than may be weighed, and the heaviest alone', async () => {
  const { gathered, batches, answer } = gatheredOf({ weightOf: (ask) => ask, weightMax: 10 });
  const all = [4, 5, 30, 6, 4].map((ask) => gathered.ask(ask));
  for (let batch = 0; batch < 3; batch += 1) await answer();
  await Promise.all(all);
  expect(batches).toEqual([[4, 5], [30], [6, 4]]);
});

it('rests after many, so that more come together, and less after a few; whoever asks alone never waits', async () => {
  const apartMs = 200;
  const { gathered, batches } = gatheredOf({
    apartMs,
    answer: (asks) => {
      batches.push([...asks]);
      return Promise.resolve(asks.map(String));
    },
  });
  const began = performance.now();
  for (let ask = 0; ask < 20; ask += 1) await gathered.ask(ask);
  expect(performance.now() - began).toBeLessThan(apartMs);
  const askAtOnce = async (count: number): Promise<number> => {
    const asked = performance.now();
    await Promise.all(Array.from({ length: count }, (_, ask) => gathered.ask(ask)));
    return performance.now() - asked;
  };
  await askAtOnce(2);
  expect(await askAtOnce(40)).toBeLessThan(apartMs / 2);
  expect(await askAtOnce(5)).toBeGreaterThan(apartMs / 2);
  expect(batches).toHaveLength(23);
});

it('refuses one more than may wait, and goes on after a failure', async () => {
  let isFailing = true;
  const { gathered } = gatheredOf({
    asksMax: 2,
    answer: (asks) =>
      isFailing ? Promise.reject(new Error('away')) : Promise.resolve(asks.map(String)),
  });
  const refused = [gathered.ask(1), gathered.ask(2), gathered.ask(3)];
  await expect(refused[2]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(refused[0]).rejects.toThrow('away');
  await expect(refused[1]).rejects.toThrow('away');
  isFailing = false;
  expect(await gathered.ask(4)).toBe('4');
});

it('stops at once: nothing rests, who waits is told, and what is being answered is answered', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { gathered } = gatheredOf({
    apartMs: 60_000,
    answer: (asks) => Promise.resolve(asks.map(String)),
  });
  await Promise.all(Array.from({ length: 20 }, (_, ask) => gathered.ask(ask)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(vi.getTimerCount()).toBe(1);
  const waiting = gathered.ask(20);
  gathered.stop();
  gathered.stop();
  expect(vi.getTimerCount()).toBe(0);
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(gathered.ask(21)).rejects.toMatchObject({ code: 'UNAVAILABLE' });

  const busy = gatheredOf({ apartMs: 60_000 });
  const asked = [busy.gathered.ask(1), busy.gathered.ask(2)];
  await vi.waitUntil(() => busy.batches.length === 1);
  busy.gathered.stop();
  await busy.answer();
  expect(await Promise.all(asked)).toEqual(['answer 1', 'answer 2']);
  expect(vi.getTimerCount()).toBe(0);
});

it('always rests where an answer costs much, so that however it is asked there are few', async () => {
  const apartMs = 40;
  let idle = 0;
  const { gathered, batches } = gatheredOf({
    apartMs,
    isAlwaysApart: true,
    onIdle: () => (idle += 1),
    answer: (asks) => {
      batches.push([...asks]);
      return Promise.resolve(asks.map(String));
    },
  });
  const began = performance.now();
  for (let ask = 0; ask < 6; ask += 1) await gathered.ask(ask);
  expect(performance.now() - began).toBeGreaterThan(4.5 * apartMs);
  expect(batches).toHaveLength(6);
  expect(idle).toBe(0);
  await vi.waitUntil(() => idle === 1);
});
