import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Viewer } from '../../src/domain/session/viewer.ts';
import type { Draft, TimelineQueue, TimelineWriter } from '../../src/domain/timeline/timeline.ts';
import { storages } from '../support/accounts.ts';
import { doorsOf, openSeeds, type Doors, type Seeds } from '../support/seeds.ts';

const fault = (code: string): unknown => expect.objectContaining({ name: 'Fault', code });

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`what goes to the writer on ${storage.name}`, () => {
    let seeds: Seeds;
    let doors: Doors;
    const people = new Map<bigint, { appId: string }>();
    const drafts: Draft[] = [];
    let made: bigint;
    // Writes down what it is given: here it is the doors that are asked, the writer has tests of its own.
    const timelines: TimelineWriter & TimelineQueue = {
      busy: () => null,
      submit: (draft) => {
        drafts.push(draft);
        return Promise.resolve({ conversationId: made } as never);
      },
    };
    beforeAll(async () => {
      seeds = await openSeeds(storage);
      const users = { byIds: () => Promise.resolve(people) };
      doors = doorsOf(seeds, { timelines, users, limits: { membershipsPerUserMax: 3 } });
    });
    afterAll(() => seeds[Symbol.asyncDispose]());

    const person = (appId = 'default'): Viewer => {
      const viewer = { ...seeds.viewer(), appId };
      people.set(viewer.userId, { appId });
      return viewer;
    };
    const groupOf = (members: readonly Viewer[], clientRequestId?: string) =>
      seeds.conversation({
        slot: Number(members[0]?.userId ?? 0n) % 7 === 0 ? 1_000 : 1,
        members: members.map(({ userId }) => ({ userId })),
        ...(clientRequestId === undefined ? {} : { clientRequestId }),
      });
    const submitted = () => drafts.splice(0);
    const group = (title: string, memberIds: readonly bigint[] = [], clientRequestId = 'r') => ({
      clientRequestId,
      title,
      memberIds,
    });

    test('a group’s members are a set without its creator', async () => {
      const [ann, bob, eve] = [person(), person(), person()];
      made = await groupOf([ann, bob]);
      const memberIds = [bob.userId, ann.userId, eve.userId, bob.userId];
      const membership = await doors.conversations.createGroup(
        ann,
        group('🧧'.repeat(128), memberIds),
      );
      expect(membership.head.id).toBe(made);
      expect(submitted()).toEqual([
        {
          kind: 'createGroup',
          appId: 'default',
          actorId: ann.userId,
          clientRequestId: 'r',
          title: '🧧'.repeat(128),
          memberIds: [bob.userId, eve.userId],
        },
      ]);
    });

    test('what has not the right form is told before anything is asked', async () => {
      const ann = person();
      const unknown = seeds.ids.next(0);
      const { conversations, messages } = doors;
      const content = { kind: 'TEXT', text: 'x' } as const;
      const send = { conversationId: unknown, clientMessageId: 'a', content, replyToSeq: null };
      const many = Array.from({ length: 1_001 }, (_, at) => BigInt(at));
      seeds.shards.take();
      const calls: (() => Promise<unknown>)[] = [
        () => conversations.createGroup(ann, group('')),
        () => conversations.createGroup(ann, group('x'.repeat(129))),
        () => conversations.createGroup(ann, group('\ud800')),
        () => conversations.createGroup(ann, group('x', [], '')),
        () => conversations.createGroup(ann, group('x', [], 'x'.repeat(65))),
        () => conversations.createGroup(ann, group('x', many)),
        () => conversations.addMembers(ann, unknown, many),
        () => conversations.rename(ann, unknown, ''),
        () => conversations.removeMember(ann, unknown, ann.userId),
        () => messages.send(ann, { ...send, clientMessageId: '' }),
        () => messages.send(ann, { ...send, clientMessageId: 'x'.repeat(65) }),
        () => messages.send(ann, { ...send, content: { kind: 'TEXT', text: '' } }),
        () => messages.edit(ann, unknown, 1, { kind: 'TEXT', text: '' }),
      ];
      for (const [at, call] of calls.entries()) {
        await expect(call(), `call ${at}`).rejects.toEqual(fault('INVALID_ARGUMENT'));
      }
      const tooLong = { ...send, content: { kind: 'TEXT', text: 'x'.repeat(16_385) } as const };
      await expect(messages.send(ann, tooLong)).rejects.toEqual(fault('PAYLOAD_TOO_LARGE'));
      expect(submitted()).toEqual([]);
      expect(seeds.shards.take().every((count) => count === 0)).toBe(true);
    });

    test('a send asks the shard nothing before the writer does', async () => {
      const ann = person();
      const send = {
        conversationId: seeds.ids.next(0),
        clientMessageId: 'x'.repeat(64),
        content: { kind: 'CUSTOM', type: 'x', data: { a: 1 } },
        replyToSeq: -3,
      } as const;
      seeds.shards.take();
      await doors.messages.send(ann, send);
      expect(seeds.shards.take().every((count) => count === 0)).toBe(true);
      expect(submitted()).toEqual([{ kind: 'send', actorId: ann.userId, ...send }]);
    });

    test('users that are named exist in the viewer’s app', async () => {
      const [ann, foreign] = [person(), person('other')];
      const id = await groupOf([ann]);
      for (const userId of [foreign.userId, seeds.ids.next(0)]) {
        await expect(doors.conversations.openDirect(ann, userId)).rejects.toEqual(
          fault('NOT_FOUND'),
        );
        await expect(doors.conversations.createGroup(ann, group('x', [userId]))).rejects.toEqual(
          fault('NOT_FOUND'),
        );
        await expect(doors.conversations.addMembers(ann, id, [userId])).rejects.toEqual(
          fault('NOT_FOUND'),
        );
      }
      await expect(doors.conversations.addMembers(person(), id, [ann.userId])).rejects.toEqual(
        fault('NOT_FOUND'),
      );
      expect(submitted()).toEqual([]);
    });

    test('who has all the memberships there may be gets no more, by one statement a shard', async () => {
      const [full, ann] = [person(), person()];
      for (const slot of [1, 600, 1_000]) {
        await seeds.conversation({ slot, members: [{ userId: full.userId }] });
      }
      const id = await groupOf([ann]);
      made = id;
      const { conversations } = doors;
      const refused = fault('FAILED_PRECONDITION');
      await expect(conversations.openDirect(ann, full.userId)).rejects.toEqual(refused);
      await expect(conversations.openDirect(full, ann.userId)).rejects.toEqual(refused);
      await expect(conversations.createGroup(full, group('x'))).rejects.toEqual(refused);
      await expect(conversations.createGroup(ann, group('x', [full.userId]))).rejects.toEqual(
        refused,
      );
      await expect(conversations.addMembers(ann, id, [full.userId])).rejects.toEqual(refused);
      expect(submitted()).toEqual([]);
      const bob = person();
      seeds.shards.take();
      await conversations.createGroup(ann, group('x', [bob.userId]));
      const counts = seeds.shards.take();
      expect(counts.reduce((sum, count) => sum + count)).toBe(counts.length + 1);
      expect(submitted()).toHaveLength(1);
    });

    test('what adds nothing needs no room: retries, old acquaintances, present members', async () => {
      const [full, ann] = [person(), person()];
      const direct = await seeds.conversation({
        slot: 1_000,
        kind: 'DIRECT',
        members: [{ userId: full.userId }, { userId: ann.userId }],
      });
      const id = await groupOf([full, ann], 'again');
      await groupOf([full]);
      const { conversations } = doors;
      made = direct;
      expect((await conversations.openDirect(full, ann.userId)).head.id).toBe(direct);
      expect((await conversations.openDirect(ann, full.userId)).head.id).toBe(direct);
      made = id;
      await conversations.createGroup(full, group('x', [ann.userId], 'again'));
      await conversations.addMembers(ann, id, [full.userId]);
      expect(submitted().map(({ kind }) => kind)).toEqual([
        'openDirect',
        'openDirect',
        'createGroup',
        'addMembers',
      ]);
      await expect(conversations.createGroup(full, group('x', [], 'another'))).rejects.toEqual(
        fault('FAILED_PRECONDITION'),
      );
    });
  });
}
