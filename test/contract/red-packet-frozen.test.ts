import { createConnection } from 'mariadb';
import { describe, expect, it, vi } from 'vitest';
import { storages } from '../support/accounts.ts';
import { createMariadbDatabase } from '../support/machine.ts';
import {
  afterExpiryMs,
  openMoney,
  packet,
  topUp,
  type MoneyWorld,
} from '../support/money-nodes.ts';

const here = storages.filter(({ name, isHere }) => name === 'two MariaDB shards' && isHere());
const unavailable = { code: 'UNAVAILABLE' };

/** A world, and where its shards are. */
async function open(): Promise<{ world: MoneyWorld; urls: readonly string[] }> {
  const urls = [await createMariadbDatabase(), await createMariadbDatabase()];
  const shards = () => Promise.resolve({ kind: 'mysql' as const, urls, joinedBy: null });
  return { world: await openMoney({ name: 'MariaDB', isHere: () => true, shards }), urls };
}

interface Frozen extends AsyncDisposable {
  /** As a server does that has heard nothing of a session for too long. */
  end(): Promise<void>;
}

/** A node of somewhere else that stands still inside a transaction which has locked these rows. */
async function freeze(url: string, table: string, key: string, ids: readonly bigint[]) {
  const connection = await createConnection(url.replace(/^mysql:/, 'mariadb:'));
  await connection.query('START TRANSACTION');
  const marks = ids.map(() => '?').join(', ');
  await connection.query(`SELECT * FROM ${table} WHERE ${key} IN (${marks}) FOR UPDATE`, ids);
  const end = async (): Promise<void> => {
    if (connection.isValid()) await connection.end();
  };
  return { end, [Symbol.asyncDispose]: end } satisfies Frozen;
}

describe.each(here)('a node that stands still inside a transaction, on $name', () => {
  it('holds up the red packet that it decides about, and no other', async () => {
    const { world, urls } = await open();
    await using _world = world;
    const node = await world.node();
    const people = world.people(6);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(node, people);
    const bob = world.livingAt('here', id, people.slice(1));
    const cem = world.livingAt('apart', id, people.slice(1));
    await topUp(node, ann, 1_000);
    const [held, free, first] = await Promise.all(
      ['held', 'free', 'first'].map(async (clientMessageId) => {
        const sent = await node.redPackets.send(ann, packet(id, { clientMessageId }));
        return sent.redPacket.id;
      }),
    );
    if (!held || !free || !first) throw new Error('three were sent');
    await world.settled();
    await using frozen = await freeze(urls[world.shards.of(id).index] ?? '', 'RedPacket', 'id', [
      held,
    ]);
    const claims = [
      node.redPackets.claim(ann, first),
      // These two are of one batch.
      node.redPackets.claim(bob, held),
      node.redPackets.claim(cem, free),
    ].map(async (claim) => (await claim).status);
    const [, stuck, granted] = claims;
    stuck?.catch(() => undefined);
    expect(await granted).toBe('CLAIMED');
    // Nor does it hold up what comes after that.
    expect(await node.redPackets.claim(bob, free)).toMatchObject({ status: 'CLAIMED' });
    await expect(stuck).rejects.toMatchObject(unavailable);
    await frozen.end();
    expect(await node.redPackets.claim(bob, held)).toMatchObject({ status: 'CLAIMED' });
    await world.settled();
    expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 0n });
  }, 120_000);

  it('holds up whoever has a wallet that it books in, and nobody else', async () => {
    const { world, urls } = await open();
    await using _world = world;
    const node = await world.node();
    const people = world.people(8);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(node, people);
    const [bob, cem, dan] = people
      .slice(1)
      .filter(({ userId }) => world.shards.of(userId) === world.shards.of(id)) as [
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
    ];
    await topUp(node, ann, 1_000);
    for (const one of [bob, cem]) await topUp(node, one, 10);
    const { redPacket } = await node.redPackets.send(ann, packet(id));
    await world.settled();
    await using frozen = await freeze(urls[world.shards.of(id).index] ?? '', 'Wallet', 'userId', [
      bob.userId,
    ]);
    // While the first of each is decided two others come together.
    const claims = [dan, bob, ann].map((one) => node.redPackets.claim(one, redPacket.id));
    const topUps = [dan, bob, cem].map((one) => topUp(node, one, 20));
    const stuck = [claims[1], topUps[1]];
    for (const one of stuck) one?.catch(() => undefined);
    expect(await claims[2]).toMatchObject({ status: 'CLAIMED' });
    await topUps[2];
    expect(await node.redPackets.claim(cem, redPacket.id)).toMatchObject({ status: 'CLAIMED' });
    for (const one of stuck) await expect(one).rejects.toMatchObject(unavailable);
    await frozen.end();
    await topUp(node, bob, 20);
    expect(await node.redPackets.claim(bob, redPacket.id)).toMatchObject({ status: 'CLAIMED' });
    await world.settled();
    const [share = 0] = (await world.amounts(bob)).slice(2);
    expect(await world.amounts(bob)).toEqual([10, 20, share]);
    expect(share).toBeGreaterThan(0);
    expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 0n });
  }, 120_000);

  it('closes nothing, and decides nothing once another has closed the packet meanwhile', async () => {
    const { world } = await open();
    await using _world = world;
    const [slow, other] = [await world.node(), await world.node()];
    const people = world.people(4);
    const [ann, bob, cem] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
    const id = await world.group(slow, people);
    await topUp(slow, ann, 100);
    const { redPacket } = await slow.redPackets.send(ann, packet(id));
    await other.redPackets.claim(cem, redPacket.id);
    await world.settled();
    // It has looked at its clock, and stands still before it locks the packet.
    const { sql } = world.shards.of(id);
    let goOn: () => void = () => undefined;
    const goesOn = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const transaction = sql.transaction.bind(sql);
    vi.spyOn(sql, 'transaction').mockImplementationOnce(async (work) => {
      await goesOn;
      return transaction(work);
    });
    const late = slow.redPackets.claim(bob, redPacket.id);
    world.clock.advance(afterExpiryMs);
    await vi.waitFor(async () => {
      const shown = (await other.redPackets.byIds(ann, [redPacket.id])).get(redPacket.id);
      expect(shown?.state).toBe('EXPIRED');
    }, 20_000);
    goOn();
    expect(await late).toMatchObject({ status: 'EXPIRED', claim: null });
    vi.restoreAllMocks();
    await world.settled();
    const [share = 0] = await world.amounts(cem);
    expect(await world.amounts(ann)).toEqual([100, -100, 100 - share]);
    expect(await world.amounts(bob)).toEqual([]);
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
  }, 120_000);
});
