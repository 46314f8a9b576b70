import { expect, test } from 'vitest';
import type { TypingEvent } from '../../src/domain/inbox/inbox.ts';
import { Typing, type TypingDeps } from '../../src/realtime/presence/typing.ts';

type Listener = Parameters<TypingDeps['news']['listen']>[0];

const [ann, bob, cat] = [1n, 2n, 3n];
const conversation = 9n;
const viewerOf = (userId: bigint) => ({
  ...{ userId, sessionId: 10n * userId, appId: 'default', expiresAtMs: Infinity },
});
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A node where bob and cat watch a group of theirs with ann. */
async function watched() {
  const world = { isHeard: true, removed: new Set<bigint>(), lookups: 0 };
  let listener: Listener = {};
  const typing = new Typing({
    news: {
      attend: () => ({ ready: Promise.resolve(), begin: () => undefined, end: () => undefined }),
      isHeard: () => world.isHeard,
      listen: (given) => void (listener = given),
      say: () => undefined,
    },
    conversations: {
      enterOrFault: () => Promise.resolve(),
      strangers: (_id, userIds) => {
        world.lookups += 1;
        return Promise.resolve(userIds.filter((userId) => world.removed.has(userId)));
      },
    },
    limits: { typingTtlMs: 60_000 },
  });
  const watch = async (userId: bigint) => {
    const told: string[] = [];
    const states = await typing.typing(viewerOf(userId), conversation);
    void (async () => {
      for await (const event of states as AsyncIterable<TypingEvent>) {
        told.push(`${event.userId} ${event.isTyping ? 'types' : 'stops'}`);
      }
      told.push('end');
    })();
    return told;
  };
  return {
    ...{ typing, world, bobs: await watch(bob), cats: await watch(cat) },
    heard: (word: string) => listener.onWord?.(conversation, word),
  };
}

test('an end of a membership that may have been missed is looked up before typing is told', async () => {
  const { typing, world, bobs, cats } = await watched();
  world.isHeard = false;
  world.removed.add(bob);
  await typing.setTyping(viewerOf(ann), conversation, true);
  await pause();
  expect(bobs).toEqual(['end']);
  expect(cats).toEqual(['1 types']);
  await typing.setTyping(viewerOf(ann), conversation, false);
  await pause();
  expect(cats).toEqual(['1 types', '1 stops']);
});

test('what other nodes say of typing counts when it is sure who may be told', async () => {
  const { world, bobs, cats, heard } = await watched();
  world.isHeard = false;
  heard('typing 1 1');
  await pause();
  expect([bobs, cats]).toEqual([[], []]);
  world.isHeard = true;
  heard('typing 1 1');
  await pause();
  expect([bobs, cats]).toEqual([['1 types'], ['1 types']]);
  world.isHeard = false;
  heard('typing 1 0');
  await pause();
  expect(bobs).toEqual(['1 types', '1 stops']);
});

test('nobody is looked up while nothing can have been missed', async () => {
  const { typing, world, bobs } = await watched();
  await typing.setTyping(viewerOf(ann), conversation, true);
  await pause();
  expect(bobs).toEqual(['1 types']);
  expect(world.lookups).toBe(0);
});
