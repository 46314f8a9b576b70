import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Apps } from '../../src/domain/app/app.ts';
import { Passwords, Users } from '../../src/domain/user/user.ts';
import { IdSource, slotOf, slotOfKey } from '../../src/lib/id.ts';
import { cheapPasswords, openAccounts, storages, type Accounts } from '../support/accounts.ts';

const fault = (code: string) => expect.objectContaining({ name: 'Fault', code });

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`users on ${storage.name}`, () => {
    let accounts: Accounts;
    beforeAll(async () => {
      accounts = await openAccounts(storage);
    });
    afterAll(() => accounts?.[Symbol.asyncDispose]());

    const register = (input: Partial<Parameters<Users['register']>[0]> = {}) =>
      accounts.users.register({
        appId: 'default',
        username: 'somebody',
        password: 'correct horse',
        displayName: null,
        ...input,
      });
    const authenticate = (username: string, password: string, appId = 'default') =>
      accounts.users.authenticate({ appId, username, password });

    test('a user is found by name and by id, and signs in with their password', async () => {
      const ann = await register({ username: 'ann', displayName: 'Ann 🧧' });
      expect(ann).toMatchObject({ appId: 'default', username: 'ann', displayName: 'Ann 🧧' });
      expect(ann.createdAtMs).toBe(accounts.clock.now());
      expect(slotOf(ann.id)).toBe(slotOfKey('default', 'ann'));
      expect(await accounts.users.byUsername('default', 'ann')).toEqual(ann);
      expect(await accounts.users.byIds([ann.id])).toEqual(new Map([[ann.id, ann]]));
      expect(await authenticate('ann', 'correct horse')).toEqual(ann);
    });

    test('user names fold to lower case wherever they are given, and are shown folded', async () => {
      const bob = await register({ username: 'BoB.X_1' });
      expect(bob).toMatchObject({ username: 'bob.x_1', displayName: 'bob.x_1' });
      expect(await authenticate('BOB.x_1', 'correct horse')).toEqual(bob);
      expect(await accounts.users.byUsername('default', 'BOB.X_1')).toEqual(bob);
      await expect(register({ username: 'BOB.X_1' })).rejects.toEqual(fault('FAILED_PRECONDITION'));
    });

    test('a user name is unique in its app, and another app has its own people', async () => {
      const here = await register({ username: 'carol' });
      const there = await register({ username: 'carol', appId: 'other', password: 'another one' });
      expect(there.id).not.toBe(here.id);
      await expect(authenticate('carol', 'correct horse', 'other')).rejects.toEqual(
        fault('UNAUTHENTICATED'),
      );
      expect(await authenticate('carol', 'another one', 'other')).toEqual(there);
      await expect(register({ username: 'carol', appId: 'nowhere' })).rejects.toEqual(
        fault('NOT_FOUND'),
      );
    });

    test('of 16 who ask for one name at once, exactly one gets it', async () => {
      const asked = await Promise.allSettled(
        Array.from({ length: 16 }, () => register({ username: 'wanted' })),
      );
      const got = asked.filter(({ status }) => status === 'fulfilled');
      expect(got).toHaveLength(1);
      for (const answer of asked) {
        if (answer.status === 'rejected')
          expect(answer.reason).toEqual(fault('FAILED_PRECONDITION'));
      }
    });

    test('the form of everything is checked, in code points', async () => {
      const wrong: Partial<Parameters<Users['register']>[0]>[] = [
        ...['ab', 'a'.repeat(33), 'ann marie', 'ann-marie', 'änn', '\u212Aelvin', '', 'ab\n'].map(
          (username) => ({ username }),
        ),
        ...['1234567', 'x'.repeat(257), 'halfapair\ud83d'].map((password) => ({ password })),
        ...['', 'x'.repeat(65), '\udc00', 'a\0b'].map((displayName) => ({ displayName })),
      ];
      for (const input of wrong) {
        await expect(register(input), JSON.stringify(input)).rejects.toEqual(
          fault('INVALID_ARGUMENT'),
        );
      }
      expect(await accounts.users.byUsername('default', 'somebody')).toBeNull();
      const edge = await register({
        username: 'z'.repeat(32),
        password: '🧧'.repeat(256),
        displayName: '🧧'.repeat(64),
      });
      expect(edge.displayName).toBe('🧧'.repeat(64));
      expect(await authenticate('z'.repeat(32), '🧧'.repeat(256))).toEqual(edge);
      expect(await register({ username: 'a.b', password: '🧧'.repeat(8) })).toMatchObject({});
    });

    test('an id that is taken is drawn again', async () => {
      const slot = slotOfKey('default', 'unlucky_x');
      const twice = accounts.ids.next(slot);
      const draws = [twice, accounts.ids.next(slot)];
      class Stuck extends IdSource {
        override next() {
          return draws.shift() ?? super.next(slot);
        }
      }
      await accounts.shards.of(twice).prisma.user.createMany({
        data: [
          {
            id: twice,
            appId: Buffer.from('x'),
            username: Buffer.from('x'),
            displayName: 'x',
            passwordHash: 'x',
            createdAtMs: 0n,
          },
        ],
      });
      const users = new Users({
        shards: accounts.shards,
        clock: accounts.clock,
        ids: new Stuck({ clock: accounts.clock }),
        apps: new Apps(['default']),
        passwords: new Passwords({ cost: cheapPasswords }),
      });
      const user = await users.register({
        appId: 'default',
        username: 'unlucky_x',
        password: 'correct horse',
        displayName: null,
      });
      expect(user.id).not.toBe(twice);
      expect(draws).toEqual([]);
    });

    test('signing in says UNAUTHENTICATED, whatever is wrong', async () => {
      await register({ username: 'dora' });
      for (const [username, password, appId] of [
        ['dora', 'wrong password', 'default'],
        ['dora', 'Correct horse', 'default'],
        ['dora', '', 'default'],
        ['dora', 'correct horse', 'nowhere'],
        ['nobody', 'correct horse', 'default'],
        ['no such name!', 'correct horse', 'default'],
      ] as const) {
        await expect(authenticate(username, password, appId)).rejects.toEqual(
          fault('UNAUTHENTICATED'),
        );
      }
      await expect(authenticate('dora', '\ud800')).rejects.toEqual(fault('INVALID_ARGUMENT'));
      await expect(authenticate('\ud800', 'x')).rejects.toEqual(fault('INVALID_ARGUMENT'));
    });

    test('signing in compares a password also where there is nobody', async () => {
      const passwords = new Passwords({ cost: cheapPasswords });
      const matches = vi.spyOn(passwords, 'matches');
      const { shards, ids, clock } = accounts;
      const users = new Users({ shards, ids, clock, apps: new Apps(['default']), passwords });
      for (const [username, appId] of [
        ['nobody', 'default'],
        ['no such name!', 'default'],
        ['nobody', 'nowhere'],
      ] as const) {
        matches.mockClear();
        await expect(users.authenticate({ appId, username, password: 'x' })).rejects.toEqual(
          fault('UNAUTHENTICATED'),
        );
        expect(matches.mock.calls).toEqual([['x', null]]);
      }
    });

    test('byIds answers those that exist, over all shards; an unknown one is passed over', async () => {
      const some = await Promise.all(Array.from({ length: 12 }, () => accounts.newUser()));
      const ids = some.map(({ id }) => id);
      const found = await accounts.users.byIds([...ids, ...ids, 1024n, 5n]);
      expect(found).toEqual(new Map(some.map((user) => [user.id, user])));
      expect(await accounts.users.byIds([])).toEqual(new Map());
      expect(await accounts.users.byUsername('default', 'no one')).toBeNull();
    });

    test('updateProfile changes the display name, and to the same one as well', async () => {
      const { id, username } = await accounts.newUser();
      for (const displayName of ['Eve', 'Eve', ' e\u0301 \n\ufeff ']) {
        const changed = await accounts.users.updateProfile(id, { displayName });
        expect(changed).toMatchObject({ id, username, displayName });
      }
      await expect(accounts.users.updateProfile(id, { displayName: '' })).rejects.toEqual(
        fault('INVALID_ARGUMENT'),
      );
    });
  });
}
