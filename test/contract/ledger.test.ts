import { describe, expect, it } from 'vitest';
import type { Viewer } from '../../src/domain/session/session.ts';
import { insertRows } from '../../src/storage/inserts.ts';
import type { Sql, SqlValue } from '../../src/storage/sql.ts';
import { storages } from '../support/accounts.ts';
import { openMoney, packet, topUp, type MoneyWorld } from '../support/money-nodes.ts';

const apart = storages.filter(({ name, isHere }) => name === 'two MariaDB shards' && isHere());

/** Ann has sent two packets into a group of the other shard, the second one refused, and bob, who lives there, has claimed of the first. */
async function moved(world: MoneyWorld): Promise<{ ann: Viewer; id: bigint }> {
  const [late, node] = [await world.node({ lets: true }), await world.node()];
  const people = world.people(4);
  const first = await world.group(node, people);
  const ann = world.livingAt('apart', first, people);
  const bob = world.livingAt('here', first, people);
  await topUp(node, ann, 300);
  const { redPacket } = await node.redPackets.send(ann, packet(first));
  await node.redPackets.claim(bob, redPacket.id);
  const foreign = await world.group(node, world.people(2));
  await expect(late.redPackets.send(ann, packet(foreign))).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await world.settled();
  expect(await world.audit()).toMatchObject({ isSound: true, problems: [] });
  return { ann, id: redPacket.id };
}

describe.each(apart)('an audit over shards of which one was restored, on $name', (storage) => {
  it('finds packets that nobody has paid for', async () => {
    await using world = await openMoney(storage);
    const { ann, id } = await moved(world);
    const { sql } = world.shards.of(ann.userId);
    for (const [table, column] of [
      ['Wallet', 'userId'],
      ['WalletEntry', 'userId'],
      ['RedPacketSend', 'senderId'],
    ]) {
      await sql.execute(`DELETE FROM ${table} WHERE ${column} = ?`, [ann.userId]);
    }
    await sql.execute('DELETE FROM Transfer WHERE userId = ? AND kind = 0', [ann.userId]);
    const { isSound, problems } = await world.audit();
    expect(isSound).toBe(false);
    expect(problems).toContain(`red packet ${id} came from nowhere`);
    expect(problems.filter((text) => text.endsWith('came from nowhere'))).toHaveLength(2);
  });

  it('finds money that left for packets which are not there', async () => {
    await using world = await openMoney(storage);
    const { id } = await moved(world);
    const { sql } = world.shards.of(id);
    const claims = await sql.query<{ transferId: bigint }>(
      'SELECT transferId FROM RedPacketClaim WHERE redPacketId = ?',
      [id],
    );
    await sql.execute('DELETE FROM RedPacketClaim WHERE redPacketId = ?', [id]);
    await sql.execute('DELETE FROM RedPacket WHERE id = ?', [id]);
    for (const { transferId } of claims) {
      await sql.execute('DELETE FROM Transfer WHERE id = ?', [transferId]);
    }
    const { isSound, problems } = await world.audit();
    expect(isSound).toBe(false);
    expect(problems.join('\n')).toMatch(/transfer \d+ never arrived/);
    expect(problems.join('\n')).toMatch(/came from nowhere/);
  });
});

