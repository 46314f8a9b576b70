import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Conversations } from '../../src/domain/conversation/conversation.ts';
import type { HistoryPageInput, Messages } from '../../src/domain/message/message.ts';
import type { Viewer } from '../../src/domain/session/viewer.ts';
import { storages } from '../support/accounts.ts';
import { doorsOf, openSeeds, type Seeds } from '../support/seeds.ts';

const fault = (code: string): unknown => expect.objectContaining({ name: 'Fault', code });
const nothing: HistoryPageInput = { first: null, after: null, last: null, before: null };

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`history on ${storage.name}`, () => {
    let seeds: Seeds;
    let conversations: Conversations;
    let messages: Messages;
    beforeAll(async () => {
      seeds = await openSeeds(storage);
      ({ conversations, messages } = doorsOf(seeds));
    });
    afterAll(() => seeds[Symbol.asyncDispose]());

    const pageOf = async (viewer: Viewer, id: bigint, input: Partial<HistoryPageInput>) => {
      const membership = await conversations.enterOrFault(viewer, id);
      const page = await messages.page(membership, { ...nothing, ...input });
      return { ...page, seqs: page.messages.map(({ seq }) => seq) };
    };
    const range = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index);

    test('pages are ranges of seq, oldest first, and tell exactly what lies around them', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      // Bob came with message 41.
      const id = await seeds.conversation({
        slot: 700,
        members: [{ userId: ann.userId }, { userId: bob.userId, joinedSeq: 41 }],
        messages: 120,
      });
      const cases: [Partial<HistoryPageInput>, number[], previous: boolean, next: boolean][] = [
        [{}, range(71, 120), true, false],
        [{ last: 200 }, range(1, 120), false, false],
        [{ first: 50 }, range(1, 50), false, true],
        [{ first: 120 }, range(1, 120), false, false],
        [{ first: 50, after: '50' }, range(51, 100), true, true],
        [{ first: 50, after: '70' }, range(71, 120), true, false],
        [{ first: 50, after: '100' }, range(101, 120), true, false],
        [{ first: 50, after: '0' }, range(1, 50), false, true],
        [{ last: 50, before: '101' }, range(51, 100), true, true],
        [{ last: 50, before: '51' }, range(1, 50), false, true],
        [{ last: 50, before: '30' }, range(1, 29), false, true],
        [{ last: 50, before: '5000' }, range(71, 120), true, false],
        [{ after: '100' }, range(101, 120), true, false],
        [{ before: '11' }, range(1, 10), false, true],
        [{ first: 5, after: '10', before: '14' }, range(11, 13), true, true],
        [{ first: 2, after: '10', before: '14' }, range(11, 12), true, true],
        [{ last: 2, after: '10', before: '14' }, range(12, 13), true, true],
        [{ last: 5, after: '10', before: '14' }, range(11, 13), true, true],
        [{ first: 1, after: '119', before: '2147483647' }, [120], true, false],
      ];
      for (const [input, seqs, hasPreviousPage, hasNextPage] of cases) {
        expect([input, await pageOf(ann, id, input)]).toEqual([
          input,
          expect.objectContaining({ seqs, hasPreviousPage, hasNextPage }),
        ]);
      }
      const bobs: typeof cases = [
        [{ last: 200 }, range(41, 120), false, false],
        [{ first: 50 }, range(41, 90), false, true],
        [{ first: 50, after: '1' }, range(41, 90), false, true],
        [{ first: 50, after: '41' }, range(42, 91), true, true],
        [{ last: 50, before: '51' }, range(41, 50), false, true],
        [{ last: 5, before: '46' }, range(41, 45), false, true],
        [{ last: 50, before: '41' }, [], false, true],
        [{ last: 50, before: '7' }, [], false, true],
      ];
      for (const [input, seqs, hasPreviousPage, hasNextPage] of bobs) {
        expect([input, await pageOf(bob, id, input)]).toEqual([
          input,
          expect.objectContaining({ seqs, hasPreviousPage, hasNextPage }),
        ]);
      }
    });

    test('an empty page stands where it would begin or, asked from the end, where it would end', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 10 });
      const empty = await seeds.conversation({
        kind: 'DIRECT',
        members: [{ userId: ann.userId }, { userId: bob.userId, isListed: false }],
      });
      const cases: [bigint, Partial<HistoryPageInput>, previous: boolean, next: boolean][] = [
        [id, { first: 0 }, false, true],
        [id, { last: 0 }, true, false],
        [id, { first: 0, after: '4' }, true, true],
        [id, { last: 0, before: '4' }, true, true],
        [id, { first: 5, after: '10' }, true, false],
        [id, { first: 5, after: '99' }, true, false],
        [id, { last: 5, before: '1' }, false, true],
        [id, { last: 5, before: '0' }, false, true],
        [id, { first: 5, after: '5', before: '6' }, true, true],
        [id, { first: 5, after: '7', before: '3' }, true, true],
        [empty, {}, false, false],
        [empty, { first: 5, after: '3' }, false, false],
        [empty, { last: 5, before: '3' }, false, false],
      ];
      for (const [conversation, input, hasPreviousPage, hasNextPage] of cases) {
        expect([input, await pageOf(ann, conversation, input)]).toEqual([
          input,
          expect.objectContaining({ seqs: [], hasPreviousPage, hasNextPage }),
        ]);
      }
    });

    test('a page is one statement after the one that enters', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 60 });
      seeds.shards.take();
      const membership = await conversations.enterOrFault(ann, id);
      expect(sum(seeds.shards.take())).toBe(1);
      const input = { ...nothing, first: 50 };
      const page = await messages.page(membership, input);
      expect(sum(seeds.shards.take())).toBe(1);
      expect(await messages.pageUnentered(ann, id, input)).toEqual(page);
      expect(sum(seeds.shards.take())).toBe(1);
    });

    test('arguments that make no page are told before anything is read', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 3 });
      const membership = await conversations.enterOrFault(ann, id);
      seeds.shards.take();
      const wrong: Partial<HistoryPageInput>[] = [
        { first: 1, last: 1 },
        { first: -1 },
        { last: -1 },
        { first: 201 },
        { last: 201 },
        { first: 1.5 },
        ...[
          '',
          ' ',
          '-1',
          '01',
          '1.5',
          '1e3',
          '+1',
          'x',
          '2147483648',
          '99999999999',
          '１',
        ].flatMap((cursor) => [
          { first: 1, after: cursor },
          { last: 1, before: cursor },
        ]),
      ];
      for (const input of wrong) {
        await expect(
          messages.page(membership, { ...nothing, ...input }),
          JSON.stringify(input),
        ).rejects.toEqual(fault('INVALID_ARGUMENT'));
        await expect(
          messages.pageUnentered(ann, id, { ...nothing, ...input }),
          JSON.stringify(input),
        ).rejects.toEqual(fault('INVALID_ARGUMENT'));
      }
      expect(sum(seeds.shards.take())).toBe(0);
      const page = await messages.page(membership, { ...nothing, first: 200, after: '0' });
      expect(page.messages).toHaveLength(3);
    });

    test('the right is in the statement: who has left since they entered reads nothing', async () => {
      const ann = seeds.viewer();
      const id = await seeds.conversation({ members: [{ userId: ann.userId }], messages: 3 });
      const membership = await conversations.enterOrFault(ann, id);
      const { sql } = seeds.plain.of(id);
      await sql.execute('UPDATE Member SET isListed = 0 WHERE conversationId = ?', [id]);
      await expect(messages.page(membership, nothing)).rejects.toEqual(fault('NOT_FOUND'));
      expect(await messages.pageUnentered(ann, id, nothing)).toBeNull();
      await sql.execute('DELETE FROM Member WHERE conversationId = ?', [id]);
      await expect(messages.page(membership, nothing)).rejects.toEqual(fault('NOT_FOUND'));
      await expect(messages.changes(membership, 0, 50)).rejects.toEqual(fault('NOT_FOUND'));
      await expect(conversations.members(membership, { first: 50, after: null })).rejects.toEqual(
        fault('NOT_FOUND'),
      );
      expect(await conversations.membersOf(membership, [ann.userId])).toEqual(new Map());
      expect(await messages.bySeqs(ann, [{ conversationId: id, seq: 1 }])).toEqual([null]);
    });

    test('every kind of content comes back as it was put there', async () => {
      const [ann, bob] = [seeds.viewer(), seeds.viewer()];
      const data = { z: [1, { ключ: '🧧' }], a: null, 1: -0.5, __proto__2: true };
      const id = await seeds.conversation({
        members: [{ userId: ann.userId }, { userId: bob.userId }],
        messages: [
          { senderId: null },
          { senderId: ann.userId, content: { kind: 'TEXT', text: 'x'.repeat(16_384) } },
          { senderId: bob.userId, content: { kind: 'CUSTOM', type: 'карта', data }, replyToSeq: 2 },
          { senderId: bob.userId, recalledBy: ann.userId, changeSeq: 1 },
        ],
        changes: [4],
      });
      const { messages: page } = await pageOf(bob, id, {});
      const at = seeds.clock.now();
      const common = {
        conversationId: id,
        editedAtMs: null,
        recalledAtMs: null,
        changeSeq: 0,
        replyToSeq: null,
      };
      expect(page).toEqual([
        {
          ...common,
          seq: 1,
          senderId: null,
          clientMessageId: null,
          createdAtMs: at + 1,
          content: {
            kind: 'SYSTEM',
            event: 'CREATED',
            actorId: ann.userId,
            userIds: [],
            title: null,
            role: null,
          },
        },
        {
          ...common,
          seq: 2,
          senderId: ann.userId,
          clientMessageId: 'client 2',
          createdAtMs: at + 2,
          content: { kind: 'TEXT', text: 'x'.repeat(16_384) },
        },
        {
          ...common,
          seq: 3,
          senderId: bob.userId,
          clientMessageId: 'client 3',
          createdAtMs: at + 3,
          replyToSeq: 2,
          content: { kind: 'CUSTOM', type: 'карта', data },
        },
        {
          ...common,
          seq: 4,
          senderId: bob.userId,
          clientMessageId: 'client 4',
          createdAtMs: at + 4,
          recalledAtMs: at + 5,
          changeSeq: 1,
          content: { kind: 'RECALLED', recalledBy: ann.userId },
        },
      ]);
    });
  });
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
