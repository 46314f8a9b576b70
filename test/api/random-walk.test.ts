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
/** A small group, a direct conversation, a large group. */
const beginning: Round = {
  ...quiet,
  batches: [
    [action('group'), action('open', { whom: [3] }), action('group', { whom: [1, 2, 3, 4] })],
    [0, 1, 2].map((where) => action('say', { where })),
  ],
};
/** One is away while more happens than its log keeps. */
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
      const tally: Tally = new Map();
      let walks = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(rounds, { minLength: 3, maxLength: 7 }), async (middle) => {
          walks += 1;
          const names = Array.from({ length: 5 }, (_, index) => `walk${walks}_${index}`);
          const users = await Promise.all(names.map((name) => signUp(server, name)));
          const phone = await signIn(server, `walk${walks}_0`, { id: 'phone', platform: 'IOS' });
          const world = new World(rules, tally);
          await using _ = world;
          await world.watch([...users, phone]);
          const walk = new Walk(server, world, users);
          for (const round of [beginning, ...middle, ending, { ...quiet, batches: [] }]) {
            await walk.go(round);
          }
        }),
        {
          ...{ seed, numRuns: runs, endOnFailure: WALK_SHRINK === undefined },
          ...(FAST_CHECK_PATH === undefined ? {} : { path: FAST_CHECK_PATH }),
        },
      );
      // A walk that never met these has shown little.
      const met = Object.fromEntries(tally);
      // A short walk may miss what comes with a delay by chance; a long one has to meet everything.
      const wanted = runs > 2 ? rare : rare.filter((type) => type in always);
      for (const type of wanted) expect(met, type).toHaveProperty(type);
      expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
    },
    runs * msPerRun,
  );
});

/** What even a short walk cannot miss. */
const always = { MessageAdded: true, ConversationChanged: true, InboxHeartbeat: true };

const rare = [
  ...['MessageAdded', 'MessageChanged', 'ReadAdvanced', 'ConversationChanged'],
  ...['ConversationRemoved', 'ConversationAdvanced', 'InboxReset', 'InboxHeartbeat'],
];
