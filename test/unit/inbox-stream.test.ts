import { beforeEach, expect, it, vi } from 'vitest';
import { InboxStream } from '../../src/realtime/inbox/inbox-stream.ts';
import type { LogHead } from '../../src/realtime/inbox/log-head.ts';
import { Router } from '../../src/realtime/inbox/router.ts';

const userId = 7n;
const viewer = { userId, sessionId: 8n, appId: 'default', expiresAtMs: 0 };
const epoch = 5n;
const after = { userId, epoch, offset: 0n, atMs: 0 };

/** A log of so many events, which the test lets grow or change. */
let log: { epoch: bigint; lastOffset: bigint; trimmedOffset: bigint };
let calls: string[];
/** What comes with the head: of the entries their offsets. */
let ahead: bigint[];
/** Runs right before the log is read for the nth time. */
let beforeRead: (() => void)[];

beforeEach(() => {
  log = { epoch, lastOffset: 0n, trimmedOffset: 0n };
  calls = [];
  ahead = [];
  beforeRead = [];
});

const head = (): LogHead => ({ userId, lastSeenAtMs: 0n, ...log });
const happening = { kind: 'ConversationRemoved', conversationId: 1n } as const;
const brief = ({ event, position }: { event: { kind: string }; position: { offset: bigint } }) =>
  `${event.kind === 'ConversationRemoved' ? 'event' : event.kind} ${position.offset}`;

async function streamFrom(limits: { streamQueueEventsMax?: number } = {}) {
  const router = new Router();
  const deps = {
    router,
    clock: { now: () => 1_000 },
    onClosed: () => undefined,
    inboxLog: {
      resume: () => {
        calls.push('resume');
        return Promise.resolve({ head: head(), entries: ahead });
      },
      heads: () => (calls.push('heads'), Promise.resolve(new Map([[userId, head()]]))),
    },
    reader: {
      page: (
        _viewer: unknown,
        from: { epoch: bigint; offset: bigint },
        max: number,
        read?: readonly bigint[],
      ) => {
        beforeRead.shift()?.();
        calls.push(read ? 'shown' : 'read');
        if (read) {
          const events = read.map((offset) => ({ offset, atMs: 0, happening, joinedSeq: 0 }));
          return Promise.resolve({ events, position: read.at(-1) });
        }
        if (from.epoch !== log.epoch) return Promise.resolve({ events: [], position: from.offset });
        if (from.offset < log.trimmedOffset) return Promise.resolve(null);
        const events = [];
        let position = from.offset;
        for (; position < log.lastOffset && events.length < max;) {
          position += 1n;
          events.push({ offset: position, atMs: 0, happening, joinedSeq: 0 });
        }
        return Promise.resolve({ events, position });
      },
    },
    largeGroups: {
      of: () => (calls.push('groups'), Promise.resolve([])),
      unlisten: () => undefined,
    },
    limits: {
      inboxReplayPageEvents: 2,
      inboxLogAgeMaxMs: 10_000,
      streamQueueEventsMax: 4,
      sinceOverlapMs: 0,
      ...limits,
    },
  };
  const stream = new InboxStream(viewer, deps as never);
  const told: string[] = [];
  const take = (): void => {
    for (let item = stream.take(); item; item = stream.take()) told.push(brief(item));
  };
  stream.onReady(take);
  await stream.start(after);
  const deliver = (offset: bigint): void => {
    log.lastOffset = offset;
    stream.deliver({ epoch: log.epoch, offset, atMs: 0, joinedSeq: 0, happening });
  };
  return { stream, told, take, deliver };
}

const isLive = (told: string[]) => vi.waitUntil(() => told.at(-1)?.startsWith('InboxHeartbeat'));

it('asks for the head once, and reads no further than it has to', async () => {
  log.lastOffset = 3n;
  const { told } = await streamFrom();
  await isLive(told);
  expect(told).toEqual(['event 1', 'event 2', 'event 3', 'InboxHeartbeat 3']);
  expect(calls).toEqual(['resume', 'read', 'read', 'groups']);
});

it('what came with the head is not read again', async () => {
  log.lastOffset = 3n;
  ahead = [1n];
  const { told } = await streamFrom();
  await isLive(told);
  expect(told).toEqual(['event 1', 'event 2', 'event 3', 'InboxHeartbeat 3']);
  expect(calls).toEqual(['resume', 'shown', 'read', 'groups']);
});

it('nothing of a log that ended is shown, though it came with the head', async () => {
  log = { epoch: 6n, lastOffset: 3n, trimmedOffset: 0n };
  ahead = [1n];
  const { told, deliver } = await streamFrom();
  await isLive(told);
  log.lastOffset = 5n;
  deliver(5n);
  await vi.waitUntil(() => told.at(-1) === 'event 5');
  expect(told).toEqual(['InboxReset 3', 'InboxHeartbeat 3', 'event 4', 'event 5']);
  expect(calls).not.toContain('shown');
});

it('a log that grows while it is read is no other log', async () => {
  log.lastOffset = 1n;
  beforeRead = [() => (log.lastOffset = 2n)];
  const { told, deliver } = await streamFrom();
  deliver(2n);
  deliver(3n);
  await vi.waitUntil(() => told.at(-1) === 'event 3');
  expect(told).toEqual(['event 1', 'event 2', 'InboxHeartbeat 2', 'event 3']);
});

it('what was dropped while it read is read, too', async () => {
  log.lastOffset = 1n;
  const { told, deliver, stream } = await streamFrom({ streamQueueEventsMax: 2 });
  // Four come while two may wait, and then none any more.
  for (let offset = 2n; offset <= 5n; offset += 1n) deliver(offset);
  await vi.waitUntil(() => stream.isLive);
  expect(told).toEqual([1, 2, 3, 4, 5].map((n) => `event ${n}`).concat('InboxHeartbeat 5'));
});

it('where somebody doubts that all comes live, the head is asked again before it goes live', async () => {
  log.lastOffset = 1n;
  const { told, stream } = await streamFrom();
  log.lastOffset = 2n;
  stream.recheck();
  await isLive(told);
  expect(told).toEqual(['event 1', 'event 2', 'InboxHeartbeat 2']);
  expect(calls.filter((call) => call === 'heads')).toHaveLength(1);
});

it('says reset once where another log takes the place of the one that is read', async () => {
  log.lastOffset = 4n;
  beforeRead = [() => undefined, () => (log = { epoch: 6n, lastOffset: 9n, trimmedOffset: 0n })];
  const { told } = await streamFrom();
  await isLive(told);
  expect(told).toEqual(['event 1', 'event 2', 'InboxReset 9', 'InboxHeartbeat 9']);
});
