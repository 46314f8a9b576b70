import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RemoveMemberDocument } from '../../client/generated/documents.ts';
import { signIn, type TestUser } from '../support/clients.ts';
import {
  briefs,
  toldGroupOf,
  inboxOf,
  markRead,
  openInbox,
  pause,
  people,
  send,
  type InboxRecording,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const coalesceMs = 1_000;

function readsOf(recording: InboxRecording, user: TestUser) {
  return inboxOf(recording).flatMap((event) =>
    event.__typename === 'ReadAdvanced' && event.user.id === user.id
      ? [{ seq: event.readSeq, atMs: Date.parse(event.at) }]
      : [],
  );
}

async function say(user: TestUser, id: string, count: number): Promise<number> {
  let seq = 0;
  for (let sent = 0; sent < count; sent += 1) seq = await send(user, id, `${id} ${sent}`);
  return seq;
}

describe.each(['sqlite', 'mysql'] as const)('read positions on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer(
      { groups: { receiptsUpToMembers: 3, largeAboveMembers: 200 } },
      { engine },
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('go to all, at most once a second, rising, and the last one always', async () => {
    const [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
    const id = await toldGroupOf(ann, bob, cat);
    const last = await say(ann, id, 12);
    const listeners = await Promise.all([ann, bob, cat].map((user) => openInbox(user)));
    const beganMs = performance.now();
    for (let seq = 2; seq <= last; seq += 1) {
      await markRead(bob, id, seq);
      await pause(150);
    }
    for (const listener of listeners) {
      await listener.until(
        () => readsOf(listener, bob).at(-1)?.seq === last,
        'the last one',
        4_000,
      );
      const reads = readsOf(listener, bob);
      expect(reads.length).toBeGreaterThan(1);
      const secondsBegun = Math.ceil((performance.now() - beganMs) / coalesceMs);
      expect(reads.length).toBeLessThanOrEqual(1 + secondsBegun);
      for (const [index, { seq, atMs }] of reads.slice(1).entries()) {
        expect(seq).toBeGreaterThan(reads[index]!.seq);
        expect(atMs - reads[index]!.atMs).toBeGreaterThanOrEqual(coalesceMs);
      }
    }
    // Below and again: nothing to tell.
    const told = listeners.map((listener) => listener.events.length);
    await markRead(bob, id, 3);
    await markRead(bob, id, last);
    await pause(1_300);
    expect(listeners.map((listener) => listener.events.length)).toEqual(told);
    for (const user of [ann, bob, cat]) await user[Symbol.asyncDispose]();
  });

  it('in larger groups go to the own devices alone', async () => {
    const users = await people(server, 4);
    const [ann, bob] = users as [TestUser, TestUser];
    const id = await toldGroupOf(ann, ...users.slice(1));
    const seq = await say(ann, id, 2);
    const phone = await signIn(server, bob.username, { id: 'phone', platform: 'IOS' });
    const [ofAnn, ofBob, ofPhone] = await Promise.all([ann, bob, phone].map((u) => openInbox(u)));
    await markRead(bob, id, seq);
    for (const own of [ofBob!, ofPhone!]) {
      await own.until(() => readsOf(own, bob).at(-1)?.seq === seq, 'the own read');
    }
    await pause(100);
    expect(readsOf(ofAnn!, bob)).toEqual([]);
    for (const user of [ann, bob, phone]) await user[Symbol.asyncDispose]();
  });

  it('that come while others are told do not wait', async () => {
    const [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
    const id = await toldGroupOf(ann, bob, cat);
    const last = await say(ann, id, 20);
    const ofAnn = await openInbox(ann);
    for (let seq = 2; seq <= last; seq += 1) {
      await Promise.all([markRead(bob, id, seq), markRead(cat, id, seq)]);
    }
    for (const user of [bob, cat]) {
      await ofAnn.until(() => readsOf(ofAnn, user).at(-1)?.seq === last, 'both', 3_000);
    }
    await ann[Symbol.asyncDispose]();
  });

  it('never follow the removal of the one who is told', async () => {
    const [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
    for (let round = 0; round < 4; round += 1) {
      const id = await toldGroupOf(ann, bob, cat);
      const last = await say(ann, id, 6);
      const ofCat = await openInbox(cat);
      const reading = (async () => {
        for (let seq = 2; seq <= last; seq += 1) await markRead(bob, id, seq);
      })();
      const removal = ann.query(RemoveMemberDocument, {
        input: { conversationId: id, userId: cat.id },
      });
      await Promise.all([reading, removal]);
      await ofCat.until(() => briefs(ofCat).includes('removed'), 'the removal');
      await pause(round === 0 ? 1_200 : 100);
      const told = briefs(ofCat);
      expect(told.indexOf('removed')).toBe(told.length - 1);
      ofCat.stop();
    }
    await cat[Symbol.asyncDispose]();
  });
});

it('go on strictly rising over a restart, and what was untold is told', async () => {
  await using server = await startTestServer();
  const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
  const id = await ann.directWith(bob);
  await say(ann, id, 6);
  const first = await openInbox(ann);
  await markRead(bob, id, 2);
  await first.until(() => readsOf(first, bob).length === 1, 'the first');
  const { cursor } = inboxOf(first).at(-1)!;
  await markRead(bob, id, 4);
  await markRead(bob, id, 5);
  await server.restart();
  const second = await openInbox(ann, cursor);
  await second.until(() => readsOf(second, bob).at(-1)?.seq === 5, 'what was untold');
  const seqs = readsOf(second, bob).map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(seqs[0]).toBeGreaterThan(2);
  await ann[Symbol.asyncDispose]();
});
