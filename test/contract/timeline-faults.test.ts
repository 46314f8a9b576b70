import { describe, expect, it, vi } from 'vitest';
import type { Draft, ResultOf } from '../../src/domain/timeline/timeline.ts';
import type { Sql } from '../../src/storage/sql.ts';
import { SqlError } from '../../src/storage/sql.ts';
import { storages } from '../support/accounts.ts';
import { openTimelines, textDraft as text, type OpenTimelines } from '../support/timelines.ts';

type Send = Extract<Draft, { kind: 'send' }>;
type Sent = ResultOf<Send>;

const unavailable = expect.objectContaining({
  code: 'UNAVAILABLE',
  retryAfterMs: expect.any(Number) as number,
}) as unknown;

/** A group on the first shard, so that several share a writer. */
async function newGroup(world: OpenTimelines): Promise<{ id: bigint; owner: bigint; sql: Sql }> {
  for (let attempt = 0; ; attempt += 1) {
    const owner = world.newUserId();
    const { conversationId: id } = await world.timelines.submit({
      kind: 'createGroup',
      appId: 'default',
      actorId: owner,
      clientRequestId: `r${attempt}`,
      title: 'Climbers',
      memberIds: [world.newUserId()],
    });
    const { index, sql } = world.shards.of(id);
    if (index === 0) return { id, owner, sql };
  }
}

