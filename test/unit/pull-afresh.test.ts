import { describe, expect, it } from 'vitest';
import { together } from '../kill/pull-afresh.ts';
import type { Shown } from '../support/history.ts';

function shown(seq: number, changeSeq = 0): Shown {
  return { seq, sender: 'ann', key: `key-${seq}`, text: `as of ${changeSeq}`, changeSeq };
}

describe('a copy that was asked for afresh', () => {
  const ends = { joinedSeq: 3, lastSeq: 4 };

  it('has what was added, as it was changed meanwhile', () => {
    const { lastSeq, messages } = together([shown(5), shown(6)], [shown(4, 1), shown(6, 2)], ends);
    expect(lastSeq).toBe(6);
    expect(messages).toEqual([shown(5), shown(6, 2), shown(4, 1)]);
  });

  it('ends before messages that came and were changed after it was asked for', () => {
    const { lastSeq, messages } = together([shown(5)], [shown(8, 1)], ends);
    expect(lastSeq).toBe(5);
    expect(messages).toEqual([shown(5)]);
  });

  it('has nothing from before its owner joined', () => {
    expect(together([], [shown(2, 1)], ends)).toEqual({ lastSeq: 4, messages: [] });
  });
});
