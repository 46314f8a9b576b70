import { describe, expect, test } from 'vitest';
import type { PresenceEvent } from '../../src/domain/inbox/inbox.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { RedisBroker } from '../../src/realtime/nodes/broker.redis.ts';
import { Stays } from '../../src/realtime/nodes/stays.redis.ts';
import { PresenceLink } from '../../src/realtime/presence/presence-link.ts';
import { Presence } from '../../src/realtime/presence/presence.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { viewerOf } from '../support/doors.ts';
import { anyId } from '../support/inbox-logs.ts';
import { redisAvailable } from '../support/machine.ts';
import { twoRedis } from '../support/two-redis.ts';

const log = createLogger({ level: 'silent' });
const bounds = { ...limits, offlineDelayMs: 400, redisEpochPollMs: 100 };
const withinMs = { timeout: 15_000, interval: 20 };

const { all: redises, stops } = twoRedis();

/** All share a conversation; who is gone was last seen at that time. */
async function presenceOf(link: PresenceLink | null): Promise<Presence> {
  const presence = new Presence({
    conversations: { sharing: (pairs) => Promise.resolve(pairs) },
    sessions: {
      lastSeen: (userIds) => Promise.resolve(new Map(userIds.map((userId) => [userId, 7]))),
    },
    clock: systemClock,
    log,
    link,
    limits: bounds,
  });
  await presence.start();
  stops.push(() => presence.stop());
  return presence;
}

async function nodeOverRedis(name: string): Promise<Presence> {
  const urls = redises.map(({ url }) => url);
  const brokers = urls.map((url) => new RedisBroker({ url, log, limits: bounds }));
  const buckets = new RedisBuckets(urls, { log, limits: bounds });
  const stays = new Stays({ buckets, gate: name, clock: systemClock, log, limits: bounds });
  const link = new PresenceLink({ stays, brokers });
  for (const part of [...brokers, buckets, stays, link]) await part.start();
  const presence = await presenceOf(link);
  for (const broker of brokers) await broker.subscribe('presence', () => undefined).ready;
  stops.push(async () => {
    await link.stop();
    await stays.stop();
    await buckets.stop();
    for (const broker of brokers) await broker.stop();
  });
  return presence;
}

/** Where somebody looks, and where those are whom they look at. */
type Open = () => Promise<readonly [here: Presence, there: Presence]>;

const kinds: Record<string, { isHere: () => boolean; open: Open }> = {
  'on a node that is alone': {
    isHere: () => true,
    async open() {
      const presence = await presenceOf(null);
      return [presence, presence];
    },
  },
  'on two nodes, over two Redis': {
    isHere: redisAvailable,
    open: async () => [await nodeOverRedis('here.1'), await nodeOverRedis('there.1')],
  },
};

describe.each(Object.entries(kinds).filter(([, { isHere }]) => isHere()))(
  'who is online, %s',
  (_name, { open }) => {
    test('the present states come first, then changes, and none is told twice', async () => {
      const [here, there] = await open();
      const [ann, bob, cat] = [viewerOf(anyId()), viewerOf(anyId()), viewerOf(anyId())];
      const again = { ...bob, sessionId: anyId() };
      there.connected(bob);
      const sees = await watch(here, ann.userId, [bob.userId, cat.userId]);
      await expect.poll(() => sees.told.length >= 2, withinMs).toBe(true);
      // What was said a moment ago may be on its way.
      await expect.poll(() => sees.now(bob.userId), withinMs).toBe(true);
      expect(sees.now(cat.userId)).toBe(false);
      const { length } = sees.told;
      there.connected(bob);
      there.connected(again);
      there.connected(cat);
      await expect.poll(() => sees.now(cat.userId), withinMs).toBe(true);
      there.disconnected(bob);
      there.disconnected(bob);
      await pause(2 * bounds.offlineDelayMs);
      expect(sees.now(bob.userId)).toBe(true);
      const leftAtMs = Date.now();
      there.disconnected(again);
      await expect.poll(() => sees.now(bob.userId), withinMs).toBe(false);
      expect(Date.now() - leftAtMs).toBeGreaterThanOrEqual(bounds.offlineDelayMs - 50);
      const { lastSeenAtMs } = sees.told.at(-1) ?? {};
      expect(Math.abs((lastSeenAtMs ?? 0) - leftAtMs)).toBeLessThan(300);
      expect(sees.told.slice(length).map(({ userId, isOnline }) => [userId, isOnline])).toEqual([
        [cat.userId, true],
        [bob.userId, false],
      ]);
    });

    test('who comes back in time was never away', async () => {
      const [here, there] = await open();
      const [ann, bob] = [viewerOf(anyId()), viewerOf(anyId())];
      there.connected(bob);
      const sees = await watch(here, ann.userId, [bob.userId]);
      await expect.poll(() => sees.now(bob.userId), withinMs).toBe(true);
      const { length } = sees.told;
      there.disconnected(bob);
      await pause(bounds.offlineDelayMs / 2);
      // Anywhere.
      here.connected(bob);
      await pause(3 * bounds.offlineDelayMs);
      expect(sees.told.slice(length)).toEqual([]);
    });

    test('a session is online where it has a connection, and a while longer', async () => {
      const [here, there] = await open();
      const bob = viewerOf(anyId());
      const isOnline = () => here.isSessionOnline(bob.sessionId);
      expect(await isOnline()).toBe(false);
      there.connected(bob);
      await expect.poll(isOnline, withinMs).toBe(true);
      there.disconnected(bob);
      expect(await isOnline()).toBe(true);
      await expect.poll(isOnline, withinMs).toBe(false);
    });
  },
);

/** What one who looks is told, and what they take for true by it. */
async function watch(presence: Presence, viewerId: bigint, userIds: readonly bigint[]) {
  const told: PresenceEvent[] = [];
  const states = await presence.presence(viewerOf(viewerId), userIds);
  void (async () => {
    for await (const event of states) told.push(event);
  })();
  return {
    told,
    now: (userId: bigint) => told.findLast((event) => event.userId === userId)?.isOnline,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
