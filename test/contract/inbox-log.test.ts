import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import type { AppendJob } from '../../src/realtime/inbox/append-job.ts';
import {
  anyId,
  entriesOf,
  jobOf,
  logKinds,
  placeOf,
  stretchOf,
  type OpenLog,
} from '../support/inbox-logs.ts';

const kept = 40;

function added(conversationId: bigint, firstSeq: number, count: number) {
  return { kind: 'added', conversationId, firstSeq, count } as const;
}

function readJob(
  conversationId: bigint,
  readSeq: number,
  to: readonly (readonly [userId: bigint, joinedEventNo: number])[],
  membersEventNo = 1,
): AppendJob {
  return {
    kind: 'read',
    event: { kind: 'read', conversationId, userId: 7n, readSeq },
    membersEventNo,
    atMs: 2_000,
    recipients: to.map(([userId, joinedEventNo]) => ({ userId, joinedSeq: 1, joinedEventNo })),
    telling: { messages: new Map(), regimes: new Map() },
  };
}

/** A cursor of no log. */
const nowhere = { epoch: 1n, offset: 0n };

describe.each(logKinds.filter(({ isHere }) => isHere()))('the inbox log in $name', (kind) => {
  let opened: OpenLog;
  let ann: bigint;
  let bob: bigint;
  let id: bigint;

  beforeEach(async () => {
    opened = await kind.open({ inboxLogEventsKept: kept });
    [ann, bob, id] = [anyId(), anyId(), anyId()];
  });

  afterEach(() => opened[Symbol.asyncDispose]());

  test('begins with a head, under a name of its own, and keeps it', async () => {
    const { log } = opened;
    expect((await log.heads([ann, bob])).size).toBe(0);
    const head = await log.open(ann);
    expect(head).toMatchObject({ userId: ann, lastOffset: 0n, trimmedOffset: 0n });
    expect((await log.open(ann)).epoch).toBe(head.epoch);
    expect((await log.open(bob)).epoch).not.toBe(head.epoch);
    expect(await log.read(ann, { epoch: head.epoch, offset: 0n }, 10)).toEqual([]);
  });

  test('counts offsets from one, a run by its messages, and clips it to the joining', async () => {
    const { log } = opened;
    await log.open(ann);
    await log.open(bob);
    const to = [
      [ann, 1],
      [bob, 3],
    ] as const;
    const job = jobOf(
      stretchOf(id, 1, [
        { event: { kind: 'conversation', conversationId: id }, to },
        { event: added(id, 1, 4), to },
        { event: { kind: 'changed', conversationId: id, changeSeq: 1, seq: 2 }, to },
        { event: { kind: 'changed', conversationId: id, changeSeq: 2, seq: 3 }, to },
      ]),
    );
    await log.append(placeOf(log), job);
    expect(await entriesOf(log, ann)).toEqual([
      '1 conversation',
      '5 added 1+4',
      '6 changed 2 by 1',
      '7 changed 3 by 2',
    ]);
    expect(await entriesOf(log, bob)).toEqual([
      '1 conversation',
      '3 added 3+2',
      '4 changed 3 by 2',
    ]);
    expect(await entriesOf(log, ann, 3n)).toHaveLength(3);
    expect((await log.heads([ann])).get(ann)?.lastOffset).toBe(7n);
  });

  test('keeps the entries of a wallet under its user, as a source of their own', async () => {
    const { log } = opened;
    const { epoch } = await log.open(ann);
    const happened = [4, 5].map((entryNo) => ({
      event: { kind: 'wallet', userId: ann, entryNo } as const,
      to: [[ann, 0]] as const,
    }));
    const stretch = { ...stretchOf(-ann, 4, happened, 0), isWhole: true };
    await log.append(placeOf(log), jobOf(stretch));
    await log.append(placeOf(log), jobOf(stretch));
    const entries = await log.read(ann, { epoch, offset: 0n }, 10);
    expect(entries.map(({ event }) => event)).toEqual(happened.map(({ event }) => event));
  });

  test('passes over whoever has no log', async () => {
    const { log } = opened;
    await log.open(ann);
    const to = [ann, bob].map((userId) => [userId, 1] as const);
    await log.append(placeOf(log), jobOf(stretchOf(id, 1, [{ event: added(id, 1, 1), to }])));
    expect(await entriesOf(log, ann)).toEqual(['1 added 1+1']);
    expect(await entriesOf(log, bob)).toEqual([]);
  });

  test('appends nothing twice, of a run that overlaps its end alone', async () => {
    const { log } = opened;
    await log.open(ann);
    const to = [[ann, 1]] as const;
    const first = jobOf(stretchOf(id, 1, [{ event: added(id, 1, 3), to }]));
    await log.append(placeOf(log), first);
    await log.append(placeOf(log), first);
    await log.append(placeOf(log), jobOf(stretchOf(id, 2, [{ event: added(id, 2, 5), to }])));
    await log.append(placeOf(log), jobOf(stretchOf(id, 2, [{ event: added(id, 2, 2), to }])));
    expect(await entriesOf(log, ann)).toEqual(['3 added 1+3', '6 added 4+3']);
  });

  test('keeps the order of jobs that are not awaited', async () => {
    const { log } = opened;
    await log.open(ann);
    const to = [[ann, 1]] as const;
    const seqs = Array.from({ length: 30 }, (_, index) => index + 1);
    const jobs = seqs.map((seq) => jobOf(stretchOf(id, seq, [{ event: added(id, seq, 1), to }])));
    await Promise.all(jobs.map((job) => log.append(placeOf(log), job)));
    expect(await entriesOf(log, ann)).toEqual(seqs.map((seq) => `${seq} added ${seq}+1`));
  });

  test('reads nothing of a log that another one has taken the place of', async () => {
    const { log } = opened;
    const { epoch } = await log.open(ann);
    const event = added(id, 1, 1);
    await log.append(placeOf(log), jobOf(stretchOf(id, 1, [{ event, to: [[ann, 1]] }])));
    expect(await log.read(ann, { epoch, offset: 0n }, 10)).toHaveLength(1);
    expect(await log.read(ann, { epoch: epoch + 1n, offset: 0n }, 10)).toEqual([]);
  });

  test('gives what follows a cursor with the head, to many at one time each their own', async () => {
    const { log } = opened;
    const users = Array.from({ length: 100 }, anyId);
    const heads = await Promise.all(users.map((user) => log.resume(user, nowhere, 10)));
    for (const { entries } of heads) expect(entries).toEqual([]);
    for (const seq of [1, 2, 3]) {
      const to = users.map((user, index) => [user, (index % 3) + 1] as const);
      const event = added(id, seq, 1);
      await log.append(placeOf(log), jobOf(stretchOf(id, seq, [{ event, to }])));
    }
    const resumed = await Promise.all(
      users.map((user, index) => {
        const epoch = present(heads[index], 'a head').head.epoch;
        return log.resume(user, { epoch, offset: 1n }, 10);
      }),
    );
    resumed.forEach(({ head, entries }, index) => {
      // Who joined with the nth of three has so many less.
      const lastOffset = BigInt(3 - (index % 3));
      expect(head).toMatchObject({ userId: users[index], lastOffset });
      const offsets = entries.map((entry) => entry.lastOffset);
      expect(offsets).toEqual([2n, 3n].filter((offset) => offset <= lastOffset));
    });
    const other = await log.resume(present(users[0], 'a user'), nowhere, 10);
    expect(other).toMatchObject({ head: { lastOffset: 3n }, entries: [] });
  });

  test('keeps what it is to keep, and says up to where it is gone', async () => {
    const { log } = opened;
    await log.open(ann);
    const to = [[ann, 1]] as const;
    for (let seq = 1; seq <= 3 * kept; seq += 1) {
      await log.append(placeOf(log), jobOf(stretchOf(id, seq, [{ event: added(id, seq, 1), to }])));
    }
    const head = (await log.heads([ann])).get(ann);
    const gone = Number(head?.trimmedOffset);
    expect(gone).toBeGreaterThan(kept);
    expect(gone).toBeLessThanOrEqual(2 * kept);
    const entries = await entriesOf(log, ann);
    expect(entries[0]).toBe(`${gone + 1} added ${gone + 1}+1`);
    expect(entries).toHaveLength(3 * kept - gone);
  });

  test('tells a read once, and never an older one', async () => {
    const { log } = opened;
    await log.open(ann);
    const stretch = stretchOf(id, 1, [{ event: added(id, 1, 9), to: [[ann, 1]] }]);
    await log.append(placeOf(log), jobOf(stretch));
    for (const readSeq of [4, 4, 3, 6]) {
      const { isStale } = await log.append(placeOf(log), readJob(id, readSeq, [[ann, 1]]));
      expect(isStale).toBe(false);
    }
    expect(await entriesOf(log, ann)).toEqual(['9 added 1+9', '10 read 4', '11 read 6']);
  });

  test('tells no read by a list of members that is older than what it told', async () => {
    const { log } = opened;
    await log.open(ann);
    const to = [[ann, 1]] as const;
    const stretch = stretchOf(id, 1, [{ event: added(id, 1, 2), to }], 2);
    await log.append(placeOf(log), jobOf(stretch));
    const old = await log.append(placeOf(log), readJob(id, 2, [[ann, 1]], 1));
    expect(old.isStale).toBe(true);
    // Bob's joining is not told yet.
    await log.open(bob);
    const job = readJob(
      id,
      2,
      [
        [ann, 1],
        [bob, 3],
      ],
      3,
    );
    expect((await log.append(placeOf(log), job)).isStale).toBe(false);
    expect(await entriesOf(log, ann)).toEqual(['2 added 1+2', '3 read 2']);
    expect(await entriesOf(log, bob)).toEqual([]);
  });

  test('tells heads of many, there or not', async () => {
    const { log } = opened;
    const users = Array.from({ length: 1_100 }, () => anyId());
    const some = users.filter((_, index) => index % 100 === 0);
    await Promise.all(some.map((userId) => log.open(userId)));
    const told = new Map<bigint, boolean>();
    await log.tellHeads(users, (userId, head) => told.set(userId, head?.userId === userId));
    expect(told.size).toBe(users.length);
    expect([...told].filter(([, isThere]) => isThere).map(([userId]) => userId)).toEqual(
      expect.arrayContaining(some),
    );
    await log.touch(users);
    expect((await log.heads(users)).size).toBe(some.length);
  });
});
