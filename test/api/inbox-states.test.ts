import { afterEach, expect, it, vi } from 'vitest';
import { SqlInboxLog } from '../../src/realtime/inbox/inbox-log.sql.ts';
import type { TestUser } from '../support/clients.ts';
import {
  briefs,
  cursorAt,
  edit,
  inboxOf,
  openInbox,
  people,
  send,
  untilLast,
  type InboxRecording,
} from '../support/live.ts';
import { startTestServer } from '../support/server.ts';

afterEach(() => vi.restoreAllMocks());

/** As of which change a recording has shown its messages, one after the other. */
function statesOf(recording: InboxRecording): number[] {
  return inboxOf(recording).flatMap((event) =>
    event.__typename === 'MessageAdded' || event.__typename === 'MessageChanged'
      ? [event.message.changeSeq]
      : [],
  );
}

it.each([
  ['one connection', 'goes on'],
  ['the next one', 'comes again'],
])('what a replay showed is not shown older by what is told late on %s', async (_where, how) => {
  await using server = await startTestServer();
  const [ann, bob] = (await people(server, 2)) as [TestUser, TestUser];
  const id = await ann.directWith(bob);
  const first = await openInbox(bob);
  await send(ann, id, 'text');
  await untilLast(first, 'added 1');
  const beginning = cursorAt(first, 0);
  first.stop();

  // Two edits are committed, and the log does not know of them yet.
  const { append } = SqlInboxLog.prototype;
  let go: () => void = () => undefined;
  const delay = new Promise<void>((resolve) => (go = resolve));
  const late = vi.spyOn(SqlInboxLog.prototype, 'append').mockImplementation(async function (
    this: SqlInboxLog,
    ...args
  ) {
    await delay;
    return append.apply(this, args);
  });
  await edit(ann, id, 1, 'edited');
  await edit(ann, id, 1, 'edited again');
  let replayed = await openInbox(bob, beginning);
  await untilLast(replayed, 'heartbeat');
  expect(statesOf(replayed)).toEqual([2]);
  if (how === 'comes again') {
    const at = briefs(replayed).indexOf('added 1');
    const cursor = cursorAt(replayed, at);
    replayed.stop();
    replayed = await openInbox(bob, cursor);
    await untilLast(replayed, 'heartbeat');
  }
  late.mockRestore();
  go();
  const seen = (): string[] => briefs(replayed).filter((text) => text.startsWith('changed'));
  await replayed.until(() => seen().length === 2, 'both changes');
  expect(seen()).toEqual(['changed 1@1', 'changed 1@2']);
  expect(statesOf(replayed).slice(-2)).toEqual([2, 2]);
  // What comes in time is told as it was committed.
  await edit(ann, id, 1, 'edited a third time');
  await untilLast(replayed, 'changed 1@3');
  expect(statesOf(replayed).at(-1)).toBe(3);
  await bob[Symbol.asyncDispose]();
});
