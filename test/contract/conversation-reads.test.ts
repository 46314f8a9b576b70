import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Viewer } from '../../src/domain/session/viewer.ts';
import { storages } from '../support/accounts.ts';
import { doorsOf, openSeeds, type Doors, type Seeds } from '../support/seeds.ts';

const fault = (code: string): unknown => expect.objectContaining({ name: 'Fault', code });

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`conversations on ${storage.name}`, () => {
    let seeds: Seeds;
    let doors: Doors;
    beforeAll(async () => {
      seeds = await openSeeds(storage);
      doors = doorsOf(seeds);
    });
    afterAll(() => seeds[Symbol.asyncDispose]());

    const one = () => seeds.shards.all.map(() => 1);
    const listed = async (viewer: Viewer, first: number, after: string | null = null) => {
      const page = await doors.conversations.list(viewer, { first, after });
      return { ...page, ids: page.memberships.map(({ head }) => head.id) };
    };

    test('who is a member enters; unknown, foreign and not yet existing look the same', async () => {
      const [ann, bob, eve] = [seeds.viewer(), seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({
        slot: 900,
        kind: 'DIRECT',
        members: [
          { userId: ann.userId, readSeq: 1 },
          { userId: bob.userId, isListed: false },
        ],
        messages: 3,
      });
      seeds.shards.take();
      const membership = await doors.conversations.enter(ann, id);
      expect(seeds.shards.take().reduce((sum, count) => sum + count)).toBe(1);
      expect(membership).toMatchObject({
        viewerId: ann.userId,
        unreadCount: 2,
        head: {
          id,
          appId: 'default',
          kind: 'DIRECT',
          title: null,
          lastSeq: 3,
          memberCount: 2,
          isLarge: false,
        },
        member: {
          conversationId: id,
          userId: ann.userId,
          role: 'MEMBER',
          joinedSeq: 1,
          readSeq: 1,
          isListed: true,
        },
      });
      expect(await doors.conversations.enter(bob, id)).toBeNull();
      expect(await doors.conversations.enter(eve, id)).toBeNull();
      expect(await doors.conversations.enter(ann, seeds.ids.next(3))).toBeNull();
      await expect(doors.conversations.enterOrFault(eve, id)).rejects.toEqual(fault('NOT_FOUND'));
      expect(await doors.conversations.publicHead(id)).toEqual({
        id,
        kind: 'DIRECT',
        createdAtMs: seeds.clock.now(),
      });
      expect(await doors.conversations.publicHead(seeds.ids.next(3))).toBeNull();
    });

    test('many are entered by one statement a shard', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      const ids: bigint[] = [];
      for (const slot of [1, 2, 600, 1_000]) {
        ids.push(await seeds.conversation({ slot, members: [{ userId: ann.userId }] }));
      }
      const foreign = await seeds.conversation({ slot: 3, members: [{ userId: bob.userId }] });
      seeds.shards.take();
      const entered = await doors.conversations.enterAll(ann, [...ids, foreign, ...ids]);
      expect(seeds.shards.take()).toEqual(one());
      expect([...entered.keys()].sort()).toEqual([...ids].sort());
      for (const [id, membership] of entered) expect(membership.head.id).toBe(id);
      expect(await doors.conversations.enterAll(ann, [])).toEqual(new Map());
    });

    test('the list comes latest activity first from all shards, a page by one statement a shard', async () => {
      const ann = seeds.viewer();
      const now = seeds.clock.now();
      const made: { id: bigint; activityAtMs: number }[] = [];
      for (let at = 0; at < 23; at += 1) {
        // Several of the same time, over all shards.
        const activityAtMs = now + ((at * 7) % 5) * 1_000;
        const id = await seeds.conversation({
          slot: (at * 389) % 1024,
          members: [{ userId: ann.userId }],
          activityAtMs,
        });
        made.push({ id, activityAtMs });
      }
      await seeds.conversation({ members: [{ userId: ann.userId, isListed: false }] });
      const expected = made
        .sort((a, b) => b.activityAtMs - a.activityAtMs || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      for (const size of [1, 4, 23, 50]) {
        const seen: bigint[] = [];
        for (let after: string | null = null, more = true; more;) {
          seeds.shards.take();
          const page = await listed(ann, size, after);
          expect(seeds.shards.take()).toEqual(one());
          expect(page.hasPreviousPage).toBe(seen.length > 0);
          seen.push(...page.ids);
          expect(page.hasNextPage).toBe(seen.length < expected.length);
          const last = page.memberships.at(-1);
          if (!last) throw new Error('a page that should not be empty');
          after = doors.conversations.listCursor(last);
          more = page.hasNextPage;
        }
        expect(seen).toEqual(expected);
      }
    });

    test('the list brings the newest message of each with it, where it is asked to, and of what the viewer may see', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      const recalled = { recalledBy: bob.userId, changeSeq: 1 };
      const made: bigint[] = [];
      for (const [at, messages] of [[{}, {}, recalled], 0, 2, 3].entries()) {
        // Whoever joins later than the newest message is told nothing of it.
        const joinedSeq = at === 3 ? 4 : 1;
        made.push(
          await seeds.conversation({
            slot: at * 300,
            members: [{ userId: bob.userId }, { userId: ann.userId, joinedSeq }],
            messages,
            activityAtMs: seeds.clock.now() - at,
          }),
        );
      }
      await seeds.conversation({
        members: [{ userId: bob.userId }, { userId: ann.userId, isListed: false }],
        messages: 5,
      });
      let after: string | null = null;
      for (const size of [3, 1]) {
        seeds.shards.take();
        const input = { first: size, after, withLastMessages: true };
        const page = await doors.conversations.list(ann, input);
        expect(seeds.shards.take()).toEqual(one());
        const ids = page.memberships.map(({ head }) => head.id);
        expect(ids).toEqual(size === 3 ? made.slice(0, 3) : made.slice(3));
        const keys = page.memberships.map(({ head }) => ({
          conversationId: head.id,
          seq: head.lastSeq,
        }));
        const lookedUp = await doors.messages.bySeqs(ann, keys);
        expect(new Set(page.lastMessages)).toEqual(new Set(lookedUp.filter(Boolean)));
        expect(page.lastMessages).toHaveLength(size === 3 ? 2 : 0);
        const last = page.memberships.at(-1);
        after = last ? doors.conversations.listCursor(last) : null;
      }
      expect((await doors.conversations.list(ann, { first: 3, after: null })).lastMessages).toEqual(
        [],
      );
    });

    test('the edges of the list are exact on empty pages too', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      expect(await listed(bob, 50)).toMatchObject({
        ids: [],
        hasNextPage: false,
        hasPreviousPage: false,
      });
      const id = await seeds.conversation({ slot: 800, members: [{ userId: ann.userId }] });
      expect(await listed(ann, 0)).toMatchObject({
        ids: [],
        hasNextPage: true,
        hasPreviousPage: false,
      });
      const cursor = doors.conversations.listCursor(
        await doors.conversations.enterOrFault(ann, id),
      );
      expect(await listed(ann, 5, cursor)).toMatchObject({
        ids: [],
        hasNextPage: false,
        hasPreviousPage: true,
      });
      // The one that the cursor names is gone, and nothing else lies before.
      await seeds.plain.of(id).sql.execute('DELETE FROM Member WHERE conversationId = ?', [id]);
      expect(await listed(ann, 5, cursor)).toMatchObject({
        ids: [],
        hasNextPage: false,
        hasPreviousPage: false,
      });
    });

    test('a size and a cursor that are none are told before anything is read', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }] });
      const membership = await doors.conversations.enterOrFault(ann, id);
      const cursor = doors.conversations.listCursor(membership);
      const memberCursor = doors.conversations.memberCursor(membership.member);
      const raw = (text: string) => Buffer.from(text).toString('base64url');
      const wrong = ['', 'x', '1', cursor.slice(2), `${cursor}A`, `${cursor}=`, ` ${cursor}`];
      wrong.push(
        raw('l:01:5'),
        raw('l:1:99999999999999999999'),
        raw(`l:1:${2n ** 63n}`),
        raw('l:-1:5'),
      );
      wrong.push(raw('m:05'), raw(`m:${2n ** 63n}`), raw('m:-1'), raw('m:'));
      seeds.shards.take();
      for (const after of [...wrong, memberCursor]) {
        await expect(listed(ann, 5, after), after).rejects.toEqual(fault('INVALID_ARGUMENT'));
      }
      for (const after of [...wrong, cursor]) {
        await expect(
          doors.conversations.members(membership, { first: 5, after }),
          after,
        ).rejects.toEqual(fault('INVALID_ARGUMENT'));
      }
      for (const first of [-1, 201, 0.5, NaN]) {
        await expect(listed(ann, first), String(first)).rejects.toEqual(fault('INVALID_ARGUMENT'));
        await expect(
          doors.conversations.members(membership, { first, after: null }),
        ).rejects.toEqual(fault('INVALID_ARGUMENT'));
      }
      const many = Array.from({ length: 1_001 }, (_, at) => BigInt(at));
      await expect(doors.conversations.membersOf(membership, many)).rejects.toEqual(
        fault('INVALID_ARGUMENT'),
      );
      expect(seeds.shards.take().every((count) => count === 0)).toBe(true);
    });

    test('unread is the sum over all conversations, by one statement a shard', async () => {
      const ann = seeds.viewer();
      expect(await doors.conversations.unreadTotal(ann)).toBe(0);
      const seed = (slot: number, readSeq: number, joinedSeq: number, isListed = true) =>
        seeds.conversation({
          slot,
          members: [{ userId: ann.userId, readSeq, joinedSeq, isListed }],
          messages: 20,
        });
      await seed(1, 0, 1);
      await seed(1_000, 15, 1);
      await seed(2, 3, 11);
      // A read may be told before its message.
      await seed(1_001, 21, 1);
      await seed(3, 0, 1, false);
      seeds.shards.take();
      expect(await doors.conversations.unreadTotal(ann)).toBe(20 + 5 + 10);
      expect(seeds.shards.take()).toEqual(one());
      const { memberships } = await listed(ann, 50);
      expect(memberships.reduce((sum, { unreadCount }) => sum + unreadCount, 0)).toBe(35);
    });

    test('members come by id, a page by one statement, the one not listed yet as well', async () => {
      const people = Array.from({ length: 7 }, () => seeds.viewer().userId);
      const ann = seeds.viewer();
      const id = await seeds.conversation({
        members: [
          { userId: ann.userId, role: 'OWNER' },
          ...people.map((userId, at) => ({
            userId,
            role: at === 0 ? ('ADMIN' as const) : ('MEMBER' as const),
            isListed: at !== 3,
          })),
        ],
      });
      const expected = [...people, ann.userId].sort((a, b) => (a < b ? -1 : 1));
      const membership = await doors.conversations.enterOrFault(ann, id);
      for (const size of [1, 3, 8, 50]) {
        const seen: bigint[] = [];
        for (let after: string | null = null, more = true; more;) {
          seeds.shards.take();
          const page = await doors.conversations.members(membership, { first: size, after });
          expect(seeds.shards.take().reduce((sum, count) => sum + count)).toBe(1);
          expect(page.hasPreviousPage).toBe(seen.length > 0);
          seen.push(...page.members.map(({ userId }) => userId));
          expect(page.hasNextPage).toBe(seen.length < expected.length);
          const last = page.members.at(-1);
          if (!last) throw new Error('a page that should not be empty');
          after = doors.conversations.memberCursor(last);
          more = page.hasNextPage;
        }
        expect(seen).toEqual(expected);
      }
      const [admin = 0n] = people;
      const found = await doors.conversations.membersOf(membership, [
        admin,
        ann.userId,
        77n,
        admin,
      ]);
      expect(new Map([...found].map(([userId, { role }]) => [userId, role]))).toEqual(
        new Map([
          [admin, 'ADMIN'],
          [ann.userId, 'OWNER'],
        ]),
      );
    });

    test('who shares a conversation is known from all shards, and only where it is listed for both', async () => {
      const [ann, bob, eve, dan, joe] = [1, 2, 3, 4, 5].map(() => seeds.viewer()) as [
        Viewer,
        Viewer,
        Viewer,
        Viewer,
        Viewer,
      ];
      const together = (slot: number, other: Viewer, isListed = true) =>
        seeds.conversation({
          slot,
          members: [{ userId: ann.userId }, { userId: other.userId, isListed }],
        });
      await together(1, bob);
      await together(2, bob);
      await together(1_000, eve);
      await together(1_001, dan, false);
      const [a, b, e, d, j] = [ann, bob, eve, dan, joe].map(({ userId }) => userId) as [
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
      ];
      seeds.shards.take();
      const asked = new Map([
        [a, new Set([a, b, e, d, j])],
        [d, new Set([a, b, d])],
        [j, new Set([j])],
        [b, new Set([a, e])],
      ]);
      expect(await doors.conversations.sharing(asked)).toEqual(
        new Map([
          [a, new Set([a, b, e])],
          [d, new Set([d])],
          [j, new Set([j])],
          [b, new Set([a])],
        ]),
      );
      expect(seeds.shards.take()).toEqual(one());
      expect(await doors.conversations.sharing(new Map())).toEqual(new Map());
      const many = Array.from({ length: 900 }, (_, at) => BigInt(at + 1));
      expect(await doors.conversations.sharing(new Map([[a, new Set([...many, b])]]))).toEqual(
        new Map([[a, new Set([b])]]),
      );
    });
  });
}
