import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signIn, signUp } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';
import { World, type Tally } from '../support/verify-action.ts';
import { rounds, Walk, type Action, type Round } from '../support/walk.ts';

/**
 * FAST_CHECK_SEED repeats a run, FAST_CHECK_PATH goes straight to where it failed; WALK_RUNS makes it longer;
 * WALK_SHRINK looks for the shortest walk that fails.
 */
const { FAST_CHECK_SEED, FAST_CHECK_PATH, WALK_RUNS, WALK_SHRINK } = process.env;
const seed = Number(FAST_CHECK_SEED ?? Date.now() % 2 ** 31);
const runs = Number(WALK_RUNS ?? 2);
const msPerRun = 120_000;

const rules = { largeAbove: 4, receiptsUpTo: 3 };
const limits = {
  ...{ readCoalesceMs: 60, advancedCoalesceMs: 60, streamQueueEventsMax: 8 },
  ...{ inboxLogEventsKept: 30, inboxReplayPageEvents: 6 },
};

const quiet = { away: null, isRestarted: false, isWatchedMeanwhile: false, pullEvents: 200 };
const action = (kind: Action['kind'], more: Partial<Action> = {}): Action => ({
  ...{ kind, who: 0, where: 0, whom: [1, 2], number: 0 },
  ...more,
});
/** A small group, a direct conversation, a large group: one after the other, so that they are known by their places. */
const beginning: Round = {
  ...quiet,
  batches: [
    [action('group')],
    [action('open', { whom: [3] })],
    [action('group', { whom: [1, 2, 3, 4] })],
    [0, 1, 2].map((where) => action('say', { where })),
  ],
};
/**
 * What each kind of event tells, so that every walk meets them all: an edit, a read by one who had something unread, a message
 * to a large group; one who is removed and comes back, while another is away longer than its log reaches back.
 */
const eventful: readonly Round[] = [
  {
    ...quiet,
    batches: [
      [action('edit', { number: 1 })],
      [action('read', { who: 1, number: 1 })],
      [action('say', { where: 2 })],
    ],
  },
  {
    ...quiet,
    away: { who: 1, processed: 0 },
    batches: [
      [action('remove', { whom: [2] })],
      ...[0, 1, 2].map(() => [action('burst', { number: 11 })]),
      [action('add', { whom: [2] })],
    ],
  },
  { ...quiet, batches: [[action('say')]] },
];
/** One is away while more happens than its log keeps, wherever the walk has led. */
const ending: Round = {
  ...quiet,
  away: { who: 1, processed: 2 },
  batches: [0, 1, 2, 3].map(() => [0, 1, 2].map((where) => action('burst', { where, number: 11 }))),
};

describe.each(['sqlite', 'mysql'] as const)('a random walk on %s', (engine) => {
  test(
    `events bring everybody to what they should see (FAST_CHECK_SEED=${seed})`,
    async () => {
      await using server = await startTestServer(
        {
          groups: { largeAboveMembers: rules.largeAbove, receiptsUpToMembers: rules.receiptsUpTo },
        },
        { engine, limits },
      );
      let walks = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(rounds, { minLength: 3, maxLength: 7 }), async (middle) => {
          walks += 1;
          const names = Array.from({ length: 5 }, (_, index) => `walk${walks}_${index}`);
          const users = await Promise.all(names.map((name) => signUp(server, name)));
          const phone = await signIn(server, `walk${walks}_0`, { id: 'phone', platform: 'IOS' });
          const tally: Tally = new Map();
          const world = new World(rules, tally);
          await using _ = world;
          await world.watch([...users, phone]);
          const walk = new Walk(server, world, users);
          const end: Round = { ...quiet, batches: [] };
          for (const round of [beginning, ...eventful, ...middle, ending, end]) {
            await walk.go(round);
          }
          // A walk that never met these has shown little.
          const met = Object.fromEntries(tally);
          for (const type of types) expect(met, type).toHaveProperty(type);
        }),
        {
          ...{ seed, numRuns: runs, endOnFailure: WALK_SHRINK === undefined },
          ...(FAST_CHECK_PATH === undefined ? {} : { path: FAST_CHECK_PATH }),
        },
      );
      expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
    },
    runs * msPerRun,
  );
});

const types = [
  ...['MessageAdded', 'MessageChanged', 'ReadAdvanced', 'ConversationChanged'],
  ...['ConversationRemoved', 'ConversationAdvanced', 'InboxReset', 'InboxHeartbeat'],
];
