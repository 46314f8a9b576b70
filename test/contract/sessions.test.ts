import { readFile, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { newKey } from '../../src/domain/session/key-ring.ts';
import type { Platform, SessionEnd, Sessions, SignIn } from '../../src/domain/session/session.ts';
import { openAccounts, storages, type Accounts } from '../support/accounts.ts';
import type { User } from '../../src/domain/user/user.ts';
import { slotOf } from '../../src/lib/id.ts';
import { limits } from '../../src/limits.ts';

const fault = (code: string) => expect.objectContaining({ name: 'Fault', code });
const device = (id: string, platform: Platform = 'OTHER', name: string | null = null) => ({
  id,
  name,
  platform,
});
const idsOf = (sessions: readonly { id: bigint }[]) => sessions.map(({ id }) => id).sort();

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`sessions on ${storage.name}`, () => {
    let accounts: Accounts;
    let sessions: Sessions;
    beforeAll(async () => {
      accounts = await openAccounts(storage);
      sessions = accounts.sessions;
    });
    afterAll(() => accounts?.[Symbol.asyncDispose]());

    const signIn = async (user: User, platform: Platform = 'OTHER', id = `d-${platform}`) =>
      sessions.open(user, device(id, platform));
    const liveOne = async (viewer: SignIn['viewer'], id: bigint) =>
      (await sessions.live(viewer)).find((session) => session.id === id);
    const liveIds = async ({ viewer }: SignIn) => idsOf(await sessions.live(viewer));

    describe('signing in', () => {
      test('gives a session, its viewer and tokens that work', async () => {
        const user = await accounts.newUser();
        const { session, viewer, ...rest } = await sessions.open(
          user,
          device('phone 🧧', 'IOS', 'Ann’s phone'),
        );
        expect(session).toEqual({
          id: expect.any(BigInt),
          userId: user.id,
          deviceId: 'phone 🧧',
          deviceName: 'Ann’s phone',
          platform: 'IOS',
          createdAtMs: accounts.clock.now(),
          lastSeenAtMs: accounts.clock.now(),
        });
        expect(slotOf(session.id)).toBe(slotOf(user.id));
        expect(rest.accessTokenExpiresAtMs).toBe(accounts.clock.now() + 900_000);
        expect(rest.displaced).toEqual([]);
        expect(viewer).toEqual({
          userId: user.id,
          sessionId: session.id,
          appId: 'default',
          expiresAtMs: rest.accessTokenExpiresAtMs,
        });
        expect(await sessions.verify(rest.accessToken)).toEqual({ ok: true, viewer });
        expect(await sessions.live(viewer)).toEqual([session]);
      });

      test('a device id and name have 1 to 128 characters', async () => {
        const user = await accounts.newUser();
        for (const wrong of [
          device(''),
          device('x'.repeat(129)),
          device('\ud800'),
          device('x', 'WEB', ''),
          device('x', 'WEB', 'x'.repeat(129)),
        ]) {
          await expect(sessions.open(user, wrong)).rejects.toEqual(fault('INVALID_ARGUMENT'));
        }
        const longest = device('🧧'.repeat(128), 'WEB', '🧧'.repeat(128));
        const { session } = await sessions.open(user, longest);
        expect(session).toMatchObject({ deviceId: longest.id, deviceName: longest.name });
      });

      test('displaces by platform class: IOS with ANDROID, the others each by itself', async () => {
        const user = await accounts.newUser();
        const ios = await signIn(user, 'IOS');
        const web = await signIn(user, 'WEB');
        const desktop = await signIn(user, 'DESKTOP');
        const other = await signIn(user, 'OTHER');
        expect([ios, web, desktop, other].flatMap(({ displaced }) => displaced)).toEqual([]);
        const android = await signIn(user, 'ANDROID');
        expect(android.displaced).toEqual([ios.session]);
        const web2 = await signIn(user, 'WEB', 'another browser');
        expect(web2.displaced).toEqual([web.session]);
        expect(await liveIds(android)).toEqual(
          idsOf([desktop.session, other.session, android.session, web2.session]),
        );
        expect(sessions.isEnded(ios.session.id)).toBe('DISPLACED');
        expect(await sessions.verify(ios.accessToken)).toEqual({ ok: false, why: 'ENDED' });
        expect(await sessions.verify(desktop.accessToken)).toMatchObject({ ok: true });
      });

      test('replaces the session on the same device, whatever its platform was', async () => {
        const user = await accounts.newUser();
        const before = await signIn(user, 'WEB', 'one and the same');
        const after = await signIn(user, 'DESKTOP', 'one and the same');
        expect(after.displaced).toEqual([before.session]);
        expect(await liveIds(after)).toEqual([after.session.id]);
      });

      test('a device id is its user’s own, and bytes: x, X and "x " are three', async () => {
        const [ann, bob] = [await accounts.newUser(), await accounts.newUser()];
        const unlimited = await accounts.node({ policy: 'unlimited' });
        const signIns: SignIn[] = [];
        for (const id of ['x', 'X', 'x ']) {
          signIns.push(await unlimited.open(ann, device(id)));
          signIns.push(await unlimited.open(bob, device(id)));
        }
        expect(signIns.flatMap(({ displaced }) => displaced)).toEqual([]);
      });

      test('policy single displaces all, unlimited only the same device', async () => {
        const user = await accounts.newUser();
        const unlimited = await accounts.node({ policy: 'unlimited' });
        const single = await accounts.node({ policy: 'single' });
        const one = await unlimited.open(user, device('one', 'IOS'));
        const two = await unlimited.open(user, device('two', 'IOS'));
        expect(two.displaced).toEqual([]);
        const again = await unlimited.open(user, device('one', 'IOS'));
        expect(again.displaced).toEqual([one.session]);
        const last = await single.open(user, device('three', 'WEB'));
        expect(idsOf(last.displaced)).toEqual(idsOf([two.session, again.session]));
        expect(await liveIds(last)).toEqual([last.session.id]);
      });

      test('of more than a user may have, the oldest makes room', async () => {
        const user = await accounts.newUser();
        const unlimited = await accounts.node({ policy: 'unlimited' });
        const signIns: SignIn[] = [];
        for (let n = 0; n < limits.sessionsPerUserMax; n += 1) {
          signIns.push(await unlimited.open(user, device(`device ${n}`)));
        }
        expect(signIns.flatMap(({ displaced }) => displaced)).toEqual([]);
        const [oldest] = signIns;
        const again = await unlimited.open(user, device('device 7'));
        expect(idsOf(again.displaced)).toEqual([signIns[7]?.session.id]);
        const last = await unlimited.open(user, device('one more'));
        expect(idsOf(last.displaced)).toEqual([oldest?.session.id]);
        expect(await liveIds(last)).toHaveLength(limits.sessionsPerUserMax);
      });

      test('of 16 sign-ins of one class at once, on two nodes, exactly one lives', async () => {
        const user = await accounts.newUser();
        const second = await accounts.node();
        const ends: SessionEnd[] = [];
        const stop = sessions.onEnded((end) => {
          if (end.userId === user.id) ends.push(end);
        });
        const signIns = await Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            (index % 2 ? sessions : second).open(
              user,
              device(`phone ${index}`, index % 3 ? 'IOS' : 'ANDROID'),
            ),
          ),
        );
        const displaced = signIns.flatMap((one) => one.displaced).map(({ id }) => id);
        const live = await liveIds(signIns[0]!);
        expect(live).toHaveLength(1);
        expect(displaced).toHaveLength(15);
        expect(new Set([...displaced, ...live])).toEqual(
          new Set(signIns.map(({ session }) => session.id)),
        );
        await vi.waitFor(
          () => expect(new Set(ends.map(({ sessionId }) => sessionId))).toEqual(new Set(displaced)),
          5_000,
        );
        expect(ends).toHaveLength(15);
        stop();
      });

      test('several users sign in at once without waiting for each other for ever', async () => {
        const users = await Promise.all(Array.from({ length: 8 }, () => accounts.newUser()));
        const signIns = await Promise.all(users.flatMap((user) => [signIn(user), signIn(user)]));
        for (const user of users) {
          const own = signIns.filter(({ session }) => session.userId === user.id);
          expect(await liveIds(own[0]!)).toHaveLength(1);
        }
      });
    });

    describe('refreshing', () => {
      test('rotates, gives a new access token, and lets the earlier one live on', async () => {
        const first = await signIn(await accounts.newUser());
        accounts.clock.advance(10_000);
        const second = await sessions.refresh(first.refreshToken);
        expect(second.refreshToken).not.toBe(first.refreshToken);
        expect(second.session).toEqual({
          ...first.session,
          lastSeenAtMs: accounts.clock.now(),
        });
        expect(second.displaced).toEqual([]);
        expect(second.accessTokenExpiresAtMs).toBe(first.accessTokenExpiresAtMs + 10_000);
        for (const { accessToken, viewer } of [first, second]) {
          expect(await sessions.verify(accessToken)).toEqual({ ok: true, viewer });
        }
      });

      test('a lost answer: the spent token gives the same successor, for 60 s', async () => {
        const { refreshToken } = await signIn(await accounts.newUser());
        const successor = await sessions.refresh(refreshToken);
        for (const ms of [0, 30_000, 30_000]) {
          accounts.clock.advance(ms);
          const again = await sessions.refresh(refreshToken);
          expect(again.refreshToken).toBe(successor.refreshToken);
          expect(await sessions.verify(again.accessToken)).toMatchObject({ ok: true });
        }
        accounts.clock.advance(1);
        await expect(sessions.refresh(refreshToken)).rejects.toEqual(fault('UNAUTHENTICATED'));
        expect(sessions.isEnded(successor.session.id)).toBe('THEFT');
        expect(await sessions.verify(successor.accessToken)).toEqual({ ok: false, why: 'ENDED' });
        await expect(sessions.refresh(successor.refreshToken)).rejects.toEqual(
          fault('UNAUTHENTICATED'),
        );
      });

      test('32 who ask at once, on two nodes, get one and the same successor', async () => {
        const { refreshToken, viewer } = await signIn(await accounts.newUser());
        const second = await accounts.node();
        const answers = await Promise.all(
          Array.from({ length: 32 }, (_, index) =>
            (index % 2 ? sessions : second).refresh(refreshToken),
          ),
        );
        expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
        expect(await sessions.refresh(answers[0]!.refreshToken)).toMatchObject({
          viewer: { sessionId: viewer.sessionId },
        });
      });

      test('a spent token whose successor has been presented revokes the session', async () => {
        const first = await signIn(await accounts.newUser());
        const second = await sessions.refresh(first.refreshToken);
        const third = await sessions.refresh(second.refreshToken);
        const ends: SessionEnd[] = [];
        const stop = sessions.onEnded((end) => ends.push(end));
        await expect(sessions.refresh(first.refreshToken)).rejects.toEqual(
          fault('UNAUTHENTICATED'),
        );
        stop();
        const { id: sessionId, userId } = first.session;
        expect(ends).toEqual([{ sessionId, userId, reason: 'THEFT' }]);
        for (const { accessToken, refreshToken } of [first, second, third]) {
          expect(await sessions.verify(accessToken)).toEqual({ ok: false, why: 'ENDED' });
          await expect(sessions.refresh(refreshToken)).rejects.toEqual(fault('UNAUTHENTICATED'));
        }
        expect(await sessions.live(first.viewer)).toEqual([]);
      });

      test('one presented in a race with its successor’s use revokes, or meets its grace', async () => {
        for (let round = 0; round < 8; round += 1) {
          const first = await signIn(await accounts.newUser());
          const second = await sessions.refresh(first.refreshToken);
          const [used, again] = await Promise.allSettled([
            sessions.refresh(second.refreshToken),
            sessions.refresh(first.refreshToken),
          ]);
          if (again.status === 'fulfilled') {
            expect(again.value.refreshToken).toBe(second.refreshToken);
            expect(used.status).toBe('fulfilled');
          } else {
            expect(sessions.isEnded(first.session.id)).toBe('THEFT');
          }
        }
      });

      test('a forged token fails and revokes nothing', async () => {
        const { refreshToken, session, accessToken } = await signIn(await accounts.newUser());
        const [version, kid, id, generation, mac] = refreshToken.split('.');
        const flipped = `${mac!.startsWith('A') ? 'B' : 'A'}${mac!.slice(1)}`;
        for (const forged of [
          '',
          'nonsense',
          accessToken,
          `${refreshToken} `,
          [version, kid, id, generation, flipped].join('.'),
          [version, kid, id, '2', mac].join('.'),
          [version, kid, BigInt(id!) + 1024n, generation, mac].join('.'),
          [version, 'other', id, generation, mac].join('.'),
          [version, kid, id, generation].join('.'),
        ]) {
          await expect(sessions.refresh(forged), forged).rejects.toEqual(fault('UNAUTHENTICATED'));
        }
        expect(sessions.isEnded(session.id)).toBeNull();
        await sessions.refresh(refreshToken);
      });

      test('the tokens of an ended session are refused, and its reason stays', async () => {
        const { refreshToken, viewer } = await signIn(await accounts.newUser());
        await sessions.end(viewer, null);
        await expect(sessions.refresh(refreshToken)).rejects.toEqual(fault('UNAUTHENTICATED'));
        expect(sessions.isEnded(viewer.sessionId)).toBe('LOGGED_OUT');
      });
    });

    describe('ending', () => {
      test('logout ends this session, or another of one’s own, and no one else’s', async () => {
        const user = await accounts.newUser();
        const web = await signIn(user, 'WEB');
        const ios = await signIn(user, 'IOS');
        const stranger = await signIn(await accounts.newUser());
        await expect(sessions.end(stranger.viewer, ios.session.id)).rejects.toEqual(
          fault('NOT_FOUND'),
        );
        expect(await liveOne(stranger.viewer, ios.session.id)).toBeUndefined();
        expect(await sessions.end(web.viewer, ios.session.id)).toEqual(ios.session);
        expect(await sessions.verify(ios.accessToken)).toEqual({ ok: false, why: 'ENDED' });
        await expect(sessions.end(web.viewer, ios.session.id)).rejects.toEqual(fault('NOT_FOUND'));
        expect(await liveOne(web.viewer, ios.session.id)).toBeUndefined();
        expect(await sessions.end(web.viewer, null)).toEqual(web.session);
        await expect(sessions.end(web.viewer, null)).rejects.toEqual(fault('UNAUTHENTICATED'));
        expect(await sessions.verify(stranger.accessToken)).toMatchObject({ ok: true });
      });

      test('logout answers first, then tells; a displacement is told before it answers', async () => {
        const user = await accounts.newUser();
        const order: string[] = [];
        const stop = sessions.onEnded(({ reason }) => order.push(reason));
        await signIn(user);
        const { viewer } = await signIn(user);
        order.push('signed in');
        await sessions.end(viewer, null);
        expect(sessions.isEnded(viewer.sessionId)).toBe('LOGGED_OUT');
        await Promise.resolve();
        order.push('answered');
        await new Promise((resolve) => setImmediate(resolve));
        stop();
        expect(order).toEqual(['DISPLACED', 'signed in', 'answered', 'LOGGED_OUT']);
      });

      test('of several who end one session, one is answered, and it is told once', async () => {
        const { viewer } = await signIn(await accounts.newUser());
        const ends: SessionEnd[] = [];
        const stop = sessions.onEnded((end) => ends.push(end));
        const tries = await Promise.allSettled(
          Array.from({ length: 8 }, () => sessions.end(viewer, null)),
        );
        await new Promise((resolve) => setImmediate(resolve));
        stop();
        expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(ends).toHaveLength(1);
      });

      test('an end on another node is known within 2 s, and at once by a node that starts', async () => {
        const user = await accounts.newUser();
        const second = await accounts.node();
        const out = await signIn(user, 'WEB');
        const displaced = await signIn(user, 'IOS');
        const ends: SessionEnd[] = [];
        second.onEnded((end) => ends.push(end));
        const before = performance.now();
        await sessions.end(out.viewer, null);
        await signIn(user, 'ANDROID');
        await vi.waitFor(() => expect(ends).toHaveLength(2), { timeout: 5_000, interval: 20 });
        expect(performance.now() - before).toBeLessThan(2_000);
        expect(ends).toContainEqual({
          sessionId: out.session.id,
          userId: user.id,
          reason: 'LOGGED_OUT',
        });
        expect(await second.verify(displaced.accessToken)).toEqual({ ok: false, why: 'ENDED' });
        await sleep(1_500);
        expect(ends, 'told once').toHaveLength(2);
        const third = await accounts.node();
        expect(third.isEnded(out.session.id)).toBe('LOGGED_OUT');
        expect(third.isEnded(displaced.session.id)).toBe('DISPLACED');
      });

      test('one whose tokens have all run out is forgotten, and they are EXPIRED', async () => {
        const { viewer, accessToken } = await signIn(await accounts.newUser());
        await sessions.end(viewer, null);
        accounts.clock.advance(900_000);
        expect(await sessions.verify(accessToken)).toEqual({ ok: false, why: 'EXPIRED' });
        expect(sessions.isEnded(viewer.sessionId)).toBe('LOGGED_OUT');
        accounts.clock.advance(60_001);
        await vi.waitFor(() => expect(sessions.isEnded(viewer.sessionId)).toBeNull(), 5_000);
      });
    });

    test('live answers the latest sign-in first, those of this user alone', async () => {
      const user = await accounts.newUser();
      const opened: bigint[] = [];
      for (const platform of ['WEB', 'IOS', 'DESKTOP', 'OTHER'] as const) {
        opened.unshift((await signIn(user, platform)).session.id);
        accounts.clock.advance(platform === 'IOS' ? 0 : 5);
      }
      await signIn(await accounts.newUser());
      const { viewer } = await signIn(user, 'WEB');
      const live = await sessions.live(viewer);
      expect(live.map(({ id }) => id)).toEqual([viewer.sessionId, ...opened.slice(0, 3)]);
    });

    test('lastSeenAt is written in batches, at most once a minute, and by stop', async () => {
      const node = await accounts.node();
      const { viewer, session } = await node.open(await accounts.newUser(), device('seen'));
      const lastSeen = async () => (await liveOne(viewer, session.id))?.lastSeenAtMs;
      accounts.clock.advance(120_000);
      node.touch(viewer);
      node.touch(viewer);
      expect(await lastSeen()).toBe(session.createdAtMs);
      await node.stop(0);
      const seenAtMs = accounts.clock.now();
      expect(await lastSeen()).toBe(seenAtMs);
      await node.start();
      accounts.clock.advance(59_999);
      node.touch(viewer);
      await node.stop(0);
      expect(await lastSeen()).toBe(seenAtMs);
      await node.start();
      accounts.clock.advance(1);
      node.touch(viewer);
      await node.stop(0);
      expect(await lastSeen()).toBe(seenAtMs + 60_000);
    });

    test('lastSeen of users is that of their latest session, ended ones included', async () => {
      const [ann, bob, none] = [
        await accounts.newUser(),
        await accounts.newUser(),
        await accounts.newUser(),
      ];
      const bobAtMs = accounts.clock.now();
      await signIn(bob);
      await signIn(ann, 'IOS');
      accounts.clock.advance(5_000);
      const annAtMs = accounts.clock.now();
      await sessions.end((await signIn(ann, 'WEB')).viewer, null);
      expect(await sessions.lastSeen([ann.id, bob.id, none.id, ann.id])).toEqual(
        new Map([
          [ann.id, annAtMs],
          [bob.id, bobAtMs],
        ]),
      );
    });

    test('the keys are made once, for their owner alone, and a new first key logs nobody out', async () => {
      const { keyPath } = accounts;
      expect((await stat(keyPath)).mode & 0o777).toBe(0o600);
      const before = await signIn(await accounts.newUser());
      const after = await accounts.node();
      expect(await after.verify(before.accessToken)).toMatchObject({ ok: true });
      const set = JSON.parse(await readFile(keyPath, 'utf8')) as { keys: object[] };
      const rotatedPath = `${keyPath}.rotated`;
      await writeFile(rotatedPath, JSON.stringify({ keys: [await newKey(), ...set.keys] }));
      const rotated = await accounts.node({ keys: { path: rotatedPath, isMadeIfMissing: false } });
      expect(await rotated.verify(before.accessToken)).toMatchObject({ ok: true });
      const next = await rotated.refresh(before.refreshToken);
      expect(await rotated.verify(next.accessToken)).toMatchObject({ ok: true });
      await rotated.refresh(next.refreshToken);
      // It really signs with the new key: who has only the old one knows nothing of it.
      expect(await sessions.verify(next.accessToken)).toEqual({ ok: false, why: 'FORGED' });
      await expect(sessions.refresh(next.refreshToken)).rejects.toEqual(fault('UNAUTHENTICATED'));
      expect(sessions.isEnded(before.session.id)).toBeNull();
    });
  });
}