async function seqsOf(sql: Sql, id: bigint): Promise<number[]> {
  const rows = await sql.query<{ seq: number }>(
    'SELECT seq FROM Message WHERE conversationId = ? ORDER BY seq',
    [id],
  );
  return rows.map(({ seq }) => seq);
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe.each(storages.filter(({ isHere }) => isHere()))(
  'a writer in trouble on $name',
  (storage) => {
    it('commits the 255 neighbours of a draft that the database refuses', async () => {
      await using world = await openTimelines(storage);
      const { id, owner, sql } = await newGroup(world);
      await sql.execute(
        sql.dialect.forUpdateSkipLocked === ''
          ? `CREATE TRIGGER poison BEFORE INSERT ON Message WHEN NEW.content LIKE '%poison%'
           BEGIN SELECT RAISE(ABORT, 'poison'); END`
          : `CREATE TRIGGER poison BEFORE INSERT ON Message FOR EACH ROW
           IF NEW.content LIKE '%poison%' THEN SIGNAL SQLSTATE '45000'; END IF`,
      );
      // The first begins a batch of its own, and the others gather behind it.
      const first = world.timelines.submit(text(id, owner, 'first'));
      const ended = await Promise.allSettled(
        upTo(256).map((n) =>
          world.timelines.submit(text(id, owner, `k${n}`, n === 100 ? 'poison' : 'x')),
        ),
      );
      await first;
      const failed = ended.flatMap((end, index) => (end.status === 'rejected' ? [index + 1] : []));
      expect(failed).toEqual([100]);
      const seqs = ended.flatMap((end) =>
        end.status === 'fulfilled' ? [end.value.message.seq] : [],
      );
      expect(seqs).toEqual(upTo(257).slice(2));
      expect(await seqsOf(sql, id)).toEqual(upTo(257));
    });

    it('is UNAVAILABLE where the answer to a commit was lost; the retry finds the first message', async () => {
      await using world = await openTimelines(storage);
      const { id, owner, sql } = await newGroup(world);
      const commit = sql.transaction.bind(sql);
      const lost = vi.spyOn(sql, 'transaction').mockImplementationOnce(async (work) => {
        await commit(work);
        throw new SqlError('connection', 'gone');
      });
      await expect(world.timelines.submit(text(id, owner, 'k'))).rejects.toEqual(unavailable);
      expect(lost).toHaveBeenCalledOnce();
      const again = await world.timelines.submit(text(id, owner, 'k'));
      expect(again).toMatchObject({ isDuplicate: true, message: { seq: 2 } });
      expect(await seqsOf(sql, id)).toEqual([1, 2]);
    });

    it('is UNAVAILABLE where nothing was committed; the retry sends', async () => {
      await using world = await openTimelines(storage);
      const { id, owner, sql } = await newGroup(world);
      vi.spyOn(sql, 'transaction').mockRejectedValueOnce(new SqlError('connection', 'gone'));
      await expect(world.timelines.submit(text(id, owner, 'k'))).rejects.toEqual(unavailable);
      const again = await world.timelines.submit(text(id, owner, 'k'));
      expect(again).toMatchObject({ isDuplicate: false, message: { seq: 2 } });
    });

    it('is UNAVAILABLE beyond its queue, and loses nothing that it took', async () => {
      await using world = await openTimelines(
        storage,
        {},
        { writerQueueDraftsMax: 8, writerBatchDraftsMax: 4 },
      );
      const { id, owner, sql } = await newGroup(world);
      const ended = await Promise.allSettled(
        upTo(20).map((n) => world.timelines.submit(text(id, owner, `k${n}`))),
      );
      // One under way, eight waiting.
      expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
      for (const end of ended)
        if (end.status === 'rejected') expect(end.reason).toEqual(unavailable);
      expect(await seqsOf(sql, id)).toEqual(upTo(10));
    });

    it('keeps times from going back where the clock does', async () => {
      await using world = await openTimelines(storage);
      const { id, owner } = await newGroup(world);
      world.clock.advance(5_000);
      const before = await world.timelines.submit(text(id, owner, 'a'));
      world.clock.advance(-60_000);
      const during = await world.timelines.submit(text(id, owner, 'b'));
      world.clock.advance(61_000);
      const after = await world.timelines.submit(text(id, owner, 'c'));
      const times = [before, during, after].map(({ message }) => message.createdAtMs);
      expect(times).toEqual([times[0], times[0], (times[0] ?? 0) + 1_000]);
    });

    it('lets an edit and a recall of a message wait until it is stored', async () => {
      await using world = await openTimelines(storage);
      const { id, owner } = await newGroup(world);
      world.rows.length = 0;
      const edit = (seq: number, words: string) =>
        world.timelines.submit({
          kind: 'edit',
          conversationId: id,
          actorId: owner,
          seq,
          content: { kind: 'TEXT', text: words },
        });
      const answers = await Promise.all([
        world.timelines.submit(text(id, owner, 'first')),
        world.timelines.submit(text(id, owner, 'second')),
        edit(3, 'edited'),
        // What came after it stays after it.
        world.timelines.submit(text(id, owner, 'third')),
        edit(2, 'edited'),
      ]);
      expect(answers.map(({ message }) => [message.seq, message.changeSeq])).toEqual([
        [2, 0],
        [3, 0],
        [3, 1],
        [4, 0],
        [2, 2],
      ]);
      const items = world.rows.map(({ body }) =>
        body.parts.flatMap((part) => part.items.map(({ kind }) => kind)),
      );
      expect(items).toEqual([['added'], ['added'], ['changed', 'added', 'changed']]);
    });

    it('keeps one order with the writer of another node', async () => {
      await using world = await openTimelines(storage);
      const { id, owner, sql } = await newGroup(world);
      const nodes = [world.timelines, await world.node()];
      const sends: Promise<Sent>[] = [];
      for (let n = 0; n < 120; n += 1) {
        for (const node of nodes) {
          // Every other one goes to both.
          const key = n % 2 ? `both ${n}` : `${nodes.indexOf(node)} ${n}`;
          sends.push(node.submit(text(id, owner, key)));
        }
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const answers = await Promise.all(sends);
      expect(answers.filter(({ isDuplicate }) => isDuplicate)).toHaveLength(60);
      const fresh = answers.filter(({ isDuplicate }) => !isDuplicate);
      expect(fresh.map(({ message }) => message.seq).sort((a, b) => a - b)).toEqual(
        upTo(181).slice(1),
      );
      expect(await seqsOf(sql, id)).toEqual(upTo(181));
      const byKey = new Map(fresh.map(({ message }) => [message.clientMessageId, message]));
      for (const { message } of answers)
        expect(message).toEqual(byKey.get(message.clientMessageId));
    });

    it('creates one conversation with the writer of another node', async () => {
      await using world = await openTimelines(storage);
      const nodes = [world.timelines, await world.node()];
      for (let round = 0; round < 5; round += 1) {
        const [a, b] = [world.newUserId(), world.newUserId()];
        const opened = await Promise.all(
          nodes.flatMap((node) => [
            node.submit({ kind: 'openDirect', appId: 'default', actorId: a, peerId: b }),
            node.submit({ kind: 'openDirect', appId: 'default', actorId: b, peerId: a }),
          ]),
        );
        expect(new Set(opened.map(({ conversationId }) => conversationId)).size).toBe(1);
      }
    });
  },
);

// A single writer holds the whole of an SQLite file: there is nobody to wait for.
const several = storages.filter(({ name, isHere }) => name !== 'SQLite' && isHere());
describe.each(several)('a writer beside others on $name', (storage) => {
  /** Locks rows in a transaction of its own until it is let go. */
  async function holding(sql: Sql, statement: string, params: readonly bigint[]) {
    let letGo: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    let lock: () => void = () => undefined;
    const locked = new Promise<void>((resolve) => (lock = resolve));
    const ended = sql.transaction(async (tx) => {
      await tx.query(statement, params);
      lock();
      await released;
    });
    await locked;
    return {
      letGo: async () => {
        letGo();
        await ended;
      },
    };
  }
  const head = 'SELECT id FROM Conversation WHERE id = ? FOR UPDATE';

  it('passes over a conversation that is held, in order, while the others go on', async () => {
    await using world = await openTimelines(storage);
    const held = await newGroup(world);
    const free = await newGroup(world);
    const hold = await holding(held.sql, head, [held.id]);
    const order: string[] = [];
    const waiting = upTo(600).map(async (n) => {
      const { message } = await world.timelines.submit(text(held.id, held.owner, `k${n}`));
      order.push(`${message.clientMessageId} ${message.seq}`);
    });
    const startedAt = performance.now();
    for (const n of upTo(20)) {
      const { message } = await world.timelines.submit(text(free.id, free.owner, `k${n}`));
      expect(message.seq).toBe(n + 1);
    }
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(order).toEqual([]);
    await hold.letGo();
    await Promise.all(waiting);
    expect(order).toEqual(upTo(600).map((n) => `k${n} ${n + 1}`));
  });

  it('is UNAVAILABLE for a conversation that stays held, and works again after it', async () => {
    await using world = await openTimelines(storage, {}, { writerDeferMaxMs: 100 });
    const { id, owner, sql } = await newGroup(world);
    const hold = await holding(sql, head, [id]);
    await expect(world.timelines.submit(text(id, owner, 'k'))).rejects.toEqual(unavailable);
    await hold.letGo();
    expect(await world.timelines.submit(text(id, owner, 'k'))).toMatchObject({
      isDuplicate: false,
    });
  });

  it('answers NOT_FOUND at once for what is unknown, held or not', async () => {
    await using world = await openTimelines(storage);
    const { id, owner, sql } = await newGroup(world);
    const hold = await holding(sql, head, [id]);
    const unknown = world.ids.next(Number(id & 1023n));
    await expect(world.timelines.submit(text(unknown, owner, 'k'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await hold.letGo();
  });

  it('repeats the batch that was chosen to end a deadlock', async () => {
    await using world = await openTimelines(storage);
    const { id, owner, sql } = await newGroup(world);
    let sent: Promise<Sent> | undefined;
    const transactions = vi.spyOn(sql, 'transaction');
    await sql.transaction(async (tx) => {
      // It has more to lose, so the writer's transaction is the one that is ended.
      for (const n of upTo(50)) {
        await tx.execute(
          'INSERT INTO MessageChange (conversationId, changeSeq, seq) VALUES (1, ?, 1)',
          [n],
        );
      }
      await tx.query(
        'SELECT readSeq FROM Member WHERE conversationId = ? AND userId = ? FOR UPDATE',
        [id, owner],
      );
      sent = world.timelines.submit(text(id, owner, 'k'));
      sent.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await tx.query(head, [id]);
    });
    expect(await sent).toMatchObject({ isDuplicate: false, message: { seq: 2 } });
    // This one, the one that was ended, and its repetition.
    expect(transactions).toHaveBeenCalledTimes(3);
    expect(await seqsOf(sql, id)).toEqual([1, 2]);
  });

  it('is UNAVAILABLE where its connection is killed, and sends on the next one', async () => {
    await using world = await openTimelines(storage);
    const { id, owner, sql } = await newGroup(world);
    const member = 'SELECT readSeq FROM Member WHERE conversationId = ? AND userId = ? FOR UPDATE';
    const hold = await holding(sql, member, [id, owner]);
    const sent = world.timelines.submit(text(id, owner, 'k'));
    const outcome = expect(sent).rejects.toEqual(unavailable);
    await vi.waitFor(async () => {
      const [writer] = await sql.query<{ id: bigint }>(
        `SELECT ID AS id FROM information_schema.PROCESSLIST
         WHERE DB = DATABASE() AND INFO LIKE 'INSERT INTO Member %'`,
      );
      expect(writer).toBeDefined();
      await sql.execute(`KILL ${String(writer?.id)}`);
    });
    await outcome;
    await hold.letGo();
    expect(await world.timelines.submit(text(id, owner, 'k'))).toMatchObject({
      isDuplicate: false,
      message: { seq: 2 },
    });
  });
});
