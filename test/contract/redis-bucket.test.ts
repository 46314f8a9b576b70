import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { redisAvailable } from '../support/machine.ts';
import { startRedis } from '../support/redis.ts';

const quick = { ...limits, redisEpochPollMs: 50 };
/** What a connection says of itself. */
const greetings = new Set(['hello', 'auth', 'select', 'client']);

function bucketsAt(url: string) {
  const lines: { event: string }[] = [];
  const log = createLogger(
    { level: 'error' },
    { write: (line: string) => void lines.push(JSON.parse(line) as { event: string }) },
  );
  return { lines, buckets: new RedisBuckets([url], { log, limits: quick }) };
}

test.skipIf(!redisAvailable())(
  'on a new connection Redis is asked what it is before anything else is said',
  async () => {
    await using redis = await startRedis();
    const client = new Redis(redis.url);
    const monitor = await client.monitor();
    /** By connection. */
    const said = new Map<string, string[]>();
    monitor.on('monitor', (_time: string, [command = '']: string[], source: string) => {
      // What a script does is said by no connection.
      if (source !== 'lua') said.set(source, [...(said.get(source) ?? []), command.toLowerCase()]);
    });
    const own = await client.call('CLIENT', 'INFO');
    const { buckets } = bucketsAt(redis.url);
    const [bucket] = buckets.all;
    await buckets.start();
    let isOver = false;
    // Whoever has something to say does not wait to be let.
    const talking = (async () => {
      while (!isOver) {
        await bucket?.call('GET', 'anything').catch(() => undefined);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const connections = 5;
    for (let index = 1; index < connections; index += 1) {
      const begun = (): string[] => [...said].filter(isTalking).map(([source]) => source);
      await expect.poll(begun, { timeout: 10_000 }).toHaveLength(index);
      await client.call('CLIENT', 'KILL', 'ADDR', begun().at(-1) ?? '');
    }
    await expect.poll(() => [...said].filter(isTalking).length).toBe(connections);
    isOver = true;
    await talking;
    await buckets.stop();
    monitor.disconnect();
    client.disconnect();
    for (const [source, commands] of said) {
      if (String(own).includes(`addr=${source} `)) continue;
      const first = commands.find((command) => !greetings.has(command));
      expect(first).toBe('info');
    }
  },
);

function isTalking([, commands]: [string, string[]]): boolean {
  return commands.includes('get');
}

test.skipIf(!redisAvailable()).each([
  ['volatile-lru', ['redis.evicts']],
  ['noeviction', []],
])('a Redis that is full and keeps %s is told of', async (policy, events) => {
  await using redis = await startRedis([
    ...['--maxmemory', '100mb'],
    ...['--maxmemory-policy', policy],
  ]);
  const { buckets, lines } = bucketsAt(redis.url);
  await buckets.start();
  expect(buckets.isUp).toBe(true);
  await buckets.stop();
  expect(lines.map(({ event }) => event)).toEqual(events);
});
