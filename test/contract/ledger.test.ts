import { describe, expect, it } from 'vitest';
import type { Viewer } from '../../src/domain/session/session.ts';
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
