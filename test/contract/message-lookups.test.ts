import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Viewer } from '../../src/domain/session/session.ts';
import { storages } from '../support/accounts.ts';
import { doorsOf, openSeeds, type Doors, type Seeds } from '../support/seeds.ts';

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`messages for loaders on ${storage.name}`, () => {
    let seeds: Seeds;
    let doors: Doors;
    beforeAll(async () => {
      seeds = await openSeeds(storage);
      doors = doorsOf(seeds);
    });
    afterAll(() => seeds[Symbol.asyncDispose]());

    test('messages come in the order of their keys, null where the viewer may not see one', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      const here = await seeds.conversation({
        slot: 1,
        members: [{ userId: ann.userId }, { userId: bob.userId, joinedSeq: 3 }],
        messages: 5,
      });
      const there = await seeds.conversation({
        slot: 1_000,
        members: [{ userId: bob.userId }],
        messages: 2,
      });
      const hidden = await seeds.conversation({
        slot: 2,
        kind: 'DIRECT',
        members: [{ userId: ann.userId }, { userId: bob.userId, isListed: false }],
        messages: 1,
      });
      const keys = [
        { conversationId: there, seq: 2 },
        { conversationId: here, seq: 2 },
        { conversationId: here, seq: 5 },
        { conversationId: here, seq: 3 },
        { conversationId: here, seq: 6 },
        { conversationId: here, seq: 0 },
        { conversationId: hidden, seq: 1 },
        { conversationId: there, seq: 2 },
        { conversationId: seeds.ids.next(5), seq: 1 },
      ];
      seeds.shards.take();
      const found = await doors.messages.bySeqs(bob, keys);
      expect(found.map((message) => message && [message.conversationId, message.seq])).toEqual([
        [there, 2],
        null,
        [here, 5],
        [here, 3],
        null,
        null,
        null,
        [there, 2],
        null,
      ]);
      expect(seeds.shards.take()).toEqual(seeds.shards.all.map(() => 1));
      expect((await doors.messages.bySeqs(ann, keys)).map((message) => message?.seq)).toEqual([
        undefined,
        2,
        5,
        3,
        undefined,
        undefined,
        1,
        undefined,
        undefined,
      ]);
      expect(await doors.messages.bySeqs(ann, [])).toEqual([]);
    });

    test('many keys are a few statements', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 900 });
      const keys = Array.from({ length: 900 }, (_, at) => ({ conversationId: id, seq: 900 - at }));
      seeds.shards.take();
      const found = await doors.messages.bySeqs(ann, keys);
      expect(found.map((message) => message?.seq)).toEqual(keys.map(({ seq }) => seq));
      expect(seeds.shards.take().reduce((sum, count) => sum + count)).toBe(3);
    });

    test('readers are members at present other than the sender, who may see it and have read so far', async () => {
      const [ann, bob, eve, dan] = [seeds.viewer(), seeds.viewer(), seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({
        slot: 1,
        members: [
          { userId: ann.userId, readSeq: 4 },
          { userId: bob.userId, readSeq: 2 },
          // A newcomer's position is the seq before joining, which they did not read.
          { userId: eve.userId, joinedSeq: 4 },
        ],
        messages: [{ senderId: null }, {}, { senderId: bob.userId }, {}],
      });
      const other = await seeds.conversation({
        slot: 1_000,
        members: [
          { userId: bob.userId, readSeq: 1 },
          { userId: dan.userId, readSeq: 1 },
        ],
        messages: [{ senderId: bob.userId }],
      });
      const keys = [
        { conversationId: id, seq: 1, senderId: null },
        { conversationId: id, seq: 2, senderId: ann.userId },
        { conversationId: id, seq: 3, senderId: bob.userId },
        { conversationId: id, seq: 4, senderId: ann.userId },
        { conversationId: other, seq: 1, senderId: bob.userId },
      ];
      seeds.shards.take();
      expect(await doors.messages.readCounts(bob, keys)).toEqual([2, 1, 1, 0, 1]);
      expect(seeds.shards.take()).toEqual(seeds.shards.all.map(() => 1));
      expect(await doors.messages.readCounts(ann, keys)).toEqual([2, 1, 1, 0, 0]);
      // What eve may not see tells her nothing.
      expect(await doors.messages.readCounts(eve, keys)).toEqual([0, 0, 0, 0, 0]);
      expect(await doors.messages.readCounts(eve, [])).toEqual([]);
    });

    test('readers of a large group are counted as those of a small one, by one look at its members for all who ask', async () => {
      const viewers = Array.from({ length: 40 }, () => seeds.viewer());
      const [ann, bob, left] = viewers as [Viewer, Viewer, Viewer];
      // Positions all over, below the first and beyond the last that is asked for, and people who have read nothing.
      const members = viewers.map(({ userId }, at) => {
        const joinedSeq = at < 25 ? 1 : 1 + ((at * 7) % 30);
        return { userId, joinedSeq, readSeq: Math.min(30, joinedSeq - 1 + ((at * 11) % 31)) };
      });
      const present = members.filter(({ userId }) => userId !== left.userId);
      const twin = { slot: 1, members: present, messages: 30 };
      const small = await seeds.conversation(twin);
      const large = await seeds.conversation({ ...twin, isLarge: true });
      const keysOf = (conversationId: bigint, from: number, to: number) =>
        Array.from({ length: to - from + 1 }, (_, at) => ({
          conversationId,
          seq: from + at,
          senderId: at % 5 === 0 ? null : (viewers[(at * 3) % 40]?.userId ?? null),
        }));
      for (const [from, to] of [
        [1, 30],
        [10, 20],
        [30, 30],
      ] as const) {
        const counts = await doors.messages.readCounts(ann, keysOf(large, from, to));
        expect(counts).toEqual(await doors.messages.readCounts(ann, keysOf(small, from, to)));
        expect(counts.some((count) => count > 0)).toBe(true);
      }
      expect(await doors.messages.readCounts(left, keysOf(large, 1, 30))).toEqual(
        keysOf(large, 1, 30).map(() => 0),
      );

      seeds.shards.take();
      const asked = Array.from({ length: 30 }, (_, at) =>
        doors.messages.readCounts(at % 2 ? ann : bob, keysOf(large, 1 + at, 30)),
      );
      const answers = await Promise.all(asked);
      // Each looks for its right, and a few looks at the members are for all.
      expect(seeds.shards.take().reduce((sum, count) => sum + count)).toBeLessThanOrEqual(30 + 4);
      for (const [at, counts] of answers.entries()) {
        const { userId } = at % 2 ? ann : bob;
        const joinedSeq = members.find((member) => member.userId === userId)?.joinedSeq ?? 0;
        expect(joinedSeq).toBe(1);
        expect(counts).toEqual(await doors.messages.readCounts(ann, keysOf(small, 1 + at, 30)));
      }

      // Nothing is kept: what is committed before somebody asks counts.
      const eve = present.find(({ readSeq, joinedSeq }) => joinedSeq === 1 && readSeq < 30);
      const last = { conversationId: large, seq: 30, senderId: null };
      const [before = 0] = await doors.messages.readCounts(ann, [last]);
      await seeds.plain
        .of(large)
        .sql.execute('UPDATE Member SET readSeq = 30 WHERE conversationId = ? AND userId = ?', [
          large,
          eve?.userId ?? 0n,
        ]);
      expect(await doors.messages.readCounts(ann, [last])).toEqual([before + 1]);
    });
  });
}
