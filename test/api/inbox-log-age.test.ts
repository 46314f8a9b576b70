import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { InboxReader } from '../../src/realtime/inbox/inbox-reader.ts';
import { signIn, type TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  brief,
  briefs,
  cursorAt,
  headOf,
  openInbox,
  pause,
  people,
  pull,
  range,
  send,
} from '../support/live.ts';
import { startTestServer } from '../support/server.ts';

const day = 24 * 60 * 60 * 1000;

/** The real one, from time to time set forward. */
class AheadClock implements Clock {
  aheadMs = 0;

  now(): number {
    return Date.now() + this.aheadMs;
  }
}

const small = { inboxLogEventsKept: 20, inboxReplayPageEvents: 5 };

async function sendMany(user: TestUser, id: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) await send(user, id, `${id} ${sent}`);
}

describe.each(['sqlite', 'mysql'] as const)('how far an inbox log reaches back on %s', (engine) => {
  it('keeps at least so many events, and says reset beyond', async () => {
    await using server = await startTestServer({}, { engine, limits: small });
    const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
    const id = await ann.directWith(bob);
    await send(ann, id, 'first');
    const live = await openInbox(bob);
    for (let sent = 0; sent < 60; sent += 1) {
      const seq = await send(ann, id, `${sent}`);
      await live.until(() => addedSeqs(live).at(-1) === seq, `message ${seq}`);
      // The newest ones can always be had again, whenever the log is trimmed.
      const at = Math.max(0, live.events.length - 21);
      const { events } = await pull(bob, cursorAt(live, at));
      expect(events.map(brief)).toEqual(briefs(live).slice(at + 1));
    }
    const beginning = cursorAt(live, 0);
    expect((await pull(bob, beginning)).events.map(brief)).toEqual(['reset']);
    const again = await openInbox(bob, beginning);
    await again.waitFor(2);
    expect(briefs(again)).toEqual(['reset', 'heartbeat']);
    const seq = await send(ann, id, 'and on');
    await again.until(() => briefs(again).includes(`added ${seq}`), 'going on');
    await bob[Symbol.asyncDispose]();
  });

  it('says reset in the midst of a replay that the log was trimmed under', async () => {
    await using server = await startTestServer({}, { engine, limits: small });
    const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
    const id = await ann.directWith(bob);
    const from = await headOf(bob);
    await sendMany(ann, id, 18);
    await vi.waitUntil(async () => (await pull(bob, from)).events.length === 19);
    // The second page waits while much more happens.
    const { page } = InboxReader.prototype;
    let pages = 0;
    const slow = vi.spyOn(InboxReader.prototype, 'page').mockImplementation(async function (
      this: InboxReader,
      ...args
    ) {
      pages += 1;
      if (pages === 2) for (let sent = 0; sent < 40; sent += 1) await send(ann, id, `more ${sent}`);
      return page.apply(this, args);
    });
    const replay = await openInbox(bob, from);
    await replay.until(() => briefs(replay).includes('heartbeat'), 'the end');
    slow.mockRestore();
    const told = briefs(replay);
    const at = told.indexOf('reset');
    expect(at).toBe(5);
    expect(told.slice(0, at)).toEqual(['conversation', ...range(1, 4).map((s) => `added ${s}`)]);
    await send(ann, id, 'last');
    await replay.until(() => addedSeqs(replay).includes(59), 'what came after');
    const after = addedSeqs(replay).slice(4);
    expect(after).toEqual(range(after[0] ?? 0, 59));
    await bob[Symbol.asyncDispose]();
  });

  it('says reset to a cursor of more than seven days ago, and not to a younger one', async () => {
    const clock = new AheadClock();
    await using server = await startTestServer({}, { engine, clock });
    let [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
    const id = await ann.directWith(bob);
    const from = await headOf(bob);
    await send(ann, id, 'hello');
    clock.aheadMs += 7 * day - 60_000;
    bob = await signIn(server, bob.username, {});
    await vi.waitUntil(async () => (await pull(bob, from)).events.length === 2);
    clock.aheadMs += 120_000;
    expect((await pull(bob, from)).events.map(brief)).toEqual(['reset']);
    const replay = await openInbox(bob, from);
    await replay.waitFor(2);
    expect(briefs(replay)).toEqual(['reset', 'heartbeat']);
    ann = await signIn(server, ann.username, {});
    const seq = await send(ann, id, 'again');
    await replay.until(() => addedSeqs(replay).includes(seq), 'going on');
    await bob[Symbol.asyncDispose]();
  });

  it('keeps the log of one who asks for no more than its head now and then', async () => {
    const clock = new AheadClock();
    await using server = await startTestServer({}, { engine, clock });
    let [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
    const id = await ann.directWith(bob);
    await headOf(bob);
    clock.aheadMs += 6 * day;
    bob = await signIn(server, bob.username, {});
    const cursor = await headOf(bob);
    clock.aheadMs += 3 * day;
    ann = await signIn(server, ann.username, {});
    const seq = await send(ann, id, 'for bob');
    bob = await signIn(server, bob.username, {});
    await vi.waitUntil(async () => (await pull(bob, cursor)).events.length > 0);
    expect((await pull(bob, cursor)).events.map(brief)).toContain(`added ${seq}`);
    for (const user of [ann, bob]) await user[Symbol.asyncDispose]();
  });

  it('drops the log of one who was away for long, and begins anew when they are back', async () => {
    const clock = new AheadClock();
    await using server = await startTestServer({}, { engine, clock });
    let [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
    const id = await ann.directWith(bob);
    const ofBob = await headOf(bob);
    clock.aheadMs += 6.9 * day;
    ann = await signIn(server, ann.username, {});
    await send(ann, id, 'still kept');
    await pause(100);
    clock.aheadMs += 0.3 * day;
    ann = await signIn(server, ann.username, {});
    const ofAnn = await openInbox(ann);
    const seq = await send(ann, id, 'nobody keeps this');
    await ofAnn.until(() => addedSeqs(ofAnn).includes(seq), 'the fan-out');
    bob = await signIn(server, bob.username, {});
    const head = await headOf(bob);
    // A new name, and nothing in it.
    expect(head.slice(0, 30)).not.toBe(ofBob.slice(0, 30));
    expect((await pull(bob, ofBob)).events.map(brief)).toEqual(['reset']);
    const live = await openInbox(bob, head);
    const next = await send(ann, id, 'back');
    await live.until(() => addedSeqs(live).includes(next), 'what comes now');
    expect(briefs(live)).not.toContain('reset');
    for (const user of [ann, bob]) await user[Symbol.asyncDispose]();
  });
});
