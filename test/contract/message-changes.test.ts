import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storages } from '../support/accounts.ts';
import { doorsOf, openSeeds, type Doors, type Seeds } from '../support/seeds.ts';

const fault = (code: string): unknown => expect.objectContaining({ name: 'Fault', code });

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`changes of messages on ${storage.name}`, () => {
    let seeds: Seeds;
    let doors: Doors;
    beforeAll(async () => {
      seeds = await openSeeds(storage);
      doors = doorsOf(seeds);
    });
    afterAll(() => seeds[Symbol.asyncDispose]());

    /** Seq 1 was changed twice, the last time as change 5; seq 2, 3, 4 once each. */
    const changed = {
      messages: [{ changeSeq: 5 }, { changeSeq: 3 }, { changeSeq: 2 }, { changeSeq: 4 }, {}],
      changes: [1, 3, 2, 4, 1],
    };

    test('each changed message comes once, where its latest change stands', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], ...changed });
      const membership = await doors.conversations.enterOrFault(ann, id);
      const page = async (after: number, first: number) => {
        const { messages, ...rest } = await doors.messages.changes(membership, after, first);
        return { seqs: messages.map(({ seq }) => seq), ...rest };
      };
      expect(await page(0, 50)).toEqual({ seqs: [3, 2, 4, 1], endChangeSeq: 5, hasMore: false });
      expect(await page(0, 4)).toEqual({ seqs: [3, 2, 4, 1], endChangeSeq: 5, hasMore: false });
      expect(await page(0, 2)).toEqual({ seqs: [3, 2], endChangeSeq: 3, hasMore: true });
      expect(await page(3, 2)).toEqual({ seqs: [4, 1], endChangeSeq: 5, hasMore: false });
      expect(await page(2, 1)).toEqual({ seqs: [2], endChangeSeq: 3, hasMore: true });
      expect(await page(5, 50)).toEqual({ seqs: [], endChangeSeq: 5, hasMore: false });
      expect(await page(1, 0)).toEqual({ seqs: [], endChangeSeq: 1, hasMore: true });
      expect(await page(5, 0)).toEqual({ seqs: [], endChangeSeq: 5, hasMore: false });
    });

    test('what changed from before the joining is passed over, and yet the end is the conversation’s', async () => {
      const [ann, bob, eve] = [seeds.viewer(), seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({
        members: [
          { userId: ann.userId },
          { userId: bob.userId, joinedSeq: 3 },
          { userId: eve.userId, joinedSeq: 5 },
        ],
        ...changed,
      });
      const bobs = await doors.conversations.enterOrFault(bob, id);
      expect(await doors.messages.changes(bobs, 0, 50)).toMatchObject({
        messages: [{ seq: 3 }, { seq: 4 }],
        endChangeSeq: 5,
        hasMore: false,
      });
      const eves = await doors.conversations.enterOrFault(eve, id);
      expect(await doors.messages.changes(eves, 0, 50)).toEqual({
        messages: [],
        endChangeSeq: 5,
        hasMore: false,
      });
    });

    test('a conversation without changes has none, by one statement', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 3 });
      const membership = await doors.conversations.enterOrFault(ann, id);
      seeds.shards.take();
      expect(await doors.messages.changes(membership, 0, 50)).toEqual({
        messages: [],
        endChangeSeq: 0,
        hasMore: false,
      });
      expect(seeds.shards.take().reduce((sum, count) => sum + count)).toBe(1);
    });

    test('a log that is nearly all overtaken is looked through in bounded parts', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({
        members: [{ userId: ann.userId }],
        messages: [{ changeSeq: 12_000 }],
        changes: Array.from({ length: 12_000 }, () => 1),
      });
      const membership = await doors.conversations.enterOrFault(ann, id);
      const seen: number[] = [];
      let pages = 0;
      for (let after = 0, hasMore = true; hasMore; pages += 1) {
        const page = await doors.messages.changes(membership, after, 50);
        expect(page.endChangeSeq).toBeGreaterThan(after);
        seen.push(...page.messages.map(({ seq }) => seq));
        ({ endChangeSeq: after, hasMore } = page);
      }
      expect(seen).toEqual([1]);
      expect(pages).toBe(3);
    });

    test('an end beyond changeSeq, a negative one and a wrong size are no arguments', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], ...changed });
      const membership = await doors.conversations.enterOrFault(ann, id);
      for (const [after, first] of [
        [-1, 50],
        [6, 50],
        [2 ** 31, 50],
        [0, -1],
        [0, 201],
      ] as const) {
        await expect(
          doors.messages.changes(membership, after, first),
          `${after} ${first}`,
        ).rejects.toEqual(fault('INVALID_ARGUMENT'));
      }
      expect((await doors.messages.changes(membership, 0, 200)).messages).toHaveLength(4);
    });
  });
}
