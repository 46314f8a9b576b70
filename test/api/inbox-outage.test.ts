import { afterEach, expect, it, vi } from 'vitest';
import { Messages } from '../../src/domain/message/message.ts';
import { SqlInboxLog } from '../../src/realtime/inbox/inbox-log.sql.ts';
import { SqlError } from '../../src/storage/sql.ts';
import type { TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  briefs,
  briefsOf,
  cursorAt,
  follow,
  openInbox,
  people,
  range,
  send,
} from '../support/live.ts';
import { startTestServer } from '../support/server.ts';

afterEach(() => vi.restoreAllMocks());

const gone = () => Promise.reject(new SqlError('connection', 'gone'));

it('a log or a timeline that cannot be read for a while ends no stream', async () => {
  await using server = await startTestServer({}, { limits: { inboxReplayPageEvents: 2 } });
  const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
  const id = await ann.directWith(bob);
  const first = await openInbox(bob);
  for (const index of range(1, 5)) await send(ann, id, `${index}`);
  await first.until(() => addedSeqs(first).includes(5), 'all of them');
  // The first page comes with the head; without a head there would be no stream.
  const readPage = SqlInboxLog.prototype.read;
  const read = vi.spyOn(SqlInboxLog.prototype, 'read').mockImplementation(gone);
  read.mockImplementationOnce(function (this: SqlInboxLog, ...asked) {
    return readPage.apply(this, asked);
  });
  const page = vi.spyOn(Messages.prototype, 'page').mockImplementation(gone);
  const replay = await openInbox(bob, cursorAt(first, 0));
  const followed = await follow(bob, id, { afterSeq: 0 });
  await vi.waitUntil(() => read.mock.calls.length > 2 && page.mock.calls.length > 1, {
    timeout: 5_000,
  });
  read.mockRestore();
  page.mockRestore();
  await replay.until(() => briefs(replay).includes('heartbeat'), 'the end');
  expect(addedSeqs(replay)).toEqual(range(1, 5));
  await followed.waitFor(6);
  expect(briefsOf(followed)).toEqual([...range(1, 5).map((s) => `added ${s}`), 'caught up 5@0']);
  await send(ann, id, 'and on');
  await replay.until(() => addedSeqs(replay).includes(6), 'live');
  await bob[Symbol.asyncDispose]();
});
