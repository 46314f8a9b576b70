import { setFlagsFromString } from 'node:v8';
import { expect, it } from 'vitest';
import type { Happening } from '../../src/domain/inbox/inbox.ts';
import { eventAt } from '../../src/realtime/inbox/inboxes.ts';

/** Whether V8 has one hidden class for both. */
function areOfOneShape(a: object, b: object): boolean {
  setFlagsFromString('--allow-natives-syntax');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- only V8 itself knows, and only in words of its own
  const haveSameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (
    ...pair: [object, object]
  ) => boolean;
  setFlagsFromString('--no-allow-natives-syntax');
  return haveSameMap(a, b);
}

it('shows events of one kind as objects of one shape', () => {
  const happening = (readSeq: number): Happening => ({
    kind: 'ReadAdvanced',
    conversationId: 1n,
    userId: 2n,
    readSeq,
  });
  const shown = (readSeq: number) => eventAt(happening(readSeq), 5, `cursor ${readSeq}`);
  expect(shown(7)).toEqual({ ...happening(7), atMs: 5, cursor: 'cursor 7' });
  // V8 takes its shortcuts where it has come by often.
  for (let readSeq = 0; readSeq < 1_000; readSeq += 1) shown(readSeq);
  expect(areOfOneShape(shown(7), shown(8))).toBe(true);
});
