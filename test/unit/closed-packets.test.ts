import { expect, it } from 'vitest';
import { ClosedPackets } from '../../src/domain/red-packet/closed-packets.ts';
import type { RedPacket } from '../../src/domain/red-packet/red-packet.ts';

const packetOf = (id: bigint, conversationId = 1n): RedPacket => ({
  id,
  conversationId,
  seq: 2,
  senderId: 1n,
  kind: 'LUCKY',
  state: 'EXHAUSTED',
  greeting: '',
  total: 10n,
  count: 1,
  claimedCount: 1,
  claimedTotal: 10n,
  refundedTotal: 0n,
  recipientId: null,
  bestShareNo: 0,
  createdAtMs: 0,
  expiresAtMs: 1,
});

type Options = ConstructorParameters<typeof ClosedPackets>[0];
const remembering = (options: Partial<Options> = {}): ClosedPackets =>
  new ClosedPackets({
    ...{ packetsMax: 2, membersMax: 10 },
    ...options,
  });

type Closed = Parameters<ClosedPackets['put']>[0];
const closedOf = (packet: RedPacket, rest: Partial<Closed> = {}): Closed => ({
  ...{ packet, senderMayClaim: true, claims: [], credited: [] },
  ...rest,
});
/** All of them from the first seq on. */
const members = (...userIds: bigint[]) => userIds.map((userId) => ({ userId, joinedSeq: 1 }));

const bob = 2n;
const claim = {
  redPacketId: 5n,
  userId: bob,
  shareNo: 0,
  amount: 10n,
  claimedAtMs: 0,
  transferId: 9n,
};

it('answers members alone, each with what they took', () => {
  const closed = remembering();
  closed.put(closedOf(packetOf(5n), { claims: [claim] }));
  closed.admit(1n, members(bob, 3n), closed.moment);
  expect(closed.answer(5n, bob)).toMatchObject({ status: 'ALREADY_CLAIMED', claim });
  expect(closed.answer(5n, 3n)).toMatchObject({ status: 'EXHAUSTED', claim: null });
  expect(closed.answer(5n, 4n)).toBeNull();
  expect(closed.answer(6n, bob)).toBeNull();
});

it('admits members once for all packets of their conversation, and for none of another', () => {
  const closed = remembering({ packetsMax: 3 });
  expect(closed.hasAudience(1n)).toBe(false);
  closed.put(closedOf(packetOf(5n)));
  expect(closed.hasAudience(1n)).toBe(true);
  closed.admit(1n, members(bob), closed.moment);
  closed.put(closedOf(packetOf(6n)));
  closed.put(closedOf(packetOf(7n, 8n)));
  expect([5n, 6n, 7n].map((id) => closed.answer(id, bob) !== null)).toEqual([true, true, false]);
});

it('answers nobody who does not see the message, or whom the packet is not for', () => {
  const closed = remembering({ packetsMax: 4 });
  const ann = packetOf(5n).senderId;
  closed.put(closedOf(packetOf(5n), { senderMayClaim: false }));
  closed.put(closedOf(packetOf(6n)));
  closed.put(closedOf({ ...packetOf(7n), recipientId: bob }));
  const later = { userId: 4n, joinedSeq: 3 };
  closed.admit(1n, [...members(ann, bob, 3n), later], closed.moment);
  const answered = (id: bigint) => [ann, bob, 3n, 4n].filter((user) => closed.answer(id, user));
  expect(answered(5n)).toEqual([bob, 3n]);
  expect(answered(6n)).toEqual([ann, bob, 3n]);
  expect(answered(7n)).toEqual([bob]);
  closed.put(closedOf({ ...packetOf(8n), seq: 3 }));
  expect(answered(8n)).toEqual([ann, bob, 3n, 4n]);
});

