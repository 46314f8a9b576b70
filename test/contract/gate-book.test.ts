import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialMs } from '../../src/domain/lsb/book.ts';
import { ticketsKey } from '../../src/domain/lsb/book.redis.ts';
import {
  MemoryGateBook,
  RedisGateBook,
  type GateBook,
  type GateReport,
} from '../../src/domain/lsb/lsb.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { pause } from '../kill/random.ts';
import { redisAvailable } from '../support/machine.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'silent' });
const quick = { ...limits, gateLeaseMs: 2_500 };

function report(id: string, more: Partial<GateReport> = {}): GateReport {
  return {
    id,
    life: `${id}.1`,
    httpUrl: `http://${id}:4000/graphql`,
    apps: ['default', 'shop'],
    track: 'stable',
    weight: 2,
    connections: 7,
    state: 'OPEN',
    ...more,
  };
}
const nothing = { report: null, tickets: new Map<string, number>() };
const sent = (...tickets: [string, number][]) => ({ report: null, tickets: new Map(tickets) });
const said = (own: GateReport) => ({ report: own, tickets: new Map<string, number>() });

interface Kind {
  /** A book that two nodes share, empty. */
  open(): Promise<{ readonly one: GateBook; readonly other: GateBook; close(): Promise<void> }>;
}

let redis: TestRedis;
beforeAll(async () => {
  if (redisAvailable()) redis = await startRedis();
});
afterAll(async () => redis?.stop());

const kinds: Record<string, Kind> = {
  'in the memory of a process': {
    open() {
      const book = new MemoryGateBook({ clock: systemClock, limits: quick });
      return Promise.resolve({ one: book, other: book, close: () => Promise.resolve() });
    },
  },
  'in Redis': {
    async open() {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
      const nodes = [0, 1].map(() => new RedisBuckets([redis.url], { log, limits: quick }));
      await Promise.all(nodes.map((buckets) => buckets.start()));
      const [one, other] = nodes.map(
        (buckets) => new RedisGateBook({ bucket: buckets.all[0]!, limits: quick }),
      );
      const close = async (): Promise<void> => {
        await Promise.all(nodes.map((buckets) => buckets.stop()));
      };
      return { one: one!, other: other!, close };
    },
  },
};

describe.each(Object.entries(kinds))('what gates report, %s', (kind, { open }) => {
  const works = test.runIf(kind !== 'in Redis' || redisAvailable());

  async function withBooks(run: (one: GateBook, other: GateBook) => Promise<void>): Promise<void> {
    const { one, other, close } = await open();
    try {
      await run(one, other);
    } finally {
      await close();
    }
  }
  const ticketsOf = async (book: GateBook, id: string): Promise<number | undefined> =>
    (await book.exchange(nothing)).find((gate) => gate.id === id)?.tickets;

  works('every node knows at once, the newest report of each gate', () =>
    withBooks(async (one, other) => {
      expect(await one.exchange(said(report('a')))).toEqual([{ ...report('a'), tickets: 0 }]);
      await other.exchange(said(report('b.c-1', { connections: 0 })));
      await one.exchange(said(report('a', { state: 'DRAINING', connections: 6 })));
      const known = await other.exchange(nothing);
      expect(new Map(known.map((gate) => [gate.id, gate]))).toEqual(
        new Map([
          ['a', { ...report('a', { state: 'DRAINING', connections: 6 }), tickets: 0 }],
          ['b.c-1', { ...report('b.c-1', { connections: 0 }), tickets: 0 }],
        ]),
      );
      await one.forget('a');
      await one.forget('nobody');
      expect((await other.exchange(nothing)).map(({ id }) => id)).toEqual(['b.c-1']);
    }),
  );

  works('a gate that says no more is forgotten when its lease ends', () =>
    withBooks(async (one, other) => {
      await one.exchange(said(report('dead')));
      for (let turn = 0; turn < 6; turn += 1) {
        await other.exchange(said(report('alive')));
        await pause(500);
      }
      expect((await one.exchange(nothing)).map(({ id }) => id)).toEqual(['alive']);
    }),
  );

  works('tickets count for all nodes, until a report that must know who had them', () =>
    withBooks(async (one, other) => {
      await one.exchange({ ...said(report('a')), tickets: new Map([['a', 1]]) });
      await one.exchange(sent(['a', 2], ['unknown', 5]));
      await other.exchange(sent(['a', 3]));
      expect(await ticketsOf(one, 'a')).toBe(6);
      // Whoever has them may still be dialling: this report does not count them.
      await one.exchange(said(report('a')));
      expect(await ticketsOf(other, 'a')).toBe(6);
      await pause(300);
      await other.exchange(sent(['a', 4]));
      await pause(dialMs);
      expect(await ticketsOf(other, 'a')).toBe(10);
      await one.exchange(said(report('a', { connections: 13 })));
      // Only the later ones may have come after it, at most.
      expect(await ticketsOf(other, 'a')).toBeLessThanOrEqual(4);
      await pause(dialMs + 300);
      await one.exchange(said(report('a', { connections: 17 })));
      expect(await ticketsOf(other, 'a')).toBe(0);
      expect((await one.exchange(nothing)).map(({ id }) => id)).toEqual(['a']);
    }),
  );

  works('tickets of a gate that was forgotten do not come back with it', () =>
    withBooks(async (one) => {
      await one.exchange(said(report('a')));
      await one.exchange(sent(['a', 50]));
      await one.forget('a');
      expect(await one.exchange(nothing)).toEqual([]);
      expect(await one.exchange(said(report('a')))).toEqual([{ ...report('a'), tickets: 0 }]);
    }),
  );
});

test.runIf(redisAvailable())('Redis keeps no tickets that count no more', async () => {
  const { one, close } = await kinds['in Redis']!.open();
  for (let turn = 0; turn < 8; turn += 1) {
    await one.exchange({
      report: report('a'),
      tickets: new Map([
        ['a', 1],
        ['gone', 1],
      ]),
    });
    await pause(400);
  }
  const client = new Redis(redis.url);
  const fields = await client.hkeys(ticketsKey);
  client.disconnect();
  await close();
  expect(fields.length).toBeLessThan(7);
  expect(fields.every((field) => field.startsWith('a|'))).toBe(true);
});

test.runIf(redisAvailable())(
  'while Redis is away an exchange says so, and afterwards it is as before',
  async () => {
    const { one, close } = await kinds['in Redis']!.open();
    await one.exchange(said(report('a')));
    await redis.kill9();
    await expect(one.exchange(nothing)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await redis.start();
    const again = (): Promise<unknown> => one.exchange(said(report('a'))).catch(() => []);
    await expect.poll(again, { timeout: 10_000 }).toHaveLength(1);
    await close();
  },
);
