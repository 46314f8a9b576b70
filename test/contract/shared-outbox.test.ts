import { expect, test, vi } from 'vitest';
import type { CommittedRow, Timelines } from '../../src/domain/timeline/timeline.ts';
import { failpointsOf, noFailpoints } from '../../src/lib/failpoint.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import type { InboxLog } from '../../src/realtime/inbox/inbox-log.ts';
import { RedisInboxLog } from '../../src/realtime/inbox/inbox-log.redis.ts';
import { MemberLists } from '../../src/realtime/outbox/member-lists.ts';
import { SharedOutbox } from '../../src/realtime/outbox/shared-outbox.ts';
import { forgetDone } from '../../src/realtime/outbox/undone-rows.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import type { Sql } from '../../src/storage/sql.ts';
import { storages } from '../support/accounts.ts';
import { openRedisLog, type OpenRedisLog } from '../support/inbox-logs.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { openTimelines, type OpenTimelines } from '../support/timelines.ts';

const isHere = mariadbAvailable() && redisAvailable();
const bounds = { ...limits, relayAgeMs: 0, relayPollMs: 100, outboxDoneFlushMs: 20 };

interface Node {
  readonly timelines: Timelines;
  readonly outbox: SharedOutbox;
}

/** Two nodes that write to the same shards, and some Redis; what they commit is handed to `offer`. */
async function twoNodes(
  offer: (node: Node, row: CommittedRow) => void,
  redisCount = 1,
  failpoints = noFailpoints,
  limitsToo: Partial<typeof bounds> = {},
) {
  const storage = storages.find(({ name }) => name.includes('MariaDB'));
  if (!storage) throw new Error('no MariaDB');
  const world = await openTimelines(storage);
  const logs = await openRedisLog({}, redisCount);
  const outboxes = [0, 1].map(() =>
    outboxOf(world, logs.log, () => logs.buckets.epoch, failpoints, limitsToo),
  );
  for (const bucket of logs.buckets.all) {
    bucket.onUp((isNew) => {
      if (isNew) for (const outbox of outboxes) outbox.epochChanged();
    });
  }
  for (const outbox of outboxes) await outbox.start();
  const writers = await Promise.all(
    outboxes.map(async (outbox) => {
      const timelines: Timelines = await world.node((row) => offer({ timelines, outbox }, row));
      return { timelines, outbox };
    }),
  );
  return {
    world,
    logs,
    nodes: writers as [Node, Node],
    async [Symbol.asyncDispose]() {
      for (const outbox of outboxes) await outbox.stop();
      await world[Symbol.asyncDispose]();
      await logs[Symbol.asyncDispose]();
    },
  };
}

function outboxOf(
  { shards, clock }: OpenTimelines,
  inboxLog: InboxLog,
  epoch: () => bigint | null,
  failpoints = noFailpoints,
  limitsToo: Partial<typeof bounds> = {},
) {
  return new SharedOutbox({
    shards,
    clock,
    failpoints,
    log: createLogger({ level: 'silent' }),
    inboxLog,
    memberLists: new MemberLists({ shards, usersMax: 10_000 }),
    epoch,
    isRelay: () => Promise.resolve(true),
    onFound: () => undefined,
    limits: { ...bounds, ...limitsToo },
  });
}

async function group(world: OpenTimelines, timelines: Timelines, count: number) {
  const users = Array.from({ length: count }, () => world.newUserId());
  const [actorId, ...memberIds] = users as [bigint, ...bigint[]];
  const { conversationId: id } = await timelines.submit({
    kind: 'createGroup',
    appId: 'default',
    actorId,
    clientRequestId: `r${actorId}`,
    title: 'Climbers',
    memberIds,
  });
  return { id, users };
}

function send(timelines: Timelines, conversationId: bigint, actorId: bigint, key: string) {
  return timelines.submit({
    kind: 'send',
    conversationId,
    actorId,
    clientMessageId: key,
    content: { kind: 'TEXT', text: key },
    replyToSeq: null,
  });
}

