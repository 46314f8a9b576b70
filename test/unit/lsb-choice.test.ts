import { describe, expect, test } from 'vitest';
import { chooseGate, inOrderOfChoice } from '../../src/domain/lsb/choice.ts';
import type { KnownGate } from '../../src/domain/lsb/lsb.ts';
import { Shedding } from '../../src/domain/lsb/shedding.ts';
import { Random } from '../kill/random.ts';

function randomFrom(seed: number): () => number {
  const source = new Random(seed);
  return () => source.next();
}

function gate(id: string, connections: number, more: Partial<KnownGate> = {}): KnownGate {
  return {
    id,
    life: `${id}.1`,
    httpUrl: `http://${id}/graphql`,
    apps: ['default'],
    track: 'stable',
    weight: 1,
    state: 'OPEN',
    tickets: 0,
    connections,
    ...more,
  };
}

function shares(gates: readonly KnownGate[], draws = 10_000): Record<string, number> {
  const random = randomFrom(7);
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < draws; draw += 1) {
    const id = chooseGate(gates, random)?.id ?? 'none';
    counts[id] = (counts[id] ?? 0) + 1 / draws;
  }
  return counts;
}

describe('the choice of a gate', () => {
  test('is the less loaded of two: never the fullest, and mostly the emptiest of three', () => {
    const found = shares([gate('a', 10), gate('b', 20), gate('c', 30)]);
    expect(found['a']).toBeCloseTo(2 / 3, 1);
    expect(found['b']).toBeCloseTo(1 / 3, 1);
    expect(found['c']).toBeUndefined();
  });

  test('counts who is on the way', () => {
    const found = shares([gate('a', 10, { tickets: 7 }), gate('b', 12)]);
    expect(found).toEqual({ b: expect.closeTo(1, 5) });
  });

  test('is by weight: load is what each bears, and the strong are drawn more often', () => {
    const found = shares([gate('weak', 90), gate('strong', 100, { weight: 2 })]);
    expect(found).toEqual({ strong: expect.closeTo(1, 5) });
    const even = [
      gate('strong', 0, { weight: 8 }),
      ...['a', 'b', 'c', 'd'].map((id) => gate(id, 0)),
    ];
    expect(shares(even)['strong']).toBeGreaterThan(0.5);
  });

  test('passes over a gate to which a rush is under way, however empty it is', () => {
    const rest = ['b', 'c', 'd', 'e'].map((id) => gate(id, 5_000, { tickets: 100 }));
    expect(shares([gate('a', 0, { tickets: 300 }), ...rest])['a']).toBeUndefined();
    expect(shares([gate('a', 0, { tickets: 150 }), ...rest])['a']).toBeCloseTo(2 / 5, 1);
  });

  test('is none where there is none, and the one where there is one', () => {
    expect(chooseGate([], Math.random)).toBeNull();
    expect(chooseGate([gate('a', 9, { tickets: 50 })], Math.random)?.id).toBe('a');
  });

  test('the order to try the others in has each once, the emptier ones mostly first', () => {
    const gates = [1, 2, 3, 4, 5].map((index) => gate(`${index}`, index * 10));
    const random = randomFrom(3);
    const orders = Array.from({ length: 1_000 }, () => inOrderOfChoice(gates, random, 4));
    for (const order of orders) expect(new Set(order).size).toBe(4);
    const firsts = orders.map(([first]) => first?.id);
    expect(firsts.filter((id) => id === '1').length).toBeGreaterThan(300);
    expect(firsts.filter((id) => id === '1').length).toBeLessThan(500);
    expect(firsts).not.toContain('5');
  });
});

describe('shedding', () => {
  const pace = { percentPerMinute: 60, everyMs: 1_000 };
  const shedding = () => new Shedding(pace, randomFrom(1));

  test('hands on a tenth of what is too much, and no more than it may', () => {
    const others = [gate('b', 1_000), gate('c', 1_000)];
    // The mean is 1,100.
    expect(shedding().next(gate('a', 1_300), others)).toBeLessThanOrEqual(13);
    expect(shedding().next(gate('a', 1_300), others)).toBeGreaterThanOrEqual(12);
    // It may 1 % a second.
    expect(shedding().next(gate('a', 5_000), [gate('b', 0)])).toBe(50);
  });

  test('does nothing without others, below the mean, or where the difference is small', () => {
    expect(shedding().next(gate('a', 1_000), [])).toBe(0);
    expect(shedding().next(gate('a', 1_000), [gate('b', 1_500), gate('c', 500)])).toBe(0);
    expect(shedding().next(gate('a', 1_070), [gate('b', 1_000)])).toBe(0);
    expect(shedding().next(gate('a', 10), [gate('b', 0)])).toBe(0);
    expect(
      new Shedding({ ...pace, percentPerMinute: 0 }, Math.random).next(gate('a', 500), [
        gate('b', 0),
      ]),
    ).toBe(0);
  });

  test('goes on until the difference is gone, and does not begin again for what is left', () => {
    const one = shedding();
    let [own, other] = [1_200, 1_000];
    const turn = (): number => {
      const count = one.next(gate('a', own), [gate('b', other)]);
      own -= count;
      other += count;
      return count;
    };
    for (let second = 0; second < 300; second += 1) turn();
    expect(Math.abs(own - other) / own).toBeLessThan(0.04);
    expect(own).toBeGreaterThanOrEqual(other);
    expect(Array.from({ length: 100 }, turn).every((count) => count === 0)).toBe(true);
  });

  test('is by weight', () => {
    const strong = gate('a', 2_000, { weight: 2 });
    expect(shedding().next(strong, [gate('b', 1_000)])).toBe(0);
    expect(shedding().next({ ...strong, weight: 1 }, [gate('b', 1_000)])).toBeGreaterThan(0);
  });

  test('many full gates together send an empty one no rush', () => {
    const others = Array.from({ length: 98 }, (_, index) => gate(`${index}`, 1_000));
    const all = Array.from({ length: 99 }, (_, index) =>
      new Shedding(pace, randomFrom(index)).next(gate('own', 1_000), [...others, gate('new', 880)]),
    );
    // A tenth of what it lacks, give or take.
    expect(all.reduce((sum, count) => sum + count, 0)).toBeLessThan(40);
  });
});
