import { expect, test } from 'vitest';
import { noFailpoints } from '../../src/lib/failpoint.ts';
import { InboxReader } from '../../src/realtime/inbox/inbox-reader.ts';
import type { LogEntry } from '../../src/realtime/inbox/log-entry.ts';
import { messageKey } from '../../src/realtime/inbox/timeline-reads.ts';

const conversationId = 1n;
const head = { isLarge: false, lastSeq: 0, changeSeq: 0 };
const viewer = { userId: 7n, sessionId: 8n, appId: 'default', expiresAtMs: 0 };

function run(firstSeq: number, count: number, lastOffset: number): LogEntry {
  const event = { kind: 'added', conversationId, firstSeq, count } as const;
  return { event, lastOffset: BigInt(lastOffset), atMs: 0 };
}

function small(lastOffset: number): LogEntry {
  return { event: { kind: 'removed', conversationId }, lastOffset: BigInt(lastOffset), atMs: 0 };
}

function at(offset: bigint): { epoch: bigint; offset: bigint } {
  return { epoch: 1n, offset };
}

function readerOf(entries: readonly LogEntry[]): InboxReader {
  return new InboxReader({
    failpoints: noFailpoints,
    inboxLog: {
      read: (_userId: bigint, after: { offset: bigint }, max: number) =>
        Promise.resolve(entries.filter((entry) => entry.lastOffset > after.offset).slice(0, max)),
    } as never,
    wallets: { entriesBetween: () => Promise.resolve([]) },
    reads: {
      read: ({ conversationIds, keys }) =>
        Promise.resolve({
          memberships: new Map(conversationIds.map((id) => [id, { joinedSeq: 1, head }])),
          messages: new Map(keys.map((key) => [messageKey(key), { ...key } as never])),
        }),
    },
  });
}

// Offsets 1 to 5: a run of seqs 1 to 5; 6; 7 to 9: a run of seqs 6 to 8; 10.
const log = [run(1, 5, 5), small(6), run(6, 3, 9), small(10)];
const told = ['1', '2', '3', '4', '5', '-', '6', '7', '8', '-'];

test.each([1, 2, 3, 4, 5, 6, 7, 9, 10, 200])('pages of %i tell every offset once', async (size) => {
  const reader = readerOf(log);
  for (let from = 0; from <= 10; from += 1) {
    const seen: string[] = [];
    let position = BigInt(from);
    while (position < 10n) {
      const page = await reader.page(viewer, at(position), size);
      const events = page?.events ?? [];
      expect(events.map(({ offset }) => offset)).toEqual(
        events.map((_, index) => position + BigInt(index) + 1n),
      );
      expect(events.length).toBe(Math.min(size, 10 - Number(position)));
      seen.push(...events.map(({ happening: h }) => ('seq' in h ? String(h.seq) : '-')));
      position = page?.position ?? -1n;
    }
    expect(seen).toEqual(told.slice(from));
  }
});

test('a hole is no page', async () => {
  expect(await readerOf(log.slice(1)).page(viewer, at(2n), 5)).toBeNull();
  expect(await readerOf([run(1, 5, 5), run(6, 3, 9)]).page(viewer, at(3n), 10)).toBeNull();
  // One that lies beyond the page is the next one's.
  expect((await readerOf([run(1, 5, 5), run(6, 3, 9)]).page(viewer, at(3n), 2))?.position).toBe(5n);
  expect(await readerOf(log.slice(1)).page(viewer, at(5n), 5)).not.toBeNull();
});
