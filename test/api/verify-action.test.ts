import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { UpdateProfileDocument } from '../../client/generated/documents.ts';
import { messageOf } from '../support/chat.ts';
import { signIn, signUp, type TestUser } from '../support/clients.ts';
import {
  open,
  say,
  edit,
  recall,
  read,
  group,
  add,
  remove,
  leave,
  rename,
  setRole,
} from '../support/deeds.ts';
import { claim, credit, sendPacket, serverKeys } from '../support/money.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { World } from '../support/verify-action.ts';

const rules = { largeAbove: 6, receiptsUpTo: 4 };

describe.each(['sqlite', 'mysql'] as const)('applying events gives the answer, on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer(
      {
        groups: { largeAboveMembers: rules.largeAbove, receiptsUpToMembers: rules.receiptsUpTo },
        ...{ serverKeys, apps: ['default', 'other'] },
      },
      {
        engine,
        limits: { readCoalesceMs: 100, advancedCoalesceMs: 100, inboxReplayPageEvents: 7 },
      },
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  let worlds = 0;
  /** So many users of their own, each with a device that listens. */
  async function newWorld(count: number): Promise<{ world: World; users: TestUser[] }> {
    const name = (index: number): string => `w${worlds}_${index}`;
    worlds += 1;
    const users = await Promise.all(
      Array.from({ length: count }, (_, index) => signUp(server, name(index))),
    );
    const world = new World(rules);
    await world.watch(users);
    return { world, users };
  }

  test('direct conversations: opened, written to, read, edited, recalled', async () => {
    const { world, users } = await newWorld(3);
    await using _ = world;
    const [ann, bob] = users as [TestUser, TestUser];
    const id = await world.verify(() => open(ann, bob));
    // Opened from the other side before it exists for it, and by one alone.
    expect(await world.verify(() => open(bob, ann))).toBe(id);
    await world.verify(() => say(ann, id, 'one'));
    const { message } = (await world.verify(() => say(bob, id, 'two', 1))).sendMessage;
    expect(message.seq).toBe(2);
    await world.verify(() => read(ann, id, 2));
    await world.verify(() => edit(bob, id, 2, 'two, edited'));
    await world.verify(() => recall(ann, id, 1));
    await world.verify(() => say(bob, id, 'three', 1));
    const own = await world.verify(() => open(ann, ann));
    await world.verify(() => say(ann, own, 'a note'));
    // The same again changes nothing, and tells nothing that would.
    await world.verify(() => say(bob, id, 'three', 1));
    await world.verify(() => recall(ann, id, 1));
    await world.verify(() => ann.query(UpdateProfileDocument, { input: { displayName: 'Ann' } }));
  });

  test('money: credited, put into a group, taken out of it', async () => {
    const { world, users } = await newWorld(4);
    await using _ = world;
    const [ann, bob, cid, dan] = users as [TestUser, TestUser, TestUser, TestUser];
    await world.verify(() => credit(server, ann, 1_000));
    const id = await world.verify(() => group(ann, bob, cid, dan));
    const sent = await world.verify(() => sendPacket(ann, id, { total: 90, count: 3 }));
    const { message, redPacket } = sent;
    /** Until what became of the packet is told, as a change of its message. */
    const told = async (changes: number): Promise<void> => {
      await vi.waitUntil(
        async () => ((await messageOf(ann, id, message.seq))?.changeSeq ?? 0) >= changes,
        { timeout: 10_000 },
      );
    };
    for (const [index, user] of [bob, ann, cid].entries()) {
      await world.verify(async () => {
        await claim(user, redPacket.id);
        await told(index + 1);
      });
    }
    // Who comes too late changes nothing.
    await world.verify(() => claim(dan, redPacket.id));
    await world.verify(() => Promise.all(users.map((user) => credit(server, user, 7))));
  });

  test('a first message makes the conversation exist for the other side', async () => {
    const { world, users } = await newWorld(2);
    await using _ = world;
    const [ann, bob] = users as [TestUser, TestUser];
    const id = await world.verify(() => open(ann, bob));
    await world.verify(() => Promise.all(['a', 'b', 'c'].map((text) => say(ann, id, text))));
    await world.verify(() => read(bob, id, 2));
    await world.verify(() => read(bob, id, 1));
    await world.verify(() => read(bob, id, 1_000));
  });

  test('small groups: joined, renamed, handed over, left, joined again', async () => {
    const { world, users } = await newWorld(5);
    await using _ = world;
    const [ann, bob, cat, dan] = users as [TestUser, TestUser, TestUser, TestUser];
    const id = await world.verify(() => group(ann, bob));
    await world.verify(() => say(bob, id, 'before cat'));
    await world.verify(() => edit(bob, id, 2, 'before cat, edited'));
    await world.verify(() => add(bob, id, cat));
    // Not seen by who came later: neither the change nor what is replied to.
    await world.verify(() => edit(bob, id, 2, 'changed again'));
    await world.verify(() => say(cat, id, 'to a reply', 3));
    await world.verify(() => say(bob, id, 'to one before', 2));
    await world.verify(() => rename(ann, id, 'Renamed'));
    await world.verify(() => setRole(ann, id, bob, 'ADMIN'));
    await world.verify(() => setRole(ann, id, cat, 'OWNER'));
    await world.verify(() => leave(cat, id));
    await world.verify(() => add(bob, id, cat, dan));
    await world.verify(() => read(cat, id, 1_000));
    await world.verify(() => remove(ann, id, cat));
    await world.verify(() => say(ann, id, 'without cat'));
    await world.verify(() => add(ann, id, cat));
    await world.verify(() => leave(ann, id));
    for (const user of [dan, cat, bob]) await world.verify(() => leave(user, id));
  });

  test('what several do at once, seen by one who starts meanwhile and by pages of any length', async () => {
    const { world, users } = await newWorld(5);
    await using _ = world;
    const [ann, bob, cat, dan] = users as [TestUser, TestUser, TestUser, TestUser];
    const id = await world.verify(() => group(ann, bob, cat));
    const other = await world.verify(() => open(bob, dan));
    for (const pullEvents of [1, 2, 3, 5]) {
      const texts = Array.from({ length: 6 }, (_, index) => `${pullEvents} ${index}`);
      await world.verify(
        () =>
          Promise.all([
            ...texts.map((text, index) => say([ann, bob, cat][index % 3]!, id, text)),
            add(ann, id, dan),
            ...texts.map((text) => say(bob, other, text)),
            // The first time some of them are not there yet.
            ...[1, 2, 3, 4].map((seq) =>
              edit(bob, other, seq, `edit ${pullEvents}`).catch(() => undefined),
            ),
            read(cat, id, 1_000),
            rename(ann, id, `text ${pullEvents}`),
          ]),
        { pullEvents, isWatchedMeanwhile: true },
      );
      // A run that the removal and the joining cut, within few batches.
      await world.verify(
        () =>
          Promise.all([
            ...texts.map((text) => say(bob, id, `again ${text}`)),
            remove(ann, id, dan),
            ...texts.map((text) => say(cat, id, `and again ${text}`)),
            add(bob, id, dan),
            ...texts.map((text) => say(ann, id, `at last ${text}`)),
          ]),
        { pullEvents, isWatchedMeanwhile: true },
      );
      await world.verify(() => remove(ann, id, dan));
    }
  });

  test('large groups: pulled on notice, over both crossings', async () => {
    const { world, users } = await newWorld(9);
    await using _ = world;
    const [ann, bob, cat, dan, eve, fay, gus, hal] = users as [
      ...[TestUser, TestUser, TestUser, TestUser],
      ...[TestUser, TestUser, TestUser, TestUser],
    ];
    const id = await world.verify(() => group(ann, bob, cat, dan, eve));
    await world.verify(() => say(bob, id, 'small'));
    await world.verify(() =>
      Promise.all([say(ann, id, 'x'), add(ann, id, fay), say(cat, id, 'y')]),
    );
    await world.verify(() =>
      Promise.all([say(ann, id, 'before'), add(ann, id, gus), say(cat, id, 'after')]),
    );
    await world.verify(() => say(bob, id, 'large', 1));
    await world.verify(() => edit(bob, id, 2, 'small, edited'));
    await world.verify(() => recall(ann, id, 2));
    await world.verify(() => rename(ann, id, 'Many'));
    await world.verify(() => read(bob, id, 1_000));
    await world.verify(() => setRole(ann, id, dan, 'ADMIN'));
    await world.verify(() => setRole(ann, id, bob, 'OWNER'));
    await world.verify(() => Promise.all([add(cat, id, hal), say(ann, id, 'welcome')]), {
      isWatchedMeanwhile: true,
    });
    await world.verify(() => remove(bob, id, gus));
    await world.verify(() => leave(bob, id));
    await world.verify(() => add(cat, id, gus, bob));
    const gone = [gus, hal, fay];
    for (const user of gone) await world.verify(() => remove(ann, id, user));
    // Too few for the large regime again, with messages on both sides of the crossing.
    await world.verify(() =>
      Promise.all([say(cat, id, 'p'), remove(ann, id, eve), say(bob, id, 'q'), say(cat, id, 'r')]),
    );
    await world.verify(() => say(cat, id, 'small again'));
    await world.verify(() => edit(cat, id, 2, 'no more').catch(() => undefined));
    await world.verify(() => leave(bob, id));
    await world.verify(() => read(cat, id, 1_000));
    expect(world.tally.get('ConversationAdvanced')).toBeGreaterThan(8);
  });

  test("a second device of one's own hears of all that the first one does", async () => {
    const { world, users } = await newWorld(2);
    await using _ = world;
    const [ann, bob] = users as [TestUser, TestUser];
    const phone = await signIn(server, ann.username, { id: 'phone', platform: 'IOS' });
    await world.watch([phone]);
    const id = await world.verify(() => open(phone, bob));
    await world.verify(() => say(phone, id, 'from the phone'));
    await world.verify(() => say(bob, id, 'an answer'));
    await world.verify(() => read(phone, id, 2));
    const group_ = await world.verify(() => group(ann, bob));
    await world.verify(() => say(bob, group_, 'to both'));
    await world.verify(() => read(ann, group_, 2));
    await world.verify(() => leave(phone, group_));
    for (const type of ['ReadAdvanced', 'ConversationRemoved', 'ConversationChanged']) {
      expect(world.tally.get(type)).toBeGreaterThan(0);
    }
  });

  test('over a restart, and whatever was not processed before', async () => {
    const { world, users } = await newWorld(3);
    await using _ = world;
    const [ann, bob, cat] = users as [TestUser, TestUser, TestUser];
    const id = await world.verify(() => group(ann, bob, cat));
    await world.mirrors[1]?.disconnect();
    await world.verify(async () => {
      for (const text of ['a', 'b']) await say(ann, id, text);
      await server.restart();
      await edit(ann, id, 2, 'a, edited');
      await read(cat, id, 3);
      await remove(ann, id, cat);
      await world.mirrors[1]?.connect();
    });
  });
});
