import { describe, expect, it, vi } from 'vitest';
import { storages } from '../support/accounts.ts';
import { afterExpiryMs, openMoney, packet, topUp, type MoneyNode } from '../support/money-nodes.ts';

const here = storages.filter(({ isHere }) => isHere());
const apart = here.filter(({ name }) => name === 'two MariaDB shards');

/** Credits that come from another shard wait on these nodes until they are let in, at the end of the test if not before. */
function holdCredits(nodes: readonly MoneyNode[]): Disposable & { letIn(): void } {
  let letIn: () => void = () => undefined;
  const isLetIn = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  for (const { wallets } of nodes) {
    const receive = wallets.receive.bind(wallets);
    vi.spyOn(wallets, 'receive').mockImplementation(async (...args) => {
      await isLetIn;
      return receive(...args);
    });
  }
  return { letIn, [Symbol.dispose]: letIn };
}

describe.each(apart)('the answer to a claim on $name', (storage) => {
  it('shows the packet as it is once the credit has come, not as it was before', async () => {
    await using world = await openMoney(storage);
    const patient = { creditWaitMs: 30_000 };
    const [a, b] = [await world.node(patient), await world.node(patient)];
    const people = world.people(4);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(a, people);
    const bob = world.livingAt('apart', id, people);
    const cem = world.livingAt('here', id, people);
    await topUp(a, ann, 100);
    const { redPacket } = await a.redPackets.send(ann, packet(id, { count: 2 }));
    using credits = holdCredits([a, b]);
    const answer = a.redPackets.claim(bob, redPacket.id);
    await vi.waitFor(async () => {
      const seen = (await b.redPackets.byIds(ann, [redPacket.id])).get(redPacket.id);
      expect(seen?.claimedCount).toBe(1);
    }, 15_000);
    expect(await b.redPackets.claim(cem, redPacket.id)).toMatchObject({ status: 'CLAIMED' });
    credits.letIn();
    expect(await answer).toMatchObject({
      status: 'CLAIMED',
      creditPending: false,
      redPacket: { state: 'EXHAUSTED', claimedCount: 2, claimedTotal: 100n },
    });
    expect((await a.redPackets.claims([(await answer).redPacket])).get(redPacket.id)).toHaveLength(
      2,
    );
  }, 120_000);

  it('says that the credit is on its way for as long as it is, to whoever asks again as well', async () => {
    await using world = await openMoney(storage);
    const impatient = { creditWaitMs: 20 };
    const [a, b] = [await world.node(impatient), await world.node(impatient)];
    const people = world.people(4);
    const [ann] = people as [(typeof people)[0]];
    const id = await world.group(a, people);
    const bob = world.livingAt('apart', id, people);
    await topUp(a, ann, 100);
    const { redPacket } = await a.redPackets.send(ann, packet(id, { count: 1 }));
    using credits = holdCredits([a, b]);
    const pending = { claim: { amount: 100n }, creditPending: true };
    const claim = (node: MoneyNode) => node.redPackets.claim(bob, redPacket.id);
    expect(await claim(a)).toMatchObject({ status: 'CLAIMED', ...pending });
    for (const node of [a, b, a, b]) {
      expect(await claim(node)).toMatchObject({ status: 'ALREADY_CLAIMED', ...pending });
    }
    expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 100n });
    credits.letIn();
    await world.settled();
    for (const node of [a, b, a, b]) {
      expect(await claim(node)).toMatchObject({
        status: 'ALREADY_CLAIMED',
        creditPending: false,
      });
    }
    expect((await world.amounts(bob)).at(-1)).toBe(100);
  }, 120_000);
});

describe.each(here)('a red packet on $name', (storage) => {
  it('of a group that everybody has left goes back, and is told to nobody', async () => {
    await using world = await openMoney(storage);
    const node = await world.node();
    const [ann] = world.people(1) as [ReturnType<typeof world.people>[0]];
    const id = await world.group(node, [ann]);
    await topUp(node, ann, 100);
    await node.redPackets.send(ann, packet(id));
    await node.timelines.submit({ kind: 'leave', conversationId: id, actorId: ann.userId });
    world.clock.advance(afterExpiryMs);
    const isBack = async () => expect(await world.amounts(ann)).toEqual([100, -100, 100]);
    await vi.waitFor(isBack, { timeout: 15_000 });
    await world.settled();
    expect(await world.audit()).toMatchObject({ isSound: true, openPackets: 0n, inFlight: 0n });
  });

  it.each([true, false])(
    'is not for who has come back since, whatever they took of it before (alone: %s)',
    async (isAlone) => {
      await using world = await openMoney(storage);
      const node = await world.node({ isAlone });
      const people = world.people(4);
      const [ann, bob, cem] = people as [
        (typeof people)[0],
        (typeof people)[0],
        (typeof people)[0],
      ];
      const id = await world.group(node, people);
      await topUp(node, ann, 200);
      const open = (await node.redPackets.send(ann, packet(id, { count: 5 }))).redPacket.id;
      const last = { count: 1, clientMessageId: 'last' };
      const over = (await node.redPackets.send(ann, packet(id, last))).redPacket.id;
      const share = (await node.redPackets.claim(bob, open)).claim?.amount;
      await node.redPackets.claim(bob, over);
      for (const one of [ann, bob, cem]) await node.redPackets.claim(one, over);
      const act = { conversationId: id, actorId: ann.userId };
      for (const { userId } of [bob, cem]) {
        await node.timelines.submit({ kind: 'removeMember', ...act, userId });
        if (isAlone) node.redPackets.membershipEnded(id, userId);
      }
      const refused = async () => {
        for (const one of [bob, cem]) {
          for (const packetId of [open, over]) {
            await expect(node.redPackets.claim(one, packetId)).rejects.toMatchObject({
              code: 'NOT_FOUND',
            });
            expect(await node.redPackets.byIds(one, [packetId])).toEqual(new Map());
          }
        }
      };
      await refused();
      const userIds = [bob.userId, cem.userId];
      await node.timelines.submit({ kind: 'addMembers', ...act, userIds });
      await refused();
      // What is sent from now on is theirs as well.
      await topUp(node, ann, 50);
      const again = { count: 1, total: 50n, clientMessageId: 'again', recipientId: bob.userId };
      const own = (await node.redPackets.send(ann, packet(id, again))).redPacket.id;
      await expect(node.redPackets.claim(cem, own)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect(await node.redPackets.claim(bob, own)).toMatchObject({ status: 'CLAIMED' });
      await expect(node.redPackets.claim(cem, own)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await world.settled();
      expect(await world.amounts(bob)).toEqual([Number(share), 100, 50]);
      expect(await world.audit()).toMatchObject({ isSound: true, inFlight: 0n });
    },
  );
});
