import { expect, test } from 'vitest';
import { Profiles } from '../../src/domain/user/profiles.ts';
import { StillClock } from '../support/accounts.ts';

const user = (id: bigint, displayName: string) => ({
  id,
  appId: 'default',
  username: `u${id}`,
  displayName,
  createdAtMs: 0,
});

function open(usersMax = 2) {
  const clock = new StillClock();
  return { clock, profiles: new Profiles({ clock, usersMax, keptMs: 1_000 }) };
}

test('keeps a profile for its time and no longer', () => {
  const { clock, profiles } = open();
  profiles.keep(user(1n, 'Ann'), profiles.begin());
  clock.advance(999);
  expect(profiles.get(1n)?.displayName).toBe('Ann');
  clock.advance(1);
  expect(profiles.get(1n)).toBeNull();
});

test('a read that began before a change does not bring the old one back', () => {
  const { profiles } = open();
  const slowRead = profiles.begin();
  profiles.keep(user(1n, 'new'), profiles.begin());
  profiles.keep(user(1n, 'old'), slowRead);
  expect(profiles.get(1n)?.displayName).toBe('new');
});

test('lets go of the one that was used the longest ago', () => {
  const { profiles } = open(4);
  for (const id of [1n, 2n]) profiles.keep(user(id, 'x'), profiles.begin());
  profiles.get(1n);
  profiles.keep(user(3n, 'x'), profiles.begin());
  expect([1n, 2n, 3n].map((id) => profiles.get(id) !== null)).toEqual([true, false, true]);
});

test('what another node has changed is read again, whatever was being read when this one was told', () => {
  const { profiles } = open();
  profiles.keep(user(1n, 'old'), profiles.begin());
  const slowRead = profiles.begin();
  profiles.forget(1n);
  expect(profiles.get(1n)).toBeNull();
  profiles.keep(user(1n, 'old'), slowRead);
  expect(profiles.get(1n)).toBeNull();
  profiles.keep(user(1n, 'new'), profiles.begin());
  expect(profiles.get(1n)?.displayName).toBe('new');
});
