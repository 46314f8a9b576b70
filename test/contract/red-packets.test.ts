import { describe, expect, it, vi } from 'vitest';
import { SqlError, type Sql } from '../../src/storage/sql.ts';
import { storages } from '../support/accounts.ts';
import { afterExpiryMs, Death, openMoney, packet, topUp } from '../support/money-nodes.ts';

const failedPrecondition = { code: 'FAILED_PRECONDITION' };

/** Counts the transactions that lock packets to decide claims. @returns how many there were since it was asked last. */
function countDeciding(sql: Sql): () => number {
  const transaction = sql.transaction.bind(sql);
  let count = 0;
  vi.spyOn(sql, 'transaction').mockImplementation((work) =>
    transaction((tx) => {
      const query = tx.query.bind(tx);
      vi.spyOn(tx, 'query').mockImplementation((text, params) => {
        if (text.includes('shares, senderMayClaim')) count += 1;
        return query(text, params);
      });
      return work(tx);
    }),
  );
  return () => {
    const counted = count;
    count = 0;
    return counted;
  };
}

describe.each(storages.filter(({ isHere }) => isHere()))('red packets on $name', (storage) => {
  it('are sent once, however often they are asked for, and by whichever node', async () => {
    await using world = await openMoney(storage);
    const [a, b] = [await world.node(), await world.node()];
    const people = world.people(3);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(a, people);
    await topUp(a, ann, 250);
    const sent = await Promise.all(
      [a, b, a, b].map((node) => node.redPackets.send(ann, packet(id))),
    );
    expect(new Set(sent.map(({ redPacket }) => redPacket.id)).size).toBe(1);
    expect(sent.filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(1);
    expect(sent.map(({ message }) => message.seq)).toEqual([2, 2, 2, 2]);
    await expect(a.redPackets.send(ann, packet(id, { total: 101n }))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    await world.settled();
    expect(await world.amounts(ann)).toEqual([250, -100]);
    expect(await b.redPackets.send(ann, packet(id))).toMatchObject({ isDuplicate: true });
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 100n, inFlight: 0n });
  });

  it('are paid for as far as the balance reaches, whoever pays at once', async () => {
    await using world = await openMoney(storage);
    const [a, b] = [await world.node(), await world.node()];
    const people = world.people(2);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(a, people);
    await topUp(a, ann, 350);
    const sends = Array.from({ length: 10 }, (_, n) =>
      (n % 2 ? a : b).redPackets.send(ann, packet(id, { clientMessageId: `k${n}` })),
    );
    const ended = await Promise.allSettled(sends);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const end of ended) {
      if (end.status === 'rejected') expect(end.reason).toMatchObject(failedPrecondition);
    }
    await world.settled();
    expect(await a.wallets.mine(ann)).toMatchObject({ balance: 50n });
    expect(await world.audit()).toMatchObject({ isSound: true });
  });

  it('come back by an entry of their own where the conversation refuses, once and for ever', async () => {
    await using world = await openMoney(storage);
    const [late, node] = [await world.node({ lets: true }), await world.node()];
    const people = world.people(2);
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    const id = await world.group(node, [bob]);
    await topUp(node, ann, 100);
    const notFound = { code: 'NOT_FOUND' };
    await expect(late.redPackets.send(ann, packet(id))).rejects.toMatchObject(notFound);
    expect(await world.amounts(ann)).toEqual([100, -100, 100]);
    // The outcome stays what it was, whatever became of the sender since.
    await node.timelines.submit({
      kind: 'addMembers',
      conversationId: id,
      actorId: bob.userId,
      userIds: [ann.userId],
    });
    for (const one of [late, node]) {
      await expect(one.redPackets.send(ann, packet(id))).rejects.toMatchObject(notFound);
    }
    await world.settled();
    expect(await world.amounts(ann)).toEqual([100, -100, 100]);
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
    const again = packet(id, { clientMessageId: 'another' });
    expect(await node.redPackets.send(ann, again)).toMatchObject({ isDuplicate: false });
  });

  it('come back where their key was used for a message', async () => {
    await using world = await openMoney(storage);
    const node = await world.node();
    const people = world.people(2);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(node, people);
    await topUp(node, ann, 100);
    const text = {
      kind: 'send',
      conversationId: id,
      actorId: ann.userId,
      clientMessageId: 'packet',
      content: { kind: 'TEXT', text: 'hello' },
      replyToSeq: null,
    } as const;
    await node.timelines.submit(text);
    const conflict = { code: 'IDEMPOTENCY_CONFLICT' };
    await expect(node.redPackets.send(ann, packet(id))).rejects.toMatchObject(conflict);
    await world.settled();
    expect(await world.amounts(ann)).toEqual([100, -100, 100]);
    await node.redPackets.send(ann, packet(id, { clientMessageId: 'other' }));
    const misused = { ...text, clientMessageId: 'other' };
    await expect(node.timelines.submit(misused)).rejects.toMatchObject(conflict);
    expect(await world.audit()).toMatchObject({ isSound: true });
  });

  it('are neither edited nor recalled', async () => {
    await using world = await openMoney(storage);
    const node = await world.node();
    const people = world.people(2);
    const [ann] = people as [(typeof people)[0]];
    const conversationId = await world.group(node, people);
    await topUp(node, ann, 100);
    const { message } = await node.redPackets.send(ann, packet(conversationId));
    const draft = { conversationId, actorId: ann.userId, seq: message.seq };
    await expect(node.timelines.submit({ kind: 'recall', ...draft })).rejects.toMatchObject(
      failedPrecondition,
    );
    const content = { kind: 'TEXT', text: 'hello' } as const;
    await expect(node.timelines.submit({ kind: 'edit', ...draft, content })).rejects.toMatchObject(
      failedPrecondition,
    );
  });

  it('give one share to each who is among the first, on two nodes at once', async () => {
    await using world = await openMoney(storage);
    const nodes = [await world.node(), await world.node()];
    const [a, b] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const people = world.people(40);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(a, people);
    await topUp(a, ann, 1_000);
    const { redPacket } = await a.redPackets.send(ann, packet(id, { total: 1_000n, count: 10 }));
    const claims = people.flatMap((viewer) =>
      [a, b, a].map(async (node) => ({
        viewer,
        answer: await node.redPackets.claim(viewer, redPacket.id),
      })),
    );
    const answers = await Promise.all(claims);
    const won = answers.filter(({ answer }) => answer.status === 'CLAIMED');
    expect(new Set(won.map(({ viewer }) => viewer.userId)).size).toBe(10);
    expect(won).toHaveLength(10);
    const sum = won.reduce((total, { answer }) => total + (answer.claim?.amount ?? 0n), 0n);
    expect(sum).toBe(1_000n);
    const statuses = answers.map(({ answer }) => answer.status);
    expect(statuses.filter((status) => status === 'ALREADY_CLAIMED')).toHaveLength(20);
    expect(statuses.filter((status) => status === 'EXHAUSTED')).toHaveLength(90);
    expect(won.filter(({ answer }) => answer.creditPending)).toEqual([]);
    await world.settled();
    for (const { viewer, answer } of won) {
      expect((await world.amounts(viewer)).at(-1)).toBe(Number(answer.claim?.amount));
    }
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
  });

  it('go back as far as they are left, once, when nodes race each other and claims', async () => {
    await using world = await openMoney(storage);
    const nodes = [await world.node(), await world.node()];
    const [a, b] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const people = world.people(12);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(a, people);
    await topUp(a, ann, 1_000);
    const input = packet(id, { total: 1_000n, count: 10 });
    const { redPacket } = await a.redPackets.send(ann, input);
    const first = people.slice(1, 4).map((viewer) => a.redPackets.claim(viewer, redPacket.id));
    await Promise.all(first);
    world.clock.advance(afterExpiryMs);
    const late = await Promise.all(
      people.map((viewer, n) => (n % 2 ? a : b).redPackets.claim(viewer, redPacket.id)),
    );
    const statuses = late.map(({ status }) => status);
    expect(statuses.filter((status) => status === 'ALREADY_CLAIMED')).toHaveLength(3);
    expect(statuses.filter((status) => status === 'EXPIRED')).toHaveLength(9);
    await world.settled();
    const after = (await a.redPackets.byIds(ann, [redPacket.id])).get(redPacket.id);
    expect(after).toMatchObject({ state: 'EXPIRED', claimedCount: 3 });
    expect((after?.claimedTotal ?? 0n) + (after?.refundedTotal ?? 0n)).toBe(1_000n);
    const entries = await world.amounts(ann);
    expect(entries).toEqual([1_000, -1_000, Number(after?.refundedTotal)]);
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
  });

  it('answer who comes too late from memory, and nobody who is no member any more', async () => {
    await using world = await openMoney(storage);
    const node = await world.node();
    const people = world.people(4);
    const [ann, bob, cem] = people as [
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
    ];
    const id = await world.group(node, people);
    await topUp(node, ann, 100);
    const { redPacket } = await node.redPackets.send(ann, packet(id, { count: 1 }));
    await node.redPackets.claim(ann, redPacket.id);
    await world.settled();
    await vi.waitFor(async () => {
      const asked = world.shards.all.map(({ sql }) => [
        vi.spyOn(sql, 'transaction'),
        vi.spyOn(sql, 'query'),
      ]);
      const answer = await node.redPackets.claim(bob, redPacket.id);
      expect(answer).toMatchObject({ status: 'EXHAUSTED', claim: null, creditPending: false });
      const texts = asked.flat().flatMap((spy) => spy.mock.calls.map(([text]) => String(text)));
      vi.restoreAllMocks();
      expect(texts.filter((text) => /RedPacketClaim|FOR UPDATE|=>/.test(text))).toEqual([]);
    });
    await node.timelines.submit({
      kind: 'removeMember',
      conversationId: id,
      actorId: ann.userId,
      userId: cem.userId,
    });
    node.redPackets.membershipEnded(id, cem.userId);
    await expect(node.redPackets.claim(cem, redPacket.id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('answer those who waited while the last share went without another transaction', async () => {
    await using world = await openMoney(storage);
    const node = await world.node({ isAlone: true });
    const people = world.people(12);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(node, people);
    await topUp(node, ann, 200);
    const sent = await Promise.all(
      ['k1', 'k2'].map((clientMessageId) =>
        node.redPackets.send(ann, packet(id, { clientMessageId, count: 1 })),
      ),
    );
    const [first, second] = sent.map(({ redPacket }) => redPacket.id) as [bigint, bigint];
    await node.redPackets.claim(ann, first);
    const deciding = countDeciding(world.shards.of(second).sql);
    // Its members are read in nobody's way.
    const membersKnown = async (): Promise<void> => {
      deciding();
      await Promise.all(people.map((one) => node.redPackets.claim(one, first)));
      expect(deciding()).toBe(0);
    };
    await vi.waitFor(membersKnown, { timeout: 20_000, interval: 20 });
    const answers = await Promise.all(people.map((one) => node.redPackets.claim(one, second)));
    expect(deciding()).toBe(1);
    vi.restoreAllMocks();
    expect(answers.map(({ status }) => status)).toEqual([
      'CLAIMED',
      ...people.slice(1).map(() => 'EXHAUSTED'),
    ]);
    expect(await node.redPackets.claim(ann, second)).toMatchObject({
      status: 'ALREADY_CLAIMED',
      claim: { amount: 100n },
      redPacket: { state: 'EXHAUSTED' },
    });
    await world.settled();
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
  });

  it.each([true, false])('know who had which share (alone: %s)', async (isAlone) => {
    await using world = await openMoney(storage);
    const node = await world.node({ isAlone });
    const people = world.people(6);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(node, people);
    await topUp(node, ann, 100);
    const { redPacket } = await node.redPackets.send(ann, packet(id, { count: 5 }));
    const amounts: (bigint | undefined)[] = [];
    for (const one of people.slice(0, 5)) {
      amounts.push((await node.redPackets.claim(one, redPacket.id)).claim?.amount);
    }
    const again = await Promise.all(people.map((one) => node.redPackets.claim(one, redPacket.id)));
    expect(again.map(({ claim }) => claim?.amount)).toEqual([...amounts, undefined]);
    expect(again.filter(({ claim }) => claim?.isBest)).toHaveLength(1);
    expect(again.map(({ status }) => status)).toEqual([
      ...people.slice(0, 5).map(() => 'ALREADY_CLAIMED'),
      'EXHAUSTED',
    ]);
  });

  it('that are closed are told to nobody whom another node removed, though nobody told this one', async () => {
    await using world = await openMoney(storage);
    const nodes = [await world.node(), await world.node()];
    const [a, b] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const people = world.people(3);
    const [ann, bob, cem] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
    const id = await world.group(a, people);
    await topUp(a, ann, 100);
    const { redPacket } = await a.redPackets.send(ann, packet(id, { count: 1 }));
    await b.redPackets.claim(ann, redPacket.id);
    await b.redPackets.claim(cem, redPacket.id);
    await world.settled();
    // Nobody tells the other node.
    await a.timelines.submit({
      kind: 'removeMember',
      conversationId: id,
      actorId: ann.userId,
      userId: cem.userId,
    });
    await expect(b.redPackets.claim(cem, redPacket.id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await b.redPackets.claim(bob, redPacket.id)).toMatchObject({ status: 'EXHAUSTED' });
  });

  it('are UNAVAILABLE where the answer to a commit was lost; the retry finds what happened', async () => {
    await using world = await openMoney(storage);
    const node = await world.node();
    const people = world.people(3);
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    const id = await world.group(node, people);
    await topUp(node, ann, 100);
    const lose = (userId: bigint) => {
      const { sql } = world.shards.of(userId);
      const commit = sql.transaction.bind(sql);
      vi.spyOn(sql, 'transaction').mockImplementationOnce(async (work) => {
        await commit(work);
        throw new SqlError('connection', 'gone');
      });
    };
    lose(ann.userId);
    const unavailable = { code: 'UNAVAILABLE' };
    await expect(node.redPackets.send(ann, packet(id))).rejects.toMatchObject(unavailable);
    const { redPacket, isDuplicate } = await node.redPackets.send(ann, packet(id));
    expect(isDuplicate).toBe(true);
    await world.settled();
    lose(redPacket.id);
    await expect(node.redPackets.claim(bob, redPacket.id)).rejects.toMatchObject(unavailable);
    const answer = await node.redPackets.claim(bob, redPacket.id);
    expect(answer.status).toBe('ALREADY_CLAIMED');
    await world.settled();
    expect(await world.amounts(bob)).toEqual([Number(answer.claim?.amount)]);
    expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 0n });
  });
});

const places = [
  'before-booking',
  'after-booking',
  'after-debit',
  'before-commit',
  'after-commit',
  'after-post',
  'before-arrival-noted',
];

describe.each(storages.filter(({ isHere }) => isHere()))('killed on $name', (storage) => {
  it.each(places)('%s, a send is whole or not there, and its retry whole', async (place) => {
    await using world = await openMoney(storage);
    const first = await world.node();
    const people = world.people(3);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(first, people);
    await topUp(first, ann, 250);
    // Or its relay may be quicker than the one that is to die.
    await first.stop();
    const death = new Death(place);
    const dying = await world.node({ failpoints: death });
    await dying.redPackets.send(ann, packet(id)).catch(() => undefined);
    await vi.waitUntil(() => death.isDead);
    await dying.stop();
    const next = await world.node();
    const { message } = await next.redPackets.send(ann, packet(id));
    await world.settled();
    expect(message.seq).toBe(2);
    expect(await world.amounts(ann)).toEqual([250, -100]);
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 100n, inFlight: 0n });
  });

  it('by a node whose clock was ahead, a send is seen to by the next one at once', async () => {
    await using world = await openMoney(storage);
    const first = await world.node();
    const people = world.people(3);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(first, people);
    await topUp(first, ann, 250);
    await first.stop();
    const death = new Death('after-debit');
    const dying = await world.node({ failpoints: death });
    world.clock.advance(3_600_000);
    await dying.redPackets.send(ann, packet(id)).catch(() => undefined);
    await vi.waitUntil(() => death.isDead);
    await dying.stop();
    world.clock.advance(-3_600_000);
    await world.node();
    await vi.waitUntil(async () => (await world.audit()).openPackets === 100n, { timeout: 20_000 });
    expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 0n });
    expect(await world.amounts(ann)).toEqual([250, -100]);
  });

  it.each(['before-commit', 'after-commit', 'after-post', 'before-booking', 'after-booking'])(
    '%s, what was refused comes back once',
    async (place) => {
      await using world = await openMoney(storage);
      const first = await world.node();
      const people = world.people(2);
      const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
      const id = await world.group(first, [bob]);
      await topUp(first, ann, 100);
      await first.stop();
      const death = new Death(place);
      const dying = await world.node({ failpoints: death, lets: true });
      await dying.redPackets.send(ann, packet(id)).catch(() => undefined);
      await vi.waitUntil(() => death.isDead);
      await dying.stop();
      const next = await world.node();
      await world.settled();
      const amounts = await world.amounts(ann);
      expect(amounts).toEqual(place === 'before-booking' ? [100] : [100, -100, 100]);
      await expect(next.redPackets.send(ann, packet(id))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
    },
  );

  // Where packet and wallet are of one shard, the credit is part of the claim.
  const here = ['before-claim', 'after-claim'].map((place) => [place, 'here'] as const);
  const apart = ['before-claim', 'after-claim', 'before-booking', 'after-booking']
    .concat('before-arrival-noted')
    .map((place) => [place, 'apart'] as const);
  const claimPlaces = storage.name === 'SQLite' ? here : [...here, ...apart];
  it.each(claimPlaces)(
    '%s, a share is credited once, or nobody has it (%s)',
    async (place, where) => {
      await using world = await openMoney(storage);
      const first = await world.node();
      const people = world.people(3);
      const [ann, ...others] = people as [(typeof people)[0]];
      const id = await world.group(first, people);
      const bob = world.livingAt(where, id, others);
      await topUp(first, ann, 100);
      const { redPacket } = await first.redPackets.send(ann, packet(id));
      await world.settled();
      await first.stop();
      const death = new Death(place);
      const dying = await world.node({ failpoints: death });
      await dying.redPackets.claim(bob, redPacket.id).catch(() => undefined);
      await vi.waitUntil(() => death.isDead);
      await dying.stop();
      const next = await world.node();
      const { status, claim } = await next.redPackets.claim(bob, redPacket.id);
      expect(status).toBe(place === 'before-claim' ? 'CLAIMED' : 'ALREADY_CLAIMED');
      await world.settled();
      expect(await world.amounts(bob)).toEqual([Number(claim?.amount)]);
      expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 0n });
    },
  );

  it.each(claimPlaces)('%s, what has expired goes back once (%s)', async (place, where) => {
    await using world = await openMoney(storage);
    const first = await world.node();
    const people = world.people(2);
    const id = await world.group(first, people);
    const ann = world.livingAt(where, id, people);
    await topUp(first, ann, 100);
    await first.redPackets.send(ann, packet(id));
    await world.settled();
    await first.stop();
    world.clock.advance(afterExpiryMs);
    const death = new Death(place);
    const dying = await world.node({ failpoints: death });
    await vi.waitUntil(() => death.isDead);
    await dying.stop();
    await world.node();
    const isBack = async () => expect(await world.amounts(ann)).toEqual([100, -100, 100]);
    await vi.waitFor(isBack, { timeout: 15_000 });
    await world.settled();
    expect(await world.amounts(ann)).toEqual([100, -100, 100]);
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
  });
});
