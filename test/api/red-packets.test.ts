import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SendRedPacketDocument } from '../../client/generated/documents.ts';
import {
  addMembers,
  codeOf,
  createGroup,
  edit,
  engines,
  messageOf,
  newKey,
  openChat,
  recall,
  removeMember,
  send,
  type Chat,
} from '../support/chat.ts';
import { post, type TestUser } from '../support/clients.ts';
import { brief, inboxOf, openInbox } from '../support/live.ts';
import {
  balanceOf,
  claim,
  credit,
  entriesOf,
  giveAway,
  ledgerOf,
  packetOf,
  sendPacket,
  serverKeys,
} from '../support/money.ts';

const hour = 3_600_000;

describe.each(engines())('red packets on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine, { serverKeys, apps: ['default', 'other'] });
  });
  afterAll(async () => {
    // Whatever the tests did: no money was made or lost.
    if (chat) expect((await ledgerOf(chat.server)).problems).toEqual([]);
    await chat?.[Symbol.asyncDispose]();
  });

  /** People in a group, the first of whom has money. */
  async function groupOf<N extends number>(count: N, money = 100_000) {
    const people = await chat.people(count);
    const [first] = people as TestUser[];
    if (!first) throw new Error('nobody');
    await credit(chat.server, first, money);
    return { people, group: await createGroup(first, (people as TestUser[]).slice(1)) };
  }

  test('a send debits the wallet and posts a message; a retry gets the same', async () => {
    const { people, group } = await groupOf(2, 1_000);
    const [ann, bob] = people;
    const packet = { total: 300, count: 3, greeting: 'good luck', clientMessageId: newKey() };
    const sent = await sendPacket(ann, group, packet);
    expect(sent).toMatchObject({
      isDuplicate: false,
      message: { seq: 2, content: { redPacket: { total: 300 } } },
      redPacket: {
        ...{ kind: 'LUCKY', state: 'OPEN', greeting: 'good luck', total: 300, count: 3 },
        ...{ claimedCount: 0, claimedTotal: 0, refundedTotal: 0, recipient: null },
      },
    });
    const lived = Date.parse(sent.redPacket.expiresAt) - Date.parse(sent.redPacket.createdAt);
    expect(lived).toBe(24 * hour);
    expect(await balanceOf(ann)).toBe(700);
    const [, debit] = await entriesOf(ann);
    expect(debit).toMatchObject({
      kind: 'RED_PACKET_SENT',
      amount: -300,
      redPacket: { id: sent.redPacket.id },
    });
    const again = await Promise.all([1, 2, 3].map(() => sendPacket(ann, group, packet)));
    for (const one of again) {
      expect(one).toMatchObject({ isDuplicate: true, message: { id: sent.message.id } });
    }
    expect(await balanceOf(ann)).toBe(700);
    expect(await codeOf(sendPacket(ann, group, { ...packet, total: 301 }))).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
    const { clientMessageId } = packet;
    expect(await codeOf(send(ann, group, 'hello', { clientMessageId }))).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
    expect(await messageOf(bob, group, 2)).toMatchObject({
      content: { __typename: 'RedPacketContent', redPacket: { id: sent.redPacket.id } },
    });
  });

  test('what cannot be split, or is more than the sender has, is refused and costs nothing', async () => {
    const { people, group } = await groupOf(2, 5_000_000);
    const [ann, bob] = people;
    const stranger = (await chat.people(1))[0];
    const refused = [
      { total: 2, count: 3 },
      { total: 0, count: 1 },
      { total: -5, count: 1 },
      { total: 10, count: 0 },
      { total: 101, count: 101 },
      { total: 20_001, count: 1 },
      { total: 60_001, count: 3 },
      { total: 10, count: 3, kind: 'EQUAL' },
      { total: 10, count: 2, recipientId: bob.id },
      { total: 10, count: 2, greeting: 'x'.repeat(129) },
      { total: 10, count: 2, clientMessageId: '' },
      { total: 10, count: 1, recipientId: 'nobody' },
    ] as const;
    for (const packet of refused) {
      expect(await codeOf(sendPacket(ann, group, packet)), JSON.stringify(packet)).toBe(
        'INVALID_ARGUMENT',
      );
    }
    const toStranger = { total: 10, count: 1, recipientId: stranger.id };
    expect(await codeOf(sendPacket(ann, group, toStranger))).toBe('NOT_FOUND');
    expect(await codeOf(sendPacket(stranger, group, { total: 1, count: 1 }))).toBe('NOT_FOUND');
    expect(await codeOf(sendPacket(bob, group, { total: 1, count: 1 }))).toBe(
      'FAILED_PRECONDITION',
    );
    expect(await balanceOf(ann)).toBe(5_000_000);
    expect(await entriesOf(bob)).toEqual([]);
    // The largest that there may be.
    await giveAway(ann, group, { total: 2_000_000, count: 100, kind: 'EQUAL' });
    expect(await balanceOf(ann)).toBe(3_000_000);
  });

  test('everybody gets one share, the last ones none, and the shares sum to the total', async () => {
    const { people, group } = await groupOf(6);
    const [ann, ...others] = people;
    const id = await giveAway(ann, group, { total: 1_000, count: 4 });
    expect(await packetOf(ann, id)).toMatchObject({ claims: [], myClaim: null });
    const answers = await Promise.all([ann, ...others].map((user) => claim(user, id)));
    const won = answers.filter(({ status }) => status === 'CLAIMED');
    expect(won).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 'EXHAUSTED')).toHaveLength(2);
    const amounts = won.map((answer) => answer.claim?.amount ?? 0);
    expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBe(1_000);
    for (const answer of answers) {
      expect(answer.claim === null).toBe(answer.status === 'EXHAUSTED');
      expect(answer.creditPending).toBe(false);
    }
    for (const [index, user] of [ann, ...others].entries()) {
      const share = answers[index]?.claim?.amount ?? 0;
      expect(await balanceOf(user)).toBe((user === ann ? 99_000 : 0) + share);
      const again = await claim(user, id);
      expect(again.status).toBe(share > 0 ? 'ALREADY_CLAIMED' : 'EXHAUSTED');
      expect(again.claim?.amount ?? 0).toBe(share);
      expect((await packetOf(user, id))?.myClaim?.amount ?? 0).toBe(share);
    }
    const packet = await packetOf(ann, id);
    expect(packet).toMatchObject({ state: 'EXHAUSTED', claimedCount: 4, claimedTotal: 1_000 });
    const shown = packet?.claims ?? [];
    const best = Math.max(...shown.map(({ amount }) => amount));
    expect(shown.map(({ isBest }) => isBest)).toEqual(
      shown.map((_, index) => index === shown.findIndex(({ amount }) => amount === best)),
    );
    expect(shown.filter(({ amount }) => amount === best).length).toBeGreaterThan(0);
  });

  test('the best is told when all is over, the earliest on a tie, and never of equal shares', async () => {
    const { people, group } = await groupOf(3);
    const [ann, bob, cid] = people;
    const tie = await giveAway(ann, group, { total: 3, count: 3 });
    for (const user of [bob, cid]) await claim(user, tie);
    const isBest = async (id: string) =>
      (await packetOf(ann, id))?.claims.map((one) => one.isBest) ?? [];
    expect(await isBest(tie)).toEqual([false, false]);
    expect((await claim(ann, tie)).claim?.isBest).toBe(false);
    expect(await isBest(tie)).toEqual([true, false, false]);
    expect((await claim(bob, tie)).claim?.isBest).toBe(true);
    const equal = await giveAway(ann, group, { total: 30, count: 3, kind: 'EQUAL' });
    for (const user of [ann, bob, cid]) {
      expect((await claim(user, equal)).claim).toMatchObject({ amount: 10, isBest: false });
    }
    expect(await isBest(equal)).toEqual([false, false, false]);
  });

  test('who may claim: members who see the message, or the recipient alone', async () => {
    const { people, group } = await groupOf(3);
    const [ann, bob, cid] = people;
    const [stranger] = await chat.people(1);
    const id = await giveAway(ann, group, { total: 100, count: 10 });
    expect(await codeOf(claim(stranger, id))).toBe('NOT_FOUND');
    expect(await packetOf(stranger, id)).toBeNull();
    await addMembers(ann, group, [stranger]);
    // What was said before one came is not for them.
    expect(await codeOf(claim(stranger, id))).toBe('NOT_FOUND');
    expect(await packetOf(stranger, id)).toBeNull();
    expect((await claim(bob, id)).status).toBe('CLAIMED');
    await removeMember(ann, group, bob);
    expect(await codeOf(claim(bob, id))).toBe('NOT_FOUND');
    expect(await packetOf(bob, id)).toBeNull();
    // The money is theirs all the same; where it came from they see no more.
    expect(await balanceOf(bob)).toBeGreaterThan(0);
    expect((await entriesOf(bob))[0]).toMatchObject({ redPacket: null });

    const forCid = { total: 50, count: 1, recipientId: cid.id };
    const own = await giveAway(ann, group, forCid);
    for (const user of [ann, stranger]) expect(await codeOf(claim(user, own))).toBe('FORBIDDEN');
    expect(await claim(cid, own)).toMatchObject({ status: 'CLAIMED', claim: { amount: 50 } });

    expect(await codeOf(claim(ann, 'r_1'))).toBe('NOT_FOUND');
    expect(await codeOf(claim(ann, group))).toBe('INVALID_ARGUMENT');
  });

  test('one to one: the other side claims, the sender does not', async () => {
    const [ann, bob] = await chat.people(2);
    await credit(chat.server, ann, 100);
    const direct = await ann.directWith(bob);
    const { message, redPacket } = await sendPacket(ann, direct, { total: 88, count: 1 });
    expect(message.seq).toBe(1);
    expect(await codeOf(claim(ann, redPacket.id))).toBe('FORBIDDEN');
    expect(await claim(bob, redPacket.id)).toMatchObject({
      status: 'CLAIMED',
      claim: { amount: 88 },
    });
    expect([await balanceOf(ann), await balanceOf(bob)]).toEqual([12, 88]);
  });

  test('shares that nobody has claimed are in no answer and no event', async () => {
    const { people, group } = await groupOf(3);
    const [ann, bob, cem] = people;
    const live = await openInbox(cem);
    const { redPacket } = await sendPacket(ann, group, { total: 19_999, count: 2 });
    const taken = (await claim(bob, redPacket.id)).claim?.amount ?? 0;
    const left = String(19_999 - taken);
    const query = `query ($id: ID!, $group: ID!) {
      redPacket(id: $id) { claims { amount } myClaim { amount } total count claimedTotal }
      conversation(id: $group) { messages(last: 10) { edges { node {
        content { ... on RedPacketContent { redPacket { claimedTotal claims { amount } } } } } } } }
      viewer { wallet { entries { edges { node { redPacket { claims { amount } } } } } } } }`;
    const asked = { id: redPacket.id, group };
    const answer = JSON.stringify(await post(chat.server, query, asked, ann.auth.accessToken));
    expect(answer).toContain(String(taken));
    expect(answer).not.toMatch(new RegExp(`\\b${left}\\b`));
    const isTold = () => inboxOf(live).some(({ __typename: type }) => type === 'MessageChanged');
    await live.until(isTold, 'the claim');
    const events = JSON.stringify(live.events);
    expect(events).toContain(`"claimedTotal":${taken}`);
    expect(events).not.toMatch(new RegExp(`\\b${left}\\b`));
  });

  test('a red-packet message is neither edited nor recalled', async () => {
    const { people, group } = await groupOf(2);
    const [ann, bob] = people;
    const { message, redPacket } = await sendPacket(ann, group, { total: 10, count: 1 });
    expect(await codeOf(recall(ann, group, message.seq))).toBe('FAILED_PRECONDITION');
    expect(await codeOf(edit(ann, group, message.seq, 'no'))).toBe('FAILED_PRECONDITION');
    await claim(bob, redPacket.id);
    expect(await codeOf(recall(ann, group, message.seq))).toBe('FAILED_PRECONDITION');
  });

  test('what happens is told: coalesced to all members, the credit to the claimer', async () => {
    const { people, group } = await groupOf(12);
    const [ann, ...others] = people;
    const [watcher] = others;
    if (!watcher) throw new Error('nobody');
    const live = await openInbox(watcher);
    const { message, redPacket } = await sendPacket(ann, group, { total: 1_000, count: 11 });
    await Promise.all(others.map((user) => claim(user, redPacket.id)));
    await live.until(
      () =>
        inboxOf(live).some(
          (event) =>
            event.__typename === 'MessageChanged' &&
            event.message.content.__typename === 'RedPacketContent' &&
            event.message.content.redPacket.state === 'EXHAUSTED',
        ),
      'the last state',
    );
    const changes = inboxOf(live).flatMap((event) =>
      event.__typename === 'MessageChanged' && event.message.seq === message.seq ? [event] : [],
    );
    // Eleven claims at once are told by a few changes, each with a changeSeq of its own.
    expect(changes.length).toBeLessThan(6);
    expect(changes.map(({ changeSeq }) => changeSeq)).toEqual(
      changes.map((_change, index) => index + 1),
    );
    const mine = (await packetOf(watcher, redPacket.id))?.myClaim?.amount ?? 0;
    await live.until(
      () => inboxOf(live).map(brief).includes(`wallet ${mine}=${mine}`),
      'the credit',
    );
    const now = await messageOf(watcher, group, message.seq);
    expect(now?.changeSeq).toBe(changes.length);
  });

  test('what nobody claims in time goes back, once, and late claims are answered so', async () => {
    const { people, group } = await groupOf(3, 1_000);
    const [ann, bob, cid] = people;
    const id = await giveAway(ann, group, { total: 1_000, count: 3 });
    const share = (await claim(bob, id)).claim?.amount ?? 0;
    expect(await balanceOf(ann)).toBe(0);
    chat.clock.shift(24 * hour);
    const late = await Promise.all([claim(cid, id), claim(ann, id), claim(bob, id)]);
    expect(late.map(({ status }) => status)).toEqual(['EXPIRED', 'EXPIRED', 'ALREADY_CLAIMED']);
    await vi.waitFor(async () => expect(await balanceOf(ann)).toBe(1_000 - share), 5_000);
    const refunds = (await entriesOf(ann)).filter(({ kind }) => kind === 'RED_PACKET_REFUNDED');
    expect(refunds).toMatchObject([{ amount: 1_000 - share, redPacket: { id } }]);
    expect(await packetOf(cid, id)).toMatchObject({
      ...{ state: 'EXPIRED', refundedTotal: 1_000 - share, claimedTotal: share },
      claims: [{ user: { id: bob.id }, isBest: true }],
    });
    expect((await claim(cid, id)).status).toBe('EXPIRED');
  });

  test('a packet that nobody asks for expires by itself', async () => {
    const { people, group } = await groupOf(2, 500);
    const [ann] = people;
    const id = await giveAway(ann, group, { total: 500, count: 5 });
    chat.clock.shift(24 * hour);
    await vi.waitFor(async () => expect(await balanceOf(ann)).toBe(500), 15_000);
    expect(await packetOf(ann, id)).toMatchObject({ state: 'EXPIRED', refundedTotal: 500 });
  });

  test('a retry of a sender who has been removed gets their packet', async () => {
    const { people, group } = await groupOf(2);
    const [ann, bob] = people;
    await credit(chat.server, bob, 50);
    const input = { conversationId: group, clientMessageId: newKey(), total: 50, count: 2 };
    const first = (await bob.query(SendRedPacketDocument, { input })).sendRedPacket;
    await removeMember(ann, group, bob);
    const again = (await bob.query(SendRedPacketDocument, { input })).sendRedPacket;
    expect(again).toMatchObject({ isDuplicate: true, redPacket: { id: first.redPacket.id } });
    const other = { ...input, clientMessageId: newKey() };
    expect(await codeOf(bob.query(SendRedPacketDocument, { input: other }))).toBe('NOT_FOUND');
  });
});