/** What may be wrong with one row, and what an audit says of it. */
const wrongs: readonly (readonly [what: string, statement: string, problem: RegExp])[] = [
  ['a balance', 'UPDATE Wallet SET balance = balance + 1', /wallets differ from their newest/],
  [
    'a balance and its entry',
    'UPDATE WalletEntry SET balance = balance + 1',
    /does not continue the one before/,
  ],
  ['the amount of an entry', 'UPDATE WalletEntry SET amount = amount + 1', /what the entries sum/],
  ['the kind of an entry', 'UPDATE WalletEntry SET kind = 0', /does not continue|sent off/],
  ['an entry that is gone', 'DELETE FROM WalletEntry WHERE kind = 2', /never arrived/],
  [
    'the packet of an entry',
    'UPDATE WalletEntry SET redPacketId = 7 WHERE kind = 2',
    /is not what was sent/,
  ],
  ['the amount of a transfer', 'UPDATE Transfer SET amount = amount + 1', /sent off/],
  [
    'the receiver of a transfer',
    'UPDATE Transfer SET userId = 7 WHERE kind = 1',
    /claims have no transfer of their own/,
  ],
  ['a transfer that is gone', 'DELETE FROM Transfer WHERE kind = 1', /came from nowhere/],
  ['the amount of a claim', 'UPDATE RedPacketClaim SET amount = amount + 1', /do not sum/],
  ['a claim that is gone', 'DELETE FROM RedPacketClaim', /counts other claims than there are/],
  ['what was claimed', 'UPDATE RedPacket SET claimedTotal = claimedTotal + 1', /gave away/],
  ['what went back', 'UPDATE RedPacket SET refundedTotal = 1', /gave back/],
  ['the total of a packet', 'UPDATE RedPacket SET total = total + 1', /is not what was sent/],
  ['a packet that is gone', 'DELETE FROM RedPacket', /what packets gave away/],
  ['the state of a packet', 'UPDATE RedPacket SET state = 1', /its state is not that of its money/],
  [
    'a share that is worth nothing',
    "UPDATE RedPacket SET shares = '[0,60,40]'",
    /a share is worth nothing/,
  ],
];

const tables = ['Wallet', 'WalletEntry', 'Transfer', 'RedPacket', 'RedPacketClaim'];

/** Everything that the books say. @returns puts it back. */
async function remember(sql: Sql): Promise<() => Promise<void>> {
  const rows = await Promise.all(
    tables.map((table) => sql.query<Record<string, SqlValue>>(`SELECT * FROM ${table}`)),
  );
  const statements = tables.flatMap((table, index) => [
    { text: `DELETE FROM ${table}` },
    ...(rows[index] ?? []).flatMap((row) =>
      insertRows(table, Object.keys(row), [Object.values(row)]),
    ),
  ]);
  return async () => {
    await sql.transaction((tx) => tx.finish(statements));
  };
}

const sqlite = storages.filter(({ name }) => name === 'SQLite');

describe('an audit', () => {
  it('finds what is wrong with any row', async () => {
    await using world = await openMoney(sqlite[0] as (typeof sqlite)[0]);
    const node = await world.node();
    const people = world.people(3);
    const [ann, bob] = people as [Viewer, Viewer];
    const id = await world.group(node, people);
    await topUp(node, ann, 300);
    const { redPacket } = await node.redPackets.send(ann, packet(id, { count: 3 }));
    await node.redPackets.claim(bob, redPacket.id);
    await world.settled();
    await node.stop();
    const { sql } = world.shards.of(id);
    const putBack = await remember(sql);
    for (const [what, statement, problem] of wrongs) {
      await sql.execute(statement);
      const { isSound, problems } = await world.audit();
      expect(isSound, what).toBe(false);
      expect(problems.join('\n'), what).toMatch(problem);
      await putBack();
      expect(await world.audit(), what).toMatchObject({ isSound: true, problems: [] });
    }
  }, 120_000);
});

describe('a wallet whose balance is not that of its entries', () => {
  it('takes nothing and gives nothing, and holds up nobody else', async () => {
    await using world = await openMoney(sqlite[0] as (typeof sqlite)[0]);
    const node = await world.node();
    const people = world.people(3);
    const [ann, bob, cem] = people as [Viewer, Viewer, Viewer];
    const id = await world.group(node, people);
    for (const one of [ann, bob]) await topUp(node, one, 100);
    const { redPacket } = await node.redPackets.send(ann, packet(id));
    const { sql } = world.shards.of(id);
    await sql.execute('UPDATE Wallet SET balance = balance + 1 WHERE userId = ?', [bob.userId]);
    const wrong = /balance is not that of its entries/;
    const ended = await Promise.allSettled([
      topUp(node, ann, 20),
      topUp(node, bob, 20),
      topUp(node, cem, 20),
      node.redPackets.claim(cem, redPacket.id),
      node.redPackets.claim(bob, redPacket.id),
    ]);
    const said = ended.map((end) => (end.status === 'rejected' ? String(end.reason) : ''));
    expect(said).toEqual(['', expect.stringMatching(wrong), '', '', expect.stringMatching(wrong)]);
    expect(await world.amounts(bob)).toEqual([100]);
  });
});
