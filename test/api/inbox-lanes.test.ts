import { afterEach, expect, it, vi } from 'vitest';
import { SqlInboxLog } from '../../src/realtime/inbox/inbox-log.sql.ts';
import type { TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  briefs,
  cursorAt,
  groupOf,
  markRead,
  openInbox,
  pause,
  people,
  range,
  send,
  type InboxRecording,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

afterEach(() => vi.restoreAllMocks());

/** Two users whose inboxes live on the first and on the second shard. */
async function oneOnEach(server: TestServer): Promise<[TestUser, TestUser]> {
  const { append } = SqlInboxLog.prototype;
  const shardOf = new Map<bigint, number>();
  const watch = vi.spyOn(SqlInboxLog.prototype, 'append').mockImplementation(function (
    this: SqlInboxLog,
    shard,
    job,
  ) {
    if (job.kind === 'events') {
      for (const { recipients } of job.stretches.flatMap(({ events }) => events)) {
        for (const { userId } of recipients) shardOf.set(userId, shard.index);
      }
    }
    return append.call(this, shard, job);
  });
  const users = await people(server, 8);
  const byShard: (TestUser | undefined)[] = [];
  for (const user of users) {
    shardOf.clear();
    const live = await openInbox(user);
    const id = await user.directWith(user);
    await send(user, id, 'where am I?');
    await live.until(() => addedSeqs(live).length === 1, 'the note');
    byShard[[...shardOf.values()][0] ?? 0] ??= user;
    live.stop();
  }
  watch.mockRestore();
  const [first, second] = byShard;
  if (!first || !second) throw new Error('all users live on one shard');
  return [first, second];
}

it('a shard that fails holds up its own users alone, and goes on in order', async () => {
  await using server = await startTestServer({}, { engine: 'mysql' });
  const [ann, bob] = await oneOnEach(server);
  const ofAnn = await openInbox(ann);
  const ofBob = await openInbox(bob);
  const id = await groupOf(ann, bob);
  for (const recording of [ofAnn, ofBob]) await untilSeq(recording, 1);
  const { append } = SqlInboxLog.prototype;
  const state = { isDown: true };
  vi.spyOn(SqlInboxLog.prototype, 'append').mockImplementation(function (
    this: SqlInboxLog,
    shard,
    job,
  ) {
    if (shard.index === 1 && state.isDown) return Promise.reject(new Error('down'));
    return append.call(this, shard, job);
  });
  for (const index of range(1, 20)) await send(ann, id, `${index}`);
  await markRead(bob, id, 21);
  await ofAnn.until(() => addedSeqs(ofAnn).includes(21), 'all of them');
  await ofAnn.until(() => briefs(ofAnn).includes(`read ${bob.id} 21`), 'the read');
  expect(addedSeqs(ofAnn)).toEqual(range(1, 21));
  expect(addedSeqs(ofBob)).toEqual([1]);
  state.isDown = false;
  await ofBob.until(() => addedSeqs(ofBob).includes(21), 'what was held up');
  await ofBob.until(() => briefs(ofBob).includes(`read ${bob.id} 21`), 'the own read');
  await send(bob, id, 'and on');
  for (const recording of [ofAnn, ofBob]) {
    await recording.until(() => addedSeqs(recording).includes(22), 'the last');
    expect(addedSeqs(recording)).toEqual(range(1, 22));
    expect(briefs(recording).filter((text) => text.startsWith('read'))).toHaveLength(1);
  }
  for (const user of [ann, bob]) await user[Symbol.asyncDispose]();
});

it('what overflows a lane is read from the outbox', async () => {
  const limits = { laneQueueRowsMax: 3, laneBatchRowsMax: 2 };
  await using server = await startTestServer({}, { limits });
  const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
  const id = await ann.directWith(bob);
  const ofBob = await openInbox(bob);
  const { append } = SqlInboxLog.prototype;
  vi.spyOn(SqlInboxLog.prototype, 'append').mockImplementation(async function (
    this: SqlInboxLog,
    shard,
    job,
  ) {
    await pause(20);
    return append.call(this, shard, job);
  });
  for (const index of range(1, 60)) await send(ann, id, `${index}`);
  await ofBob.until(() => addedSeqs(ofBob).includes(60), 'all of them');
  expect(addedSeqs(ofBob)).toEqual(range(1, 60));
  await bob[Symbol.asyncDispose]();
});

it.each(['sqlite', 'mysql'] as const)(
  'what was not done before a restart is appended after it, once, on %s',
  async (engine) => {
    await using server = await startTestServer({}, { engine });
    const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
    const id = await ann.directWith(bob);
    const first = await openInbox(bob);
    await send(ann, id, 'told');
    await first.until(() => addedSeqs(first).includes(1), 'the first');
    const cursor = cursorAt(first, 0);
    // Appended, and yet it looks as if it had failed; then truly failed.
    const { append } = SqlInboxLog.prototype;
    const fail = vi.spyOn(SqlInboxLog.prototype, 'append').mockImplementation(async function (
      this: SqlInboxLog,
      shard,
      job,
    ) {
      await append.call(this, shard, job);
      throw new Error('the answer was lost');
    });
    await send(ann, id, 'appended, but not marked');
    await pause(100);
    fail.mockImplementation(() => Promise.reject(new Error('down')));
    for (const index of range(3, 7)) await send(ann, id, `${index}`);
    fail.mockRestore();
    await server.restart();
    const second = await openInbox(bob, cursor);
    await untilSeq(second, 7);
    expect(addedSeqs(second)).toEqual(range(1, 7));
    expect(briefs(second).filter((text) => text === 'conversation')).toHaveLength(1);
    await bob[Symbol.asyncDispose]();
  },
);

async function untilSeq(recording: InboxRecording, seq: number): Promise<void> {
  await recording.until(() => addedSeqs(recording).includes(seq), `message ${seq}`);
}
