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
  closed.put(packetOf(5n), [claim], []);
  closed.admit(5n, [bob, 3n], closed.moment);
  expect(closed.answer(5n, bob)).toMatchObject({ status: 'ALREADY_CLAIMED', claim });
  expect(closed.answer(5n, 3n)).toMatchObject({ status: 'EXHAUSTED', claim: null });
  expect(closed.answer(5n, 4n)).toBeNull();
  expect(closed.answer(6n, bob)).toBeNull();
});

it('answers nobody whose membership has ended, before or after they were admitted', () => {
  const closed = remembering();
  closed.put(packetOf(5n), [], []);
  const { moment } = closed;
  closed.admit(5n, [2n, 3n], moment);
  closed.membershipEnded(1n, 2n);
  closed.membershipEnded(7n, 3n);
  // Read before the end, admitted after it.
  closed.admit(5n, [2n], moment);
  expect(closed.answer(5n, 2n)).toBeNull();
  expect(closed.answer(5n, 3n)).not.toBeNull();
  // Back again, and read since.
  closed.admit(5n, [2n], closed.moment);
  expect(closed.answer(5n, 2n)).not.toBeNull();
});

it('answers whoever is known to be a member, admitted or not', () => {
  const closed = remembering();
  closed.put(packetOf(5n), [claim], []);
  expect(closed.answer(5n, bob)).toBeNull();
  expect(closed.answerMember(5n, bob)).toMatchObject({ status: 'ALREADY_CLAIMED', claim });
  expect(closed.answerMember(5n, 3n)).toMatchObject({ status: 'EXHAUSTED', claim: null });
  expect(closed.answerMember(6n, bob)).toBeNull();
});

it('knows whose credit is there, once it was seen', () => {
  const closed = remembering();
  closed.put(packetOf(5n), [claim, { ...claim, userId: 3n, transferId: 8n }], [bob]);
  closed.admit(5n, [bob, 3n], closed.moment);
  expect(closed.answer(5n, bob)).toMatchObject({ isCredited: true });
  expect(closed.answer(5n, 3n)).toMatchObject({ isCredited: false });
  closed.credited(5n, 3n);
  expect(closed.answer(5n, 3n)).toMatchObject({ isCredited: true });
});

it('admits nobody who was read so long ago that the endings since are forgotten', () => {
  const closed = remembering();
  closed.put(packetOf(5n), [], []);
  const { moment } = closed;
  for (let n = 0n; n < 3_000n; n += 1n) closed.membershipEnded(8n, n);
  closed.admit(5n, [2n], moment);
  expect(closed.answer(5n, 2n)).toBeNull();
});

it('forgets what was not asked for longest, of packets as of members', () => {
  const closed = remembering({ membersMax: 3 });
  for (const id of [5n, 6n]) {
    closed.put(packetOf(id), [], []);
    closed.admit(id, [bob], closed.moment);
  }
  closed.answer(5n, bob);
  closed.put(packetOf(7n), [], []);
  expect([5n, 6n, 7n].map((id) => closed.has(id))).toEqual([true, false, true]);
  closed.admit(7n, [1n, 2n, 3n], closed.moment);
  expect([5n, 7n].map((id) => closed.has(id))).toEqual([false, true]);
});
