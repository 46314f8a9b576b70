import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { RemoveMemberDocument } from '../../client/generated/documents.ts';
import { SqlInboxLog } from '../../src/realtime/inbox/inbox-log.sql.ts';
import type { TestUser } from '../support/clients.ts';
import {
  brief,
  edit,
  groupOf,
  headOf,
  openInbox,
  people,
  pull,
  range,
  send,
  type InboxEvent,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe.each(['sqlite', 'mysql'] as const)('viewer.inbox on %s', (engine) => {
  let server: TestServer;
  let ann: TestUser, bob: TestUser;
  beforeAll(async () => {
    server = await startTestServer({}, { engine });
    [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('gives no events and the head without a cursor, and nothing after the head', async () => {
    const id = await ann.directWith(bob);
    const before = await headOf(bob);
    await send(ann, id, 'hello');
    await vi.waitUntil(async () => (await pull(bob, before)).events.length === 2);
    const page = await pull(bob, null);
    expect(page).toMatchObject({ events: [], hasMore: false });
    expect(await pull(bob, page.endCursor)).toMatchObject({ events: [], hasMore: false });
  });

  it('pages through runs of messages, cut wherever a page ends', async () => {
    const id = await ann.directWith(bob);
    const from = await headOf(bob);
    const [first = 0] = await Promise.all(
      range(1, 23).map((index) => send(ann, id, `run ${index}`)),
    ).then((seqs) => seqs.sort((a, b) => a - b));
    await edit(ann, id, first + 3, 'edited');
    await Promise.all(range(24, 30).map((index) => send(ann, id, `run ${index}`)));
    const whole = [
      ...range(first, first + 22).map((seq) => `added ${seq}`),
      `changed ${first + 3}@1`,
      ...range(first + 23, first + 29).map((seq) => `added ${seq}`),
    ];
    const settled = async (): Promise<boolean> => (await pull(bob, from)).events.length >= 31;
    await vi.waitUntil(settled, { timeout: 10_000, interval: 50 });
    for (const size of [1, 2, 7, 30, 31, 200]) {
      const seen: InboxEvent[] = [];
      let cursor = from;
      for (;;) {
        const page = await pull(bob, cursor, size);
        expect(page.events.length).toBeLessThanOrEqual(size);
        if (page.hasMore) {
          expect(page.events).toHaveLength(size);
          expect(page.events.at(-1)?.cursor).toBe(page.endCursor);
        }
        seen.push(...page.events);
        cursor = page.endCursor;
        if (!page.hasMore) break;
      }
      expect(seen.map(brief)).toEqual(whole);
    }
    // Every cursor in a page is one to go on from, by either form.
    const { events } = await pull(bob, from);
    for (const at of [0, 10, 22, 23, 29]) {
      const { cursor } = events[at] ?? { cursor: '' };
      expect((await pull(bob, cursor)).events.map(brief)).toEqual(whole.slice(at + 1));
    }
  });

  it('takes first from 0 to 1,000', async () => {
    const id = await ann.directWith(bob);
    const from = await headOf(bob);
    const seq = await send(ann, id, 'one more');
    await vi.waitUntil(async () => (await pull(bob, from)).events.length === 1);
    expect(await pull(bob, from, 0)).toEqual({ events: [], endCursor: from, hasMore: true });
    expect((await pull(bob, from, 1_000)).events.map(brief)).toEqual([`added ${seq}`]);
    for (const first of [-1, 1_001]) {
      for (const after of [null, from]) {
        await expect(pull(bob, after, first)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
    }
  });

  it('moves the cursor on over what the viewer may not see', async () => {
    const [cat, dan] = (await people(server, 2)) as [TestUser, TestUser];
    const from = await headOf(dan);
    const id = await groupOf(cat, dan);
    for (const text of ['a', 'b', 'c']) await send(cat, id, text);
    await cat.query(RemoveMemberDocument, { input: { conversationId: id, userId: dan.id } });
    await vi.waitUntil(async () => (await pull(dan, from)).events.length === 1);
    expect((await pull(dan, from)).events.map(brief)).toEqual(['removed']);
    let cursor = from;
    const seen: string[] = [];
    for (let pages = 0; pages < 10; pages += 1) {
      const page = await pull(dan, cursor, 2);
      expect(page.endCursor).not.toBe(cursor);
      seen.push(...page.events.map(brief));
      cursor = page.endCursor;
      if (!page.hasMore) break;
    }
    expect(seen).toEqual(['removed']);
    const live = await openInbox(dan, cursor);
    await live.waitFor(1);
    expect(live.events[0]?.inbox.__typename).toBe('InboxHeartbeat');
    await dan[Symbol.asyncDispose]();
  });

  it('makes one head for all that ask at once', async () => {
    const [eve] = (await people(server, 1)) as [TestUser];
    const cursors = await Promise.all(Array.from({ length: 20 }, () => headOf(eve)));
    // All but the time: one user, one log, one offset.
    expect(new Set(cursors.map((cursor) => cursor.slice(0, 33)))).toHaveProperty('size', 1);
    await eve[Symbol.asyncDispose]();
  });

  it('takes the head before any other field of the operation is read', async () => {
    const id = await ann.directWith(bob);
    await send(ann, id, 'before');
    type Answer = {
      viewer: {
        unreadCount: number;
        conversations: { edges: { node: { lastSeq: number } }[] };
        inbox: { endCursor: string };
      };
    };
    const state = `unreadCount conversations(first: 1) { edges { node { lastSeq } } }`;
    const documents = [
      `{ viewer { ${state} inbox { endCursor } } }`,
      `{ viewer { ${state} } ...Rest } fragment Rest on Query { viewer { inbox { endCursor } } }`,
    ].map((text) => parse(text) as TypedDocumentNode<Answer, Record<string, never>>);
    for (const document of documents) {
      // Right after the head was read, and before anything else is, something happens.
      const { opening } = SqlInboxLog.prototype;
      const act = vi.spyOn(SqlInboxLog.prototype, 'opening').mockImplementationOnce(function (
        this: SqlInboxLog,
        userId,
      ) {
        const { taken, opened } = opening.call(this, userId);
        const acted = taken.then(async (head) => {
          await send(ann, id, `meanwhile ${documents.indexOf(document)}`);
          return head;
        });
        return { taken: acted, opened };
      });
      const { viewer } = await bob.query(document, {});
      expect(act).toHaveBeenCalledTimes(1);
      act.mockRestore();
      const lastSeq = viewer.conversations.edges[0]?.node.lastSeq;
      await vi.waitUntil(async () => (await pull(bob, viewer.inbox.endCursor)).events.length > 0);
      const { events } = await pull(bob, viewer.inbox.endCursor);
      // What the state shows already is told again rather than not at all.
      expect(events.map(brief)).toContain(`added ${lastSeq}`);
    }
  });
});
