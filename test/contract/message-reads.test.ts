import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Viewer } from '../../src/domain/session/viewer.ts';
import { storages } from '../support/accounts.ts';
import { doorsOf, openSeeds, type Doors, type Seeds } from '../support/seeds.ts';

const fault = (code: string): unknown => expect.objectContaining({ name: 'Fault', code });

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`markRead on ${storage.name}`, () => {
    let seeds: Seeds;
    let doors: Doors;
    beforeAll(async () => {
      seeds = await openSeeds(storage);
      doors = doorsOf(seeds);
    });
    afterEach(() => {
      doors.readsCommitted.length = 0;
      seeds.shards.beforeTransaction = () => Promise.resolve();
    });
    afterAll(async () => {
      await doors.messages.stop(1_000);
      await seeds[Symbol.asyncDispose]();
    });

    const markRead = async (viewer: Viewer, id: bigint, seq: number) =>
      (await doors.messages.markRead(viewer, id, seq)).readSeq;
    const stored = async (viewer: Viewer, id: bigint) =>
      (await doors.conversations.enter(viewer, id))?.member.readSeq;
    const untold = async (id: bigint) => {
      const rows = await seeds.plain
        .of(id)
        .sql.query<{ userId: bigint; readSeq: number }>(
          'SELECT userId, readSeq FROM UntoldRead WHERE conversationId = ? ORDER BY userId',
          [id],
        );
      return rows.map(({ userId, readSeq }) => [userId, readSeq]);
    };
    const forget = (id: bigint) =>
      seeds.plain.of(id).sql.execute('DELETE FROM UntoldRead WHERE conversationId = ?', [id]);

    test('a position rises, never falls, and does not pass the end', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 10 });
      expect(await markRead(ann, id, 4)).toBe(4);
      expect(await markRead(ann, id, 2)).toBe(4);
      expect(await markRead(ann, id, 0)).toBe(4);
      expect(await markRead(ann, id, 7)).toBe(7);
      expect(await markRead(ann, id, 2 ** 31 - 1)).toBe(10);
      expect(await stored(ann, id)).toBe(10);
      const entered = await doors.conversations.enterOrFault(ann, id);
      expect(await doors.messages.markRead(ann, id, 10)).toEqual(entered.member);
    });

    test('what rose is noted to be told, and only that', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({
        slot: 1_000,
        members: [{ userId: ann.userId }, { userId: bob.userId, readSeq: 8 }],
        messages: 10,
      });
      await markRead(ann, id, 3);
      await markRead(bob, id, 8);
      await markRead(bob, id, 5);
      expect(await untold(id)).toEqual([[ann.userId, 3]]);
      expect(doors.readsCommitted).toEqual([seeds.shards.of(id).index]);
      await markRead(ann, id, 6);
      expect(await untold(id)).toEqual([[ann.userId, 6]]);
      await forget(id);
      await markRead(ann, id, 6);
      expect(await untold(id)).toEqual([]);
      expect(doors.readsCommitted).toHaveLength(2);
    });

    test('nothing to raise is one statement; reads that arrive together share one transaction', async () => {
      const readers = Array.from({ length: 40 }, () => seeds.viewer());
      const id = await seeds.conversation({
        members: readers.map(({ userId }) => ({ userId })),
        messages: 100,
      });
      const [first] = readers;
      if (!first) throw new Error('no reader');
      seeds.shards.take();
      await markRead(first, id, 0);
      expect(seeds.shards.take()[0]).toBe(1);
      let transactions = 0;
      seeds.shards.beforeTransaction = () => {
        transactions += 1;
        return Promise.resolve();
      };
      const all = await Promise.all(
        readers.flatMap((reader) => [50, 20, 70, 10].map((seq) => markRead(reader, id, seq))),
      );
      // The first call began at once; all others shared the next.
      expect(transactions).toBe(2);
      expect(all.slice(4).every((readSeq) => readSeq === 70)).toBe(true);
      expect(await Promise.all(readers.map((reader) => stored(reader, id)))).toEqual(
        readers.map(() => 70),
      );
      expect(await untold(id)).toEqual(
        readers.map(({ userId }) => [userId, 70]).sort(([a = 0], [b = 0]) => (a < b ? -1 : 1)),
      );
    });

    test('who is no member, or for whom it does not exist yet, finds nothing', async () => {
      const [ann, bob, eve] = [seeds.viewer(), seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({
        kind: 'DIRECT',
        members: [{ userId: ann.userId }, { userId: bob.userId, isListed: false }],
        messages: 3,
      });
      await expect(markRead(eve, id, 1)).rejects.toEqual(fault('NOT_FOUND'));
      await expect(markRead(bob, id, 1)).rejects.toEqual(fault('NOT_FOUND'));
      await expect(markRead(ann, seeds.ids.next(0), 1)).rejects.toEqual(fault('NOT_FOUND'));
      await expect(markRead(ann, id, -1)).rejects.toEqual(fault('INVALID_ARGUMENT'));
      await expect(markRead(eve, id, -1)).rejects.toEqual(fault('INVALID_ARGUMENT'));
      expect(await untold(id)).toEqual([]);
    });

    test('one who is removed between does not come back, and nothing is told', async () => {
      const [ann, bob, eve] = [seeds.viewer(), seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({
        members: [ann, bob, eve].map(({ userId }) => ({ userId })),
        messages: 10,
      });
      const { sql } = seeds.plain.of(id);
      let transactions = 0;
      seeds.shards.beforeTransaction = async () => {
        transactions += 1;
        // Eve's began at once; the other two share the second, which has read their rows by now.
        if (transactions < 2) return;
        await sql.execute('DELETE FROM Member WHERE conversationId = ? AND userId = ?', [
          id,
          bob.userId,
        ]);
      };
      const [, bobs, anns] = await Promise.allSettled([
        markRead(eve, id, 1),
        markRead(bob, id, 5),
        markRead(ann, id, 5),
      ]);
      expect(anns).toMatchObject({ status: 'fulfilled', value: 5 });
      expect(bobs).toMatchObject({ status: 'rejected', reason: fault('NOT_FOUND') });
      expect(await doors.conversations.enter(bob, id)).toBeNull();
      expect(await untold(id)).toEqual([
        [ann.userId, 5],
        [eve.userId, 1],
      ]);
    });

    test('one who came back anew between keeps the position of their new joining', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 10 });
      seeds.shards.beforeTransaction = async () => {
        await seeds.plain
          .of(id)
          .sql.execute('UPDATE Member SET joinedSeq = 11, readSeq = 10 WHERE conversationId = ?', [
            id,
          ]);
      };
      expect(await markRead(ann, id, 5)).toBe(10);
      expect(await stored(ann, id)).toBe(10);
      expect(await untold(id)).toEqual([]);
    });

    test('another node that raised it further between is not undone', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 10 });
      const elsewhere = doorsOf(seeds);
      let isFirst = true;
      seeds.shards.beforeTransaction = async () => {
        if (!isFirst) return;
        isFirst = false;
        await elsewhere.messages.markRead(ann, id, 9);
      };
      expect(await markRead(ann, id, 5)).toBe(9);
      expect(await stored(ann, id)).toBe(9);
      expect(await untold(id)).toEqual([[ann.userId, 9]]);
      expect([...doors.readsCommitted, ...elsewhere.readsCommitted]).toHaveLength(1);
    });

    test('64 clients on several nodes race, and the highest stays', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 64 });
      const nodes = [doors, doorsOf(seeds), doorsOf(seeds), doorsOf(seeds)];
      const answers = await Promise.all(
        Array.from({ length: 64 }, async (_, at) => {
          const seq = ((at * 29) % 64) + 1;
          const node = nodes[at % nodes.length] ?? doors;
          const { readSeq } = await node.messages.markRead(ann, id, seq);
          return readSeq >= seq;
        }),
      );
      expect(answers).not.toContain(false);
      expect(await stored(ann, id)).toBe(64);
      expect(await untold(id)).toEqual([[ann.userId, 64]]);
    });
  });
}
