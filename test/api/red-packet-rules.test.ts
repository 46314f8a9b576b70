import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RegisterDocument } from '../../client/generated/documents.ts';
import { codeOf, createGroup, engines, newKey, openChat, type Chat } from '../support/chat.ts';
import { ask, post, TestUser } from '../support/clients.ts';
import { balanceOf, claim, credit, packetOf, sendPacket, serverKeys } from '../support/money.ts';

/** Of all apps, and of one that has rules of its own. */
const common = { shareMax: 200, countMax: 5, ttlSeconds: 3_600 };
const own = { appId: 'other', shareMax: 50, countMax: 3, ttlSeconds: 60 };

describe.each(engines())('the rules of red packets on %s', (engine) => {
  let chat: Chat;
  let ofDefault: { people: readonly [TestUser, TestUser]; group: string };
  let ofOther: typeof ofDefault;
  beforeAll(async () => {
    chat = await openChat(engine, {
      serverKeys,
      apps: ['default', 'other'],
      redPackets: { ...common, apps: [own] },
    });
    ofDefault = await pairOf('default', ['ann', 'bob']);
    // The one whom `credit` knows to be of the other app.
    ofOther = await pairOf('other', ['outsider', 'bob']);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  async function pairOf(appId: string, names: readonly string[]) {
    const [first, second] = await Promise.all(
      names.map(async (username) => {
        const device = { id: 'd', platform: 'OTHER' as const };
        const input = { appId, username, password: 'correct horse', device };
        return new TestUser(
          chat.server,
          (await ask(chat.server, RegisterDocument, { input })).register,
        );
      }),
    );
    if (!first || !second) throw new Error('nobody');
    await credit(chat.server, first, 100_000);
    return { people: [first, second] as const, group: await createGroup(first, [second]) };
  }

  type Sent = Parameters<typeof sendPacket>[2];
  const sends = ({ people: [sender], group }: typeof ofDefault, packet: Sent) =>
    codeOf(sendPacket(sender, group, packet));

  test.each(['LUCKY', 'EQUAL'] as const)(
    'what an app allows is allowed to the last unit and no further: %s',
    async (kind) => {
      for (const [pair, { shareMax, countMax }] of [
        [ofDefault, common],
        [ofOther, own],
      ] as const) {
        const [sender, other] = pair.people;
        const before = await balanceOf(sender);
        const most = { kind, total: shareMax * countMax, count: countMax };
        const least = { kind, total: countMax, count: countMax };
        const recipientId = other.id;
        const toOne = { kind, total: shareMax, count: 1, recipientId };
        for (const packet of [most, least, toOne]) {
          expect(await sends(pair, packet), JSON.stringify(packet)).toBe('OK');
        }
        const spent = most.total + least.total + toOne.total;
        expect(await balanceOf(sender)).toBe(before - spent);
        for (const packet of [
          { ...most, total: most.total + (kind === 'EQUAL' ? countMax : 1) },
          { ...least, total: countMax - 1 },
          { kind, total: countMax + 1, count: countMax + 1 },
          { ...toOne, total: shareMax + 1 },
          { kind, total: 2, count: 2, recipientId },
        ]) {
          expect(await sends(pair, packet), JSON.stringify(packet)).toBe('INVALID_ARGUMENT');
        }
        expect(await balanceOf(sender)).toBe(before - spent);
      }
    },
  );

  test.each(['LUCKY', 'EQUAL'] as const)(
    'what is for one member is theirs alone: %s',
    async (kind) => {
      const { people, group } = ofDefault;
      const [ann, bob] = people;
      const packet = { kind, total: 7, count: 1, recipientId: bob.id };
      const { redPacket } = await sendPacket(ann, group, packet);
      expect(await codeOf(claim(ann, redPacket.id))).toBe('FORBIDDEN');
      expect(await claim(bob, redPacket.id)).toMatchObject({
        status: 'CLAIMED',
        claim: { amount: 7, isBest: kind === 'LUCKY' },
      });
    },
  );

  test('between two it is for the other side, and costs nothing where it is to be for the sender', async () => {
    const [ann, bob] = ofDefault.people;
    const direct = await ann.directWith(bob);
    const before = await balanceOf(ann);
    const packet = { kind: 'EQUAL', total: 7, count: 1 } as const;
    const own = sendPacket(ann, direct, { ...packet, recipientId: ann.id });
    expect(await codeOf(own)).toBe('FAILED_PRECONDITION');
    expect(await balanceOf(ann)).toBe(before);
    const { redPacket } = await sendPacket(ann, direct, { ...packet, recipientId: bob.id });
    expect(await claim(bob, redPacket.id)).toMatchObject({ claim: { amount: 7 } });
    const notes = await ann.directWith(ann);
    const toSelf = await sendPacket(ann, notes, { ...packet, recipientId: ann.id });
    expect(await claim(ann, toSelf.redPacket.id)).toMatchObject({ claim: { amount: 7 } });
  });

  test('an amount that is no safe positive integer is refused, however it is written', async () => {
    const { people, group } = ofDefault;
    const [ann] = people;
    const before = await balanceOf(ann);
    const send = async (total: string, count: string, variables: object = {}) => {
      const text = `mutation ($total: MinorUnits!) { sendRedPacket(input: { conversationId: "${group}", clientMessageId: "${newKey()}", total: ${total}, count: ${count} }) { isDuplicate } }`;
      const query = total === '$total' ? text : text.replace('($total: MinorUnits!) ', '');
      const { errors } = await post(chat.server, query, variables, ann.auth.accessToken);
      return errors?.[0]?.extensions?.['code'];
    };
    for (const total of ['5.0', '5.5', '"5"', '1e1', '-5', '0', '-0', '9007199254740992', 'true']) {
      expect(await send(total, '1'), total).toBe('INVALID_ARGUMENT');
    }
    for (const total of [5.5, '5', -5, 0, 2 ** 53, 1e300, null, [5], { amount: 5 }]) {
      expect(await send('$total', '1', { total }), JSON.stringify(total)).toBe('INVALID_ARGUMENT');
    }
    for (const count of ['0', '-1', '1.0', '"1"', '2147483648']) {
      expect(await send('5', count), count).toBe('INVALID_ARGUMENT');
    }
    expect(await balanceOf(ann)).toBe(before);
  });

  test('a key stands for one packet: whatever is changed is a conflict, and costs nothing', async () => {
    const { people, group } = ofDefault;
    const [ann, bob] = people;
    const packet = { kind: 'EQUAL', total: 10, count: 1, clientMessageId: newKey() } as const;
    const first = await sendPacket(ann, group, { ...packet, greeting: 'hi' });
    const before = await balanceOf(ann);
    for (const changed of [
      { kind: 'LUCKY' },
      { total: 11 },
      { count: 2 },
      { greeting: 'ho' },
      { greeting: null },
      { recipientId: bob.id },
    ] as const) {
      const again = sendPacket(ann, group, { ...packet, greeting: 'hi', ...changed });
      expect(await codeOf(again), JSON.stringify(changed)).toBe('IDEMPOTENCY_CONFLICT');
    }
    const same = await sendPacket(ann, group, { ...packet, greeting: 'hi' });
    expect(same).toMatchObject({ isDuplicate: true, redPacket: { id: first.redPacket.id } });
    expect(await balanceOf(ann)).toBe(before);
  });

  test('a packet is open for as long as its app says', async () => {
    const [long, short] = await Promise.all(
      [ofDefault, ofOther].map(async ({ people, group }) => {
        const { redPacket } = await sendPacket(people[0], group, { total: 9, count: 3 });
        const { createdAt, expiresAt } = redPacket;
        return { id: redPacket.id, openMs: Date.parse(expiresAt) - Date.parse(createdAt) };
      }),
    );
    expect([long?.openMs, short?.openMs]).toEqual([3_600_000, 60_000]);
    chat.clock.shift(60_000);
    const stateOf = async ({ people }: typeof ofDefault, id = '') =>
      (await packetOf(people[0], id))?.state;
    await vi.waitFor(async () => expect(await stateOf(ofOther, short?.id)).toBe('EXPIRED'), 15_000);
    expect(await stateOf(ofDefault, long?.id)).toBe('OPEN');
  });
});
