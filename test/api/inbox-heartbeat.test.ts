import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Router } from '../../src/realtime/inbox/router.ts';
import type { TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  briefs,
  cursorAt,
  inboxOf,
  openInbox,
  pause,
  people,
  range,
  send,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const quick = { heartbeatQuietMs: 400, heartbeatTickMs: 50 };

describe.each(['sqlite', 'mysql'] as const)('the heartbeat of an inbox on %s', (engine) => {
  let server: TestServer;
  let ann: TestUser, bob: TestUser, cat: TestUser;
  beforeAll(async () => {
    server = await startTestServer({}, { engine, limits: quick });
    [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
  });
  afterAll(async () => {
    for (const user of [ann, bob, cat]) await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('ends every replay with a heartbeat, and says so when it is quiet', async () => {
    const fresh = await openInbox(cat);
    expect(briefs(fresh)[0]).toBe('heartbeat');
    const empty = await openInbox(cat, cursorAt(fresh, 0));
    await empty.waitFor(1);
    expect(briefs(empty)[0]).toBe('heartbeat');
    await fresh.waitFor(3);
    expect(new Set(briefs(fresh))).toEqual(new Set(['heartbeat']));
    const [, second, third] = inboxOf(fresh).map(({ at }) => Date.parse(at));
    expect(third! - second!).toBeGreaterThanOrEqual(400);
    fresh.stop();
    empty.stop();
  });

  it('finds a lost last event at the next heartbeat, and a lost one in between at once', async () => {
    const id = await ann.directWith(bob);
    const live = await openInbox(bob);
    const lose = vi.spyOn(Router.prototype, 'deliverAll').mockImplementation(() => undefined);
    const lost = await send(ann, id, 'lost');
    await pause(100);
    expect(addedSeqs(live)).toEqual([]);
    lose.mockRestore();
    await live.until(() => addedSeqs(live).length === 1, 'what was lost', 3_000);

    const loseOnce = vi.spyOn(Router.prototype, 'deliverAll').mockImplementation(() => undefined);
    await send(ann, id, 'lost 2');
    await pause(50);
    loseOnce.mockRestore();
    await send(ann, id, 'kept');
    await live.until(() => addedSeqs(live).length === 3, 'both');
    expect(addedSeqs(live)).toEqual(range(lost, lost + 2));
    live.stop();
  });
});