/** Who writes in which round. */
function turn(nodes: readonly [Node, Node], round: number): Timelines {
  return nodes[round % 2 === 0 ? 0 : 1].timelines;
}

/** By conversation, the seqs in the order in which they stand in a user's log. */
async function seqsOf({ log }: OpenRedisLog, userId: bigint): Promise<Map<bigint, number[]>> {
  const { epoch } = await log.open(userId);
  const seqs = new Map<bigint, number[]>();
  for (const { event } of await log.read(userId, { epoch, offset: 0n }, 5_000)) {
    if (event.kind !== 'added') continue;
    const known = seqs.get(event.conversationId) ?? [];
    for (let index = 0; index < event.count; index += 1) known.push(event.firstSeq + index);
    seqs.set(event.conversationId, known);
  }
  return seqs;
}

async function undone({ shards }: OpenTimelines, epoch: bigint | null): Promise<number> {
  const counts = await Promise.all(
    shards.all.map(({ sql }) =>
      sql.query<{ total: bigint }>(
        'SELECT COUNT(*) AS total FROM OutboxRow WHERE doneIn IS NULL OR doneIn <> ?',
        [epoch ?? 0n],
      ),
    ),
  );
  return counts.flat().reduce((sum, { total }) => sum + Number(total), 0);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

test.skipIf(!isHere).each([1, 2])(
  'whichever node is quicker, and whatever one of them loses, every log has all of it once, in order',
  async (redisCount) => {
    let offered = 0;
    await using both = await twoNodes(({ outbox }, row) => {
      offered += 1;
      // One in five is lost with its node, the others are late by turns.
      if (offered % 5 === 0) return;
      setTimeout(() => outbox.offer(row), (offered * 37) % 60);
    }, redisCount);
    const { world, logs, nodes } = both;
    const groups = [
      await group(world, nodes[0].timelines, 4),
      await group(world, nodes[1].timelines, 6),
    ];
    for (const userId of groups.flatMap(({ users }) => users)) await logs.log.open(userId);
    const rounds = range(1, 40);
    await Promise.all(
      groups.flatMap(({ id, users }) =>
        nodes.map(async ({ timelines }, node) => {
          for (const round of rounds) {
            await send(timelines, id, users[round % users.length] ?? 0n, `${node} ${round}`);
          }
        }),
      ),
    );
    await expect
      .poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000, interval: 100 })
      .toBe(0);
    for (const { id, users } of groups) {
      for (const userId of users) {
        const seqs = (await seqsOf(logs, userId)).get(id) ?? [];
        // Some of the beginning may have been before their log.
        expect(seqs).toEqual(range(seqs[0] ?? 0, 2 * rounds.length + 1));
        expect(seqs[0]).toBeLessThanOrEqual(2);
      }
    }
  },
);

test.skipIf(!isHere)(
  'after Redis was emptied what is not in the new logs is put there, once, in order',
  async () => {
    await using both = await twoNodes(({ outbox }, row) => outbox.offer(row));
    const { world, logs, nodes } = both;
    const { id, users } = await group(world, nodes[0].timelines, 3);
    const [ann] = users as [bigint];
    await logs.log.open(ann);
    for (const round of range(1, 5)) await send(turn(nodes, round), id, ann, `a${round}`);
    await expect.poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000 }).toBe(0);
    const before = logs.buckets.epoch;
    await logs.buckets.all[0]?.call('FLUSHALL');
    for (const round of range(6, 20)) await send(turn(nodes, round), id, ann, `a${round}`);
    await expect.poll(() => logs.buckets.epoch !== before, { timeout: 5_000 }).toBe(true);
    await logs.log.open(ann);
    for (const round of range(21, 40)) await send(turn(nodes, round), id, ann, `a${round}`);
    await expect
      .poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000, interval: 100 })
      .toBe(0);
    const seqs = (await seqsOf(logs, ann)).get(id) ?? [];
    expect(seqs).toEqual(range(seqs[0] ?? 0, 41));
    // Their log was there before these were sent.
    expect(seqs[0]).toBeLessThanOrEqual(22);
  },
);

