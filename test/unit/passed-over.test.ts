import { expect, test } from 'vitest';
import type { Happening } from '../../src/domain/inbox/inbox.ts';
import { PassedOver } from '../../src/realtime/inbox/passed-over.ts';

const [ours, others] = [1n, 2n];

function happening(kind: Happening['kind'], conversationId: bigint): Happening {
  return { kind, conversationId } as Happening;
}

const changed = (id: bigint) => happening('ConversationChanged', id);
const removed = (id: bigint) => happening('ConversationRemoved', id);
const added = (id: bigint) => happening('MessageAdded', id);

test('nothing is hidden while nothing was passed over', () => {
  const passedOver = new PassedOver();
  expect([changed(ours), added(ours), removed(ours)].map((h) => passedOver.hides(h))).toEqual([
    false,
    false,
    false,
  ]);
});

test('what follows a telling that was passed over is not told, of that conversation alone', () => {
  const passedOver = new PassedOver();
  passedOver.add(changed(ours));
  expect(passedOver.hides(added(ours))).toBe(true);
  expect(passedOver.hides(added(others))).toBe(false);
  expect(passedOver.hides({ kind: 'InboxHeartbeat' })).toBe(false);
});

test.each([
  ['they are told to be out of it', removed(ours)],
  ['it is told anew', changed(ours)],
])('until %s', (_when, turn) => {
  const passedOver = new PassedOver();
  passedOver.add(changed(ours));
  expect(passedOver.hides(added(ours))).toBe(true);
  expect(passedOver.hides(turn)).toBe(false);
  expect(passedOver.hides(added(ours))).toBe(false);
});

test('another event that was passed over hides nothing', () => {
  const passedOver = new PassedOver();
  passedOver.add(added(ours));
  expect(passedOver.hides(added(ours))).toBe(false);
});
