import { expect, it } from 'vitest';
import { parsePartition } from '../../src/lib/partition.ts';

it('reads ranges and single numbers, in any order', () => {
  expect(parsePartition('4=1, 0-1=0,2-3=1', 5, 2)).toEqual({
    ranges: [
      { first: 4, last: 4, owner: 1 },
      { first: 0, last: 1, owner: 0 },
      { first: 2, last: 3, owner: 1 },
    ],
  });
});

it.each([
  ['', 'must look like'],
  ['0-4', 'must look like'],
  ['0-4=0,', 'must look like'],
  ['4-0=0', 'must name rising ranges within 0-4, not 4-0=0'],
  ['0-5=0', 'must name rising ranges within 0-4'],
  ['0-4=2', 'names 2, but counted from 0 there are 2'],
  ['0-4=0,3=1', 'gives 3 twice'],
  ['0-1=0,3-4=1', 'leaves out 2'],
  ['0-4=0', 'gives nothing to 1'],
])('refuses %j', (text, mistake) => {
  expect(parsePartition(text, 5, 2)).toEqual({
    mistake: expect.stringContaining(mistake) as string,
  });
});