test.skipIf(!isHere)(
  'rows are deleted from the first on, in whatever order they were done: new logs then have no hole',
  async () => {
    await using both = await twoNodes(({ outbox }, row) => outbox.offer(row));
    const { world, logs, nodes } = both;
    const { ids, id, ann, sql } = await fiveSent(both);
    // Each node marks by its own clock, and a relay later than who wrote.
    const { outboxKeptDoneMs } = limits;
    const done = 'UPDATE OutboxRow SET doneAtMs = ? WHERE id = ?';
    await sql.execute(done, [world.clock.now() - outboxKeptDoneMs, ids.at(-3) ?? 0n]);
    await sql.execute(done, [world.clock.now() - outboxKeptDoneMs, ids[0] ?? 0n]);
    world.clock.advance(outboxKeptDoneMs / 10);
    await expect.poll(() => idsIn(sql), { timeout: 5_000 }).toEqual(ids.slice(1));
    await logs.buckets.all[0]?.call('FLUSHALL');
    await openedAnew(logs, ann);
    await send(nodes[0].timelines, id, ann, 'a6');
    await expect.poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000 }).toBe(0);
    const seqs = (await seqsOf(logs, ann)).get(id) ?? [];
    // What was told before the log was there is not in it.
    expect(seqs).toEqual(range(Math.max(2, seqs[0] ?? 2), 7));
  },
);

test.skipIf(!isHere)('rows that are gone hold up none behind them in new logs', async () => {
  await using both = await twoNodes(({ outbox }, row) => outbox.offer(row));
  const { world, logs, nodes } = both;
  const { ids, id, ann, sql } = await fiveSent(both);
  await sql.execute('DELETE FROM OutboxRow WHERE id = ?', [ids.at(-3) ?? 0n]);
  await logs.buckets.all[0]?.call('FLUSHALL');
  await openedAnew(logs, ann);
  await send(nodes[0].timelines, id, ann, 'a6');
  await expect.poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000 }).toBe(0);
  const seqs = (await seqsOf(logs, ann)).get(id) ?? [];
  // What was told before the log was there is not in it.
  expect(seqs).toEqual([1, 2, 3, 5, 6, 7].filter((seq) => seq >= (seqs[0] ?? 1)));
});

test.skipIf(!isHere)(
  'what a node left whose clock was ahead is told as soon as all else, and what is young is left to its writer',
  async () => {
    const relayAgeMs = 3_000;
    // Nobody takes what is committed but a relay.
    await using both = await twoNodes(() => undefined, 1, noFailpoints, { relayAgeMs });
    const { world, logs, nodes } = both;
    const { id, users } = await group(world, nodes[0].timelines, 3);
    const [ann] = users as [bigint];
    await logs.log.open(ann);
    const seqs = async () => (await seqsOf(logs, ann)).get(id) ?? [];
    world.clock.advance(relayAgeMs);
    await expect.poll(seqs, { timeout: 20_000 }).toEqual([1]);
    world.clock.advance(3_600_000);
    await send(nodes[0].timelines, id, ann, 'of a time to come');
    world.clock.advance(-3_600_000);
    await expect.poll(seqs, { timeout: 20_000 }).toEqual([1, 2]);
    await send(nodes[0].timelines, id, ann, 'young');
    await new Promise((resolve) => setTimeout(resolve, 5 * bounds.relayPollMs));
    expect(await seqs()).toEqual([1, 2]);
    world.clock.advance(relayAgeMs);
    await expect.poll(seqs, { timeout: 20_000 }).toEqual([1, 2, 3]);
  },
);

