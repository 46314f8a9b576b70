import { describe, expect, it } from 'vitest';
import { storages } from '../support/accounts.ts';
import { openTimelines, textDraft as text, type OpenTimelines } from '../support/timelines.ts';

const appId = 'default';

async function newGroup(
  world: OpenTimelines,
  others: number,
): Promise<{ id: bigint; users: bigint[] }> {
  const users = Array.from({ length: others + 1 }, () => world.newUserId());
  const [actorId, ...memberIds] = users as [bigint, ...bigint[]];
  const { conversationId: id } = await world.timelines.submit({
    kind: 'createGroup',
    appId,
    actorId,
    clientRequestId: `r${actorId}`,
    title: 'Climbers',
    memberIds,
  });
  return { id, users };
}

function textOfValue(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value);
}

const byIndexAlone =
  /Member_conversationId_role_joinedSeq_userId_idx (\(conv|Using where; Using index$)/;

/** How the engine finds an heir: which index it takes, and what it does besides. */
async function planOf(world: OpenTimelines, asking: string, id: bigint): Promise<string> {
  const { sql } = world.shards.of(id);
  const explain = sql.dialect.name === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN';
  type Row = Partial<Record<'detail' | 'key' | 'Extra', string>>;
  const rows = await sql.query<Row>(`${explain} ${asking}`, [id, 0]);
  return rows.map(({ detail, key, Extra }) => detail ?? `${key} ${Extra}`).join();
}

describe.each(storages.filter(({ isHere }) => isHere()))('the writer on $name', (storage) => {
  it('gives concurrent sends contiguous seqs, each once', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 4);
    const sends = Array.from({ length: 600 }, (_, index) =>
      world.timelines.submit(text(id, users[index % 5] as bigint, `k${index}`)),
    );
    const seqs = (await Promise.all(sends)).map(({ message }) => message.seq);
    expect(seqs.sort((a, b) => a - b)).toEqual(
      Array.from({ length: 600 }, (_, index) => index + 2),
    );
  });

  it('answers a retry with the first message, in the same batch and later', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 1);
    const draft = text(id, users[0] as bigint, 'same');
    const [first, second] = await Promise.all([
      world.timelines.submit(draft),
      world.timelines.submit(draft),
    ]);
    const third = await world.timelines.submit(draft);
    expect([first.isDuplicate, second.isDuplicate, third.isDuplicate]).toEqual([false, true, true]);
    expect([second.message, third.message]).toEqual([first.message, first.message]);
    await expect(
      world.timelines.submit(text(id, users[0] as bigint, 'same', 'other words')),
    ).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    const next = await world.timelines.submit(text(id, users[0] as bigint, 'next'));
    expect(next.message.seq).toBe(first.message.seq + 1);
  });

  it('settles duplicates among fresh drafts of one batch', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 1);
    const [actor] = users as [bigint];
    await world.timelines.submit(text(id, actor, 'old'));
    const answers = await Promise.all(
      ['a', 'old', 'b'].map((key) => world.timelines.submit(text(id, actor, key))),
    );
    expect(answers.map(({ isDuplicate, message }) => [isDuplicate, message.seq])).toEqual([
      [false, 3],
      [true, 2],
      [false, 4],
    ]);
  });

  it('opens one direct conversation from both sides at once', async () => {
    await using world = await openTimelines(storage);
    const [a, b] = [world.newUserId(), world.newUserId()];
    const open = (actorId: bigint, peerId: bigint) =>
      world.timelines.submit({ kind: 'openDirect', appId, actorId, peerId });
    const answers = await Promise.all([open(a, b), open(b, a), open(a, b), open(b, a)]);
    expect(new Set(answers.map(({ conversationId }) => conversationId)).size).toBe(1);
  });

  it('lets a removed sender have their message, and nothing more', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 2);
    const [owner, member] = users as [bigint, bigint];
    const { message } = await world.timelines.submit(text(id, member, 'mine'));
    await world.timelines.submit({
      kind: 'removeMember',
      conversationId: id,
      actorId: owner,
      userId: member,
    });
    const again = await world.timelines.submit(text(id, member, 'mine'));
    expect(again).toEqual({ message, isDuplicate: true });
    await expect(world.timelines.submit(text(id, member, 'new'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('erases what is recalled, and keeps its key', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 1);
    const [actor] = users as [bigint];
    const { message } = await world.timelines.submit(text(id, actor, 'k', 'hunter2'));
    await world.timelines.submit({
      kind: 'recall',
      conversationId: id,
      actorId: actor,
      seq: message.seq,
    });
    const rows = await world.shards
      .of(id)
      .sql.query('SELECT * FROM Message WHERE conversationId = ? AND seq = ?', [id, message.seq]);
    expect(rows).toHaveLength(1);
    const shown = rows.map((row) => Object.values(row).map((value) => textOfValue(value)));
    expect(shown.join()).not.toContain('hunter2');
    const again = await world.timelines.submit(text(id, actor, 'k', 'hunter2'));
    expect(again).toMatchObject({ isDuplicate: true, message: { content: { kind: 'RECALLED' } } });
  });

  it('hands a group over to the first admin, else the first member', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 3);
    const [owner, a, b, c] = users as [bigint, bigint, bigint, bigint];
    await world.timelines.submit({
      kind: 'setRole',
      conversationId: id,
      actorId: owner,
      userId: c,
      role: 'ADMIN',
    });
    await world.timelines.submit({ kind: 'leave', conversationId: id, actorId: owner });
    const last = world.rows.at(-1);
    expect(last?.messages.map(({ content }) => content)).toMatchObject([
      { event: 'LEFT', actorId: owner, userIds: [owner] },
      { event: 'ROLE_CHANGED', actorId: owner, userIds: [c], role: 'OWNER' },
    ]);
    // Several leave at once: each is decided on what the one before left.
    await Promise.all(
      [c, a, b].map((actorId) =>
        world.timelines.submit({ kind: 'leave', conversationId: id, actorId }),
      ),
    );
    const heirs = world.rows
      .flatMap(({ messages }) => messages)
      .flatMap(({ content }) =>
        content.kind === 'SYSTEM' && content.role === 'OWNER' ? content.userIds : [],
      );
    const [first, second] = [a, b].sort((x, y) => (x < y ? -1 : 1));
    expect(heirs).toEqual([c, first, second].slice(0, first === a ? 3 : 2));
  });

  it('lets members leave together, and looks for an heir where an owner leaves alone', async () => {
    await using world = await openTimelines(storage);
    const { id, users } = await newGroup(world, 9);
    const [owner, first, ...others] = users as [bigint, bigint, ...bigint[]];
    const [last] = others;
    const leave = (actorId: bigint) =>
      world.timelines.submit({ kind: 'leave', conversationId: id, actorId });
    world.takeTexts();
    const before = world.rows.length;
    // The first starts a batch of its own; the others gather behind it.
    await Promise.all([leave(first), ...others.slice(1).map(leave)]);
    expect(world.rows.length - before).toBe(2);
    const asksForHeir = (text: string): boolean => text.includes('ORDER BY joinedSeq');
    expect(world.takeTexts().filter(asksForHeir)).toEqual([]);
    await leave(owner);
    const asked = world.takeTexts().filter(asksForHeir);
    // Among the admins, and among the other members.
    expect(asked).toHaveLength(2);
    for (const asking of asked) expect(await planOf(world, asking, id)).toMatch(byIndexAlone);
    expect(world.rows.at(-1)?.messages.map(({ content }) => content)).toMatchObject([
      { event: 'LEFT', actorId: owner },
      { event: 'ROLE_CHANGED', userIds: [last], role: 'OWNER' },
    ]);
  });

  it('numbers the events of a conversation without a gap, from row to row', async () => {
    await using world = await openTimelines(storage, { largeGroupMembers: 4 });
    const { id, users } = await newGroup(world, 2);
    const [owner, member] = users as [bigint, bigint];
    const newcomers = [world.newUserId(), world.newUserId()];
    const { message } = await world.timelines.submit(text(id, member, 'one'));
    await Promise.allSettled([
      // The first starts a batch of its own; the others gather behind it.
      world.timelines.submit(text(id, owner, 'zero')),
      world.timelines.submit({
        kind: 'edit',
        conversationId: id,
        actorId: member,
        seq: message.seq,
        content: { kind: 'TEXT', text: 'two' },
      }),
      world.timelines.submit({
        kind: 'addMembers',
        conversationId: id,
        actorId: member,
        userIds: newcomers,
      }),
      world.timelines.submit(text(id, owner, 'after the crossing')),
      world.timelines.submit({
        kind: 'recall',
        conversationId: id,
        actorId: owner,
        seq: message.seq,
      }),
      world.timelines.submit({ kind: 'rename', conversationId: id, actorId: member, title: 'No' }),
    ]);
    const parts = world.rows.flatMap(({ body }) => body.parts);
    let next = 1;
    for (const part of parts) {
      expect(part.firstEventNo).toBe(next);
      next += part.items.reduce((sum, item) => sum + (item.kind === 'added' ? item.count : 1), 0);
    }
    expect(parts.map(({ isLarge, items }) => [isLarge, ...items.map(({ kind }) => kind)])).toEqual([
      [false, 'conversation', 'added'],
      [false, 'added'],
      [false, 'added'],
      [false, 'changed', 'conversation', 'added', 'advanced'],
      [true, 'added', 'changed'],
    ]);
  });
});