it('answers nobody whose membership has ended, before or after they were admitted', () => {
  const closed = remembering();
  closed.put(closedOf(packetOf(5n)));
  const { moment } = closed;
  closed.admit(1n, members(2n, 3n), moment);
  closed.membershipEnded(1n, 2n);
  closed.membershipEnded(7n, 3n);
  // Read before the end, admitted after it.
  closed.admit(1n, members(2n), moment);
  expect(closed.answer(5n, 2n)).toBeNull();
  expect(closed.answer(5n, 3n)).not.toBeNull();
  closed.put(closedOf(packetOf(6n)));
  expect(closed.answer(6n, 2n)).toBeNull();
  // Back again, and read since: they see what came since then.
  closed.admit(1n, [{ userId: 2n, joinedSeq: 3 }], closed.moment);
  expect(closed.answer(6n, 2n)).toBeNull();
  closed.put(closedOf({ ...packetOf(7n), seq: 4 }));
  expect(closed.answer(7n, 2n)).not.toBeNull();
});

it('answers whoever is known to be a member, admitted or not', () => {
  const closed = remembering();
  closed.put(closedOf(packetOf(5n), { claims: [claim] }));
  expect(closed.answer(5n, bob)).toBeNull();
  expect(closed.answerMember(5n, bob)).toMatchObject({ status: 'ALREADY_CLAIMED', claim });
  expect(closed.answerMember(5n, 3n)).toMatchObject({ status: 'EXHAUSTED', claim: null });
  expect(closed.answerMember(6n, bob)).toBeNull();
});

it('knows whose credit is there, once it was seen', () => {
  const closed = remembering();
  const claims = [claim, { ...claim, userId: 3n, transferId: 8n }];
  closed.put(closedOf(packetOf(5n), { claims, credited: [bob] }));
  closed.admit(1n, members(bob, 3n), closed.moment);
  expect(closed.answer(5n, bob)).toMatchObject({ isCredited: true });
  expect(closed.answer(5n, 3n)).toMatchObject({ isCredited: false });
  closed.credited(5n, 3n);
  expect(closed.answer(5n, 3n)).toMatchObject({ isCredited: true });
});

it('admits nobody who was read so long ago that the endings since are forgotten', () => {
  const closed = remembering();
  closed.put(closedOf(packetOf(5n)));
  const { moment } = closed;
  for (let n = 0n; n < 3_000n; n += 1n) closed.membershipEnded(8n, n);
  closed.admit(1n, members(2n), moment);
  expect(closed.answer(5n, 2n)).toBeNull();
});

it('forgets what was not asked for longest, of packets as of members', () => {
  const closed = remembering({ membersMax: 3 });
  for (const id of [5n, 6n]) {
    closed.put(closedOf(packetOf(id, id)));
    closed.admit(id, members(bob), closed.moment);
  }
  closed.answer(5n, bob);
  closed.put(closedOf(packetOf(7n, 7n)));
  expect([5n, 6n, 7n].map((id) => closed.has(id))).toEqual([true, false, true]);
  expect([5n, 6n, 7n].map((id) => closed.hasAudience(id))).toEqual([true, false, true]);
  closed.admit(7n, members(1n, 2n, 3n), closed.moment);
  expect([5n, 7n].map((id) => closed.has(id))).toEqual([false, true]);
});

it('forgets the members of a conversation with its last packet', () => {
  const closed = remembering({ packetsMax: 2, membersMax: 3 });
  closed.put(closedOf(packetOf(5n)));
  closed.put(closedOf(packetOf(6n)));
  closed.admit(1n, members(1n, bob, 3n), closed.moment);
  closed.put(closedOf(packetOf(7n, 8n)));
  expect([closed.has(5n), closed.hasAudience(1n)]).toEqual([false, true]);
  closed.put(closedOf(packetOf(9n, 8n)));
  expect([closed.has(6n), closed.hasAudience(1n)]).toEqual([false, false]);
  // Room for members again.
  closed.admit(8n, members(1n, bob, 3n), closed.moment);
  expect([7n, 9n].map((id) => closed.answer(id, bob) !== null)).toEqual([true, true]);
});