test.skipIf(!isHere)(
  'rows are deleted from the first on, though an epoch begins meanwhile, and some of them are done in it',
  async () => {
    await using both = await twoNodes(({ outbox }, row) => outbox.offer(row));
    const { ids, id, sql } = await fiveSent(both);
    const { epoch } = both.logs.buckets;
    const later = both.world.clock.now();
    const tellAgain = (): Promise<unknown> =>
      sql.execute('UPDATE OutboxRow SET doneIn = doneIn + 1, doneAtMs = ? WHERE id IN (?, ?)', [
        ...[later, ids[0] ?? 0n, ids[1] ?? 0n],
      ]);
    // Nobody else says anything meanwhile.
    for (const { outbox } of both.nodes) await outbox.stop();
    const execute = vi.spyOn(sql, 'execute').mockImplementationOnce(async (text, params) => {
      execute.mockRestore();
      await tellAgain();
      return sql.execute(text, params);
    });
    await forgetDone(both.world.shards.of(id), epoch ?? 0n, later + 1);
    expect(await idsIn(sql)).toEqual([]);
  },
);

/** A group to which five messages were sent, each in a row of its own, and all that is done. */
async function fiveSent({ world, logs, nodes }: Awaited<ReturnType<typeof twoNodes>>) {
  const { id, users } = await group(world, nodes[0].timelines, 3);
  const [ann] = users as [bigint];
  await logs.log.open(ann);
  for (const round of range(1, 5)) await send(nodes[0].timelines, id, ann, `a${round}`);
  await expect.poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000 }).toBe(0);
  const { sql } = world.shards.of(id);
  return { id, ann, sql, ids: await idsIn(sql) };
}

/** Of a Redis that has just lost all, some calls are lost as well. */
function openedAnew({ log }: OpenRedisLog, userId: bigint): Promise<unknown> {
  return vi.waitFor(() => log.open(userId), { timeout: 10_000 });
}

async function idsIn(sql: Sql): Promise<bigint[]> {
  const rows = await sql.query<{ id: bigint }>('SELECT id FROM OutboxRow ORDER BY id');
  return rows.map(({ id }) => id);
}

test.skipIf(!isHere)(
  'while Redis is gone writing goes on, and afterwards all of it is told',
  async () => {
    await using both = await twoNodes(({ outbox }, row) => outbox.offer(row));
    const { world, logs, nodes } = both;
    const { id, users } = await group(world, nodes[0].timelines, 3);
    const [ann] = users as [bigint];
    await logs.redis.kill9();
    for (const round of range(1, 60)) await send(turn(nodes, round), id, ann, `a${round}`);
    await logs.redis.start();
    await expect.poll(() => logs.buckets.isUp, { timeout: 10_000 }).toBe(true);
    await expect
      .poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000, interval: 100 })
      .toBe(0);
    await logs.log.open(ann);
    await send(nodes[0].timelines, id, ann, 'after');
    await expect.poll(async () => (await seqsOf(logs, ann)).get(id)).toEqual([62]);
  },
);

/** Members by the Redis that has their logs. */
function membersAt({ buckets }: OpenRedisLog, users: readonly bigint[], index: number): bigint[] {
  return users.filter((userId) => buckets.of(userId).index === index);
}

