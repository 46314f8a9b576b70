import { describe, expect, it } from 'vitest';
import { Recent } from '../../src/lib/recent.ts';
import { AppendMemory } from '../../src/realtime/inbox/append-memory.ts';
import type { LogHead } from '../../src/realtime/inbox/log-head.ts';

const head = (userId: bigint, lastOffset: bigint): LogHead => ({
  userId,
  epoch: 7n,
  lastOffset,
  trimmedOffset: 0n,
  lastSeenAtMs: 1n,
});
const none = new Map<bigint, never>();

describe('what an appender remembers', () => {
  const open = (): AppendMemory => new AppendMemory({ usersMax: 100, conversationsMax: 100 });

  it('is what it committed last, and that there was no log', () => {
    const memory = open();
    expect(memory.head(1n)).toBeUndefined();
    memory.keep(memory.begin(), new Map([[1n, head(1n, 3n)]]), new Map());
    memory.keep(memory.begin(), new Map([[1n, head(1n, 4n)]]), new Map());
    memory.keep(memory.begin(), new Map([[2n, null]]), new Map([[9n, { next: 5, members: 1 }]]));
    expect(memory.head(1n)?.lastOffset).toBe(4n);
    expect(memory.head(2n)).toBeNull();
    expect(memory.mark(9n)).toEqual({ next: 5, members: 1 });
  });

  it('holds no head that was read before somebody made one', () => {
    const memory = open();
    memory.keep(memory.begin(), new Map([[1n, null]]), none);
    const turn = memory.begin();
    memory.forget([1n]);
    expect(memory.head(1n)).toBeUndefined();
    // The transaction that was under way read that there is none, and ends after.
    memory.keep(turn, new Map([[1n, null]]), none);
    expect(memory.head(1n)).toBeUndefined();
  });

  it('keeps no older head in place of what a transaction wrote while another was forgotten', () => {
    const memory = open();
    memory.keep(memory.begin(), new Map([[1n, head(1n, 3n)]]), none);
    const turn = memory.begin();
    memory.forget([2n]);
    memory.keep(turn, new Map([[1n, head(1n, 4n)]]), none);
    expect(memory.head(1n)).toBeUndefined();
  });

  it('is nothing after a transaction of which nobody knows whether it happened', () => {
    const memory = open();
    memory.keep(
      memory.begin(),
      new Map([[1n, head(1n, 3n)]]),
      new Map([[9n, { next: 5, members: 1 }]]),
    );
    memory.forgetAll();
    expect(memory.head(1n)).toBeUndefined();
    expect(memory.mark(9n)).toBeUndefined();
  });
});

describe('what was used recently', () => {
  it('is kept, and what was not is let go, however many come', () => {
    const recent = new Recent<number, number>(10);
    recent.set(-1, -1);
    for (let key = 0; key < 1_000; key += 1) {
      recent.set(key, key);
      expect(recent.get(-1)).toBe(-1);
    }
    const kept = Array.from({ length: 1_000 }, (_, key) => recent.get(key)).filter(
      (value) => value !== undefined,
    );
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(kept.slice(-4)).toEqual([996, 997, 998, 999]);
  });

  it('is what was set last, and nothing once deleted', () => {
    const recent = new Recent<string, number>(4);
    recent.set('a', 1);
    recent.set('b', 1);
    recent.set('a', 2);
    expect(recent.get('a')).toBe(2);
    recent.delete('a');
    expect(recent.get('a')).toBeUndefined();
  });
});
