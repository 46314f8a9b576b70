import { expect, it } from 'vitest';
import { equalPartition, parsePartition } from '../../src/lib/partition.ts';

it('reads ranges and single numbers, in any order', () => {
  expect(parsePartition('4=1, 0-1=0,2-3=1', 5, 2)).toEqual({ owners: [0, 0, 1, 1, 1] });
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

it.each([1, 2, 3, 7, 1024])('shares 1024 numbers equally among %d', (owners) => {
  const shares = new Map<number, number>();
  const partition = equalPartition(1024, owners);
  for (const owner of partition) shares.set(owner, (shares.get(owner) ?? 0) + 1);
  expect([...partition]).toEqual([...partition].sort((a, b) => a - b));
  expect(shares.size).toBe(owners);
  expect(Math.max(...shares.values()) - Math.min(...shares.values())).toBeLessThanOrEqual(1);
});