test.skipIf(!isHere)(
  'of two Redis one is away for long: the users of the other are told, even in a new epoch of it',
  async () => {
    await using both = await twoNodes(({ outbox }, row) => outbox.offer(row), 2);
    const { world, logs, nodes } = both;
    const one = await group(world, nodes[0].timelines, 8);
    const other = await group(world, nodes[1].timelines, 8);
    const [ann] = membersAt(logs, one.users, 0) as [bigint];
    const [bob] = membersAt(logs, other.users, 0) as [bigint];
    await expect.poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000 }).toBe(0);
    // As long afterwards.
    for (const { sql } of world.shards.all) await sql.execute('DELETE FROM OutboxRow');
    await logs.all[1]?.kill9();
    const [near, far] = logs.buckets.all;
    await expect.poll(() => far?.isUp).toBe(false);
    // More than is looked through for what comes before; what is in them is no matter.
    const marks = range(1, 1_300).map(() => '(?, ?)');
    const rows = marks.flatMap(() => [world.clock.now(), '{"parts":[]}']);
    for (const { sql } of world.shards.all) {
      await sql.execute(`INSERT INTO OutboxRow (createdAtMs, body) VALUES ${marks.join()}`, rows);
    }
    for (const round of range(1, 10)) await send(turn(nodes, round), one.id, ann, `a${round}`);
    const before = near?.epoch;
    await near?.call('FLUSHALL');
    await expect.poll(() => near?.isUp === true && near.epoch !== before).toBe(true);
    await logs.log.open(bob);
    await logs.log.open(ann);
    // Nothing of this conversation was told in this epoch.
    await send(nodes[0].timelines, other.id, bob, 'b');
    await expect
      .poll(async () => (await seqsOf(logs, bob)).get(other.id), { timeout: 20_000 })
      .toEqual([2]);
    await expect
      .poll(async () => (await seqsOf(logs, ann)).get(one.id)?.at(-1), { timeout: 30_000 })
      .toBe(11);
    await logs.all[1]?.start();
    await expect
      .poll(() => undone(world, logs.buckets.epoch), { timeout: 30_000, interval: 100 })
      .toBe(0);
    expect((await seqsOf(logs, bob)).get(other.id)).toEqual([2]);
  },
  120_000,
);

test.skipIf(!isHere)(
  'a node that starts while one of two Redis is away tells the users of the other',
  async () => {
    await using both = await twoNodes(() => undefined, 2);
    const { world, logs, nodes } = both;
    const { id, users } = await group(world, nodes[0].timelines, 8);
    const [ann] = membersAt(logs, users, 0) as [bigint];
    await logs.log.open(ann);
    await logs.all[1]?.kill9();
    const log = createLogger({ level: 'silent' });
    const urls = logs.all.map(({ url }) => url);
    const buckets = new RedisBuckets(urls, { log, limits });
    await buckets.start();
    const deps = { buckets, clock: world.clock, failpoints: noFailpoints, limits };
    const outbox = outboxOf(world, new RedisInboxLog(deps), () => buckets.epoch);
    await outbox.start();
    const late = await world.node((row) => outbox.offer(row));
    await send(late, id, ann, 'x');
    await expect
      .poll(async () => (await seqsOf(logs, ann)).get(id)?.at(-1), { timeout: 20_000 })
      .toBe(2);
    await outbox.stop();
    await buckets.stop();
  },
  60_000,
);

/** Whether what a node committed is told by another one, where it died while the logs took nothing. */
async function isToldByOthers(bugs: string): Promise<boolean> {
  const offer = ({ outbox }: Node, row: CommittedRow): void => outbox.offer(row);
  await using both = await twoNodes(offer, 1, failpointsOf(bugs));
  const { world, logs, nodes } = both;
  const { id, users } = await group(world, nodes[0].timelines, 3);
  const [ann] = users as [bigint];
  await logs.log.open(ann);
  await expect.poll(() => undone(world, logs.buckets.epoch), { timeout: 20_000 }).toBe(0);
  const [bucket] = logs.buckets.all;
  await bucket?.call('CONFIG', 'SET', 'maxmemory', 1);
  await send(nodes[0].timelines, id, ann, 'full');
  // Longer than it takes to mark what is done.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await nodes[0].outbox.stop();
  await bucket?.call('CONFIG', 'SET', 'maxmemory', 0);
  const isTold = (): Promise<boolean> =>
    seqsOf(logs, ann).then(
      (seqs) => seqs.get(id)?.at(-1) === 2,
      () => false,
    );
  return await vi.waitUntil(isTold, { timeout: 15_000, interval: 100 }).catch(() => false);
}

test.skipIf(!isHere)(
  'a row is done when it is in the logs, and not before: else another node tells it',
  async () => {
    expect(await isToldByOthers('')).toBe(true);
  },
  60_000,
);

test.skipIf(!isHere)(
  'the planted bug "row marked done before append" is seen',
  async () => {
    expect(await isToldByOthers('bug:done-before-append')).toBe(false);
  },
  60_000,
);
