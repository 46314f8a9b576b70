import { describe, expect, test } from 'vitest';
import type { SessionEnd } from '../../src/domain/session/session.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { Announcements } from '../../src/realtime/nodes/announcements.ts';
import { MemoryBroker, type Hub } from '../../src/realtime/nodes/broker.memory.ts';
import { RedisBroker } from '../../src/realtime/nodes/broker.redis.ts';
import type { Broker } from '../../src/realtime/nodes/broker.ts';
import { anyId } from '../support/inbox-logs.ts';
import { redisAvailable } from '../support/machine.ts';
import { twoRedis } from '../support/two-redis.ts';

const log = createLogger({ level: 'silent' });
const quick = { ...limits, redisAnswerMs: 500, redisPingMs: 200, announcementsRetryMs: 100 };

interface Node {
  readonly announcements: Announcements;
  readonly ended: SessionEnd[];
  readonly removed: [bigint, readonly bigint[]][];
  readonly profiles: bigint[];
}

const { all: redises, stops } = twoRedis();

/** Over which nothing can be said for a while. */
class HeldBroker extends RedisBroker {
  isHeld = false;

  override publish(channel: string, text: string): Promise<void> {
    if (this.isHeld) return Promise.reject(new Error('held'));
    return super.publish(channel, text);
  }
}

async function nodeOf(gate: string, brokers: readonly Broker[]): Promise<Node> {
  const announcements = new Announcements({ gate, brokers, isAlone: false, log, limits: quick });
  const node: Node = { announcements, ended: [], removed: [], profiles: [] };
  announcements.onEnded((end) => node.ended.push(end));
  announcements.onRemoved((id, userIds) => node.removed.push([id, userIds]));
  announcements.onProfileChanged((userId) => node.profiles.push(userId));
  for (const broker of brokers) await broker.start();
  await announcements.start();
  for (const broker of brokers) await broker.subscribe('cluster', () => undefined).ready;
  stops.push(async () => {
    await announcements.stop();
    for (const broker of brokers) await broker.stop(0);
  });
  return node;
}

const kinds: Record<string, { isHere: () => boolean; brokers: () => () => Broker[] }> = {
  'in the memory of a process': {
    isHere: () => true,
    brokers() {
      const hubs: Hub[] = [new Map(), new Map()];
      return () => hubs.map((hub) => new MemoryBroker(hub));
    },
  },
  'over two Redis': {
    isHere: redisAvailable,
    brokers: () => () =>
      redises.map(({ url }) => new RedisBroker({ url, log, limits: { ...limits, ...quick } })),
  },
};

describe.each(Object.entries(kinds).filter(([, { isHere }]) => isHere()))(
  'what nodes tell each other at once, %s',
  (_name, { brokers }) => {
    test('comes to every other node, once, and not to the one that says it', async () => {
      const open = brokers();
      const [one, other, third] = [
        await nodeOf('a.1', open()),
        await nodeOf('b.1', open()),
        await nodeOf('c.1', open()),
      ];
      const users = Array.from({ length: 2_500 }, anyId);
      const conversationId = anyId();
      const end: SessionEnd = { sessionId: anyId(), userId: anyId(), reason: 'DISPLACED' };
      const ends = [end, { ...end, sessionId: anyId(), reason: 'LOGGED_OUT' as const }];
      const [stranger] = users as [bigint];
      for (const one_ of ends) one.announcements.ended(one_);
      one.announcements.removed(conversationId, users);
      one.announcements.profileChanged(stranger);
      for (const node of [other, third]) {
        const count = () => node.removed.flatMap(([, userIds]) => userIds).length;
        await expect.poll(count, { timeout: 10_000 }).toBe(users.length);
        await expect.poll(() => node.ended.length, { timeout: 10_000 }).toBe(ends.length);
        await expect.poll(() => node.profiles, { timeout: 10_000 }).toEqual([stranger]);
        expect(node.ended).toEqual(ends);
        expect(new Set(node.removed.map(([id]) => id))).toEqual(new Set([conversationId]));
        expect(node.removed.flatMap(([, userIds]) => userIds)).toEqual(users);
      }
      expect([one.ended, one.removed, one.profiles]).toEqual([[], [], []]);
    });
  },
);

test.runIf(redisAvailable())(
  'what could not be said while a Redis was away is said when it is back',
  async () => {
    const mine = redises.map(({ url }) => new HeldBroker({ url, log, limits: quick }));
    const others = redises.map(({ url }) => new RedisBroker({ url, log, limits: quick }));
    const [one, other] = [await nodeOf('d.1', mine), await nodeOf('e.1', others)];
    const users = Array.from({ length: 20 }, anyId);
    await redises[1]?.kill9();
    // What is said before the other one listens again is lost: that is no matter here.
    const held = mine[1] as HeldBroker;
    held.isHeld = true;
    others[1]?.onRestored(() => (held.isHeld = false));
    for (const userId of users) one.announcements.profileChanged(userId);
    await redises[1]?.start();
    await expect.poll(() => new Set(other.profiles), { timeout: 20_000 }).toEqual(new Set(users));
  },
);
