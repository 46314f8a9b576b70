import { describe, expect, test } from 'vitest';
import type { PresenceEvent } from '../../src/domain/inbox/inbox.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { Presence, type PresenceDeps } from '../../src/realtime/presence/presence.ts';
import { pairsOf } from '../../src/storage/pairs.ts';

type Listening = Parameters<NonNullable<PresenceDeps['link']>['listen']>;

const [ann, bob, cat, dan] = [1n, 2n, 3n, 4n];
const viewer = { userId: ann, sessionId: 10n, appId: 'default', expiresAtMs: Infinity };
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A node whose viewer ann watches others, as its link and the shards let it. */
async function watching(userIds: readonly bigint[]) {
  /** With whom ann shares a conversation. */
  const sharing = new Set<bigint>(userIds);
  const online = new Set<bigint>();
  const world = { isHeard: true, isShardAway: false, reads: 0, held: Promise.resolve() };
  let listening: Listening = [() => undefined, () => undefined];
  const presence = new Presence({
    conversations: {
      async sharing(pairs) {
        world.reads += 1;
        const [{ isShardAway }, there] = [world, new Set(sharing)];
        await world.held;
        if (isShardAway) throw new Error('the shard is away');
        const both = [...pairs].flatMap(([one, others]) =>
          [...others].map((id) => [one, id] as const),
        );
        const isShared = ([one, other]: readonly [bigint, bigint]) =>
          one === other || there.has(one === ann ? other : one);
        return pairsOf(both.filter(isShared), (pair) => pair);
      },
    },
    sessions: { lastSeen: () => Promise.resolve(new Map()) },
    clock: systemClock,
    log: createLogger({ level: 'silent' }),
    link: {
      get isHeard() {
        return world.isHeard;
      },
      listen: (...given) => (listening = given),
      setUser: () => undefined,
      setSession: () => undefined,
      onlineUsers: (asked) => Promise.resolve(new Set(asked.filter((id) => online.has(id)))),
      isSessionOnline: () => Promise.resolve(false),
    },
    limits: { offlineDelayMs: 5, idsPerCallMax: 8, presencePairsPerRead: 2 },
  });
  const states = await presence.presence(viewer, userIds);
  const told: string[] = [];
  void (async () => {
    for await (const { userId, isOnline } of states as AsyncIterable<PresenceEvent>) {
      told.push(`${userId} ${isOnline ? 'on' : 'off'}`);
    }
  })();
  await pause();
  return {
    ...{ presence, sharing, online, world, told },
    heard: (userId: bigint, isOnline: boolean) => {
      if (isOnline) online.add(userId);
      else online.delete(userId);
      listening[0](userId, isOnline, 1);
    },
    restored: () => listening[1](),
    /** Reads of rights that begin from now on wait until it is called. */
    hold: () => {
      let release = (): void => undefined;
      world.held = new Promise((resolve) => (release = resolve));
      return release;
    },
  };
}

describe('what may have been missed', () => {
  test('a membership and a state: the end of the one keeps the other from being shown', async () => {
    const { told, sharing, online, world, restored, hold } = await watching([bob, cat, dan]);
    expect(told.splice(0)).toEqual(['2 off', '3 off', '4 off']);
    world.isHeard = false;
    sharing.delete(bob);
    for (const userId of [bob, cat, dan]) online.add(userId);
    world.isHeard = true;
    const release = hold();
    restored();
    await pause();
    expect(told).toEqual([]);
    release();
    await pause();
    expect(told).toEqual(['3 on', '4 on']);
  });

  test('and a state that is heard before the rights are read waits for them', async () => {
    const { told, sharing, heard, restored, hold } = await watching([bob, cat]);
    told.length = 0;
    sharing.delete(bob);
    const release = hold();
    restored();
    heard(bob, true);
    heard(cat, true);
    await pause();
    expect(told).toEqual([]);
    release();
    await pause();
    expect(told).toEqual(['3 on']);
  });

  test('rights that were read before they came into doubt again do not count', async () => {
    const { told, sharing, heard, restored, hold } = await watching([bob]);
    told.length = 0;
    const first = hold();
    restored();
    sharing.delete(bob);
    const second = hold();
    restored();
    first();
    await pause();
    heard(bob, true);
    await pause();
    expect(told).toEqual([]);
    second();
    await pause();
    expect(told).toEqual([]);
  });

  test('rights that cannot be read are none', async () => {
    const { told, online, world, heard, restored } = await watching([bob, cat]);
    told.length = 0;
    online.add(bob);
    world.isShardAway = true;
    restored();
    await pause();
    world.isShardAway = false;
    heard(cat, true);
    await pause();
    expect(told).toEqual([]);
  });
});

describe('while other nodes are not heard', () => {
  test('a state is shown to who has the right to it at that moment', async () => {
    const { told, sharing, world, heard, presence } = await watching([ann, bob, cat]);
    expect(told.splice(0)).toEqual(['1 off', '2 off', '3 off']);
    world.isHeard = false;
    sharing.delete(bob);
    for (const userId of [bob, cat]) {
      presence.connected({ ...viewer, userId, sessionId: 20n + userId });
    }
    await pause();
    expect(told.splice(0)).toEqual(['3 on']);
    presence.connected(viewer);
    await pause();
    expect(told.splice(0)).toEqual(['1 on']);
    world.isHeard = true;
    const { reads } = world;
    heard(cat, false);
    await pause();
    expect(world.reads).toBe(reads);
  });

  test('however many states change while rights are read, the next reading is for all of them, and the last states are told', async () => {
    const users = Array.from({ length: 6 }, (_, at) => BigInt(at + 2));
    const { told, world, heard, hold } = await watching(users);
    told.length = 0;
    world.isHeard = false;
    const before = world.reads;
    const release = hold();
    for (const userId of users) heard(userId, true);
    heard(bob, false);
    heard(cat, false);
    heard(cat, true);
    await pause();
    expect(world.reads - before).toBe(1);
    release();
    await pause();
    // One for the first change, and two pairs each for the six users.
    expect(world.reads - before).toBe(4);
    expect(told.sort()).toEqual(['3 on', '4 on', '5 on', '6 on', '7 on']);
  });
});

describe('after other nodes were not heard', () => {
  test('rights are read for several viewers at a time', async () => {
    const users = Array.from({ length: 6 }, (_, at) => BigInt(at + 2));
    const { world, restored, presence } = await watching(users);
    for (const userId of users) await presence.presence({ ...viewer, userId }, [ann]);
    const before = world.reads;
    restored();
    await pause();
    expect(world.reads - before).toBe(4);
  });
});
