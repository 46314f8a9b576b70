import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EndedSessions } from '../../src/domain/session/ended-sessions.ts';
import type { SessionEnd, SignIn } from '../../src/domain/session/session.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { Shard } from '../../src/storage/shards.ts';
import { openAccounts, StillClock, storages, type Accounts } from '../support/accounts.ts';

const day = 86_400_000;
const log = createLogger({ level: 'silent' });
const untilPolled = { timeout: 5_000, interval: 20 };

for (const storage of storages) {
  describe.skipIf(!storage.isHere())(`ended sessions on ${storage.name}`, () => {
    let accounts: Accounts;
    beforeEach(async () => {
      accounts = await openAccounts(storage);
    });
    afterEach(() => accounts?.[Symbol.asyncDispose]());

    const signIn = async () =>
      accounts.sessions.open(await accounts.newUser(), { id: 'd', name: null, platform: 'WEB' });
    /** All rows that are there, over all shards. */
    const rowIds = async () => {
      const ids = accounts.shards.all.map(({ prisma }) => prisma.session.findMany());
      return new Set((await Promise.all(ids)).flat().map(({ id }) => id));
    };

    test('verify asks no database', async () => {
      const [live, over] = [await signIn(), await signIn()];
      await accounts.sessions.end(over.viewer, null);
      await accounts.shards.stop(0);
      expect(await accounts.sessions.verify(live.accessToken)).toMatchObject({ ok: true });
      expect(await accounts.sessions.verify(over.accessToken)).toEqual({ ok: false, why: 'ENDED' });
    });

    /** As another node has them, cut off from the shards that `broken` names. */
    const openCuttable = async (broken: ReadonlySet<number>) => {
      const { clock, shards } = accounts;
      const all = shards.all.map((shard): Shard => {
        const { sql } = shard;
        return {
          ...shard,
          sql: {
            dialect: sql.dialect,
            execute: (text, params) => sql.execute(text, params),
            transaction: (work) => sql.transaction(work),
            query: (text, params) =>
              broken.has(shard.index) ? Promise.reject(new Error('cut')) : sql.query(text, params),
          },
        };
      });
      const ended = new EndedSessions({
        shards: { all, of: (id) => all[shards.of(id).index]! },
        clock,
        log,
        accessTokenTtlMs: 900_000,
      });
      await ended.start();
      return ended;
    };

    test('what ended while a shard did not answer is told once it does, the other shards go on', async () => {
      const broken = new Set<number>();
      const ended = await openCuttable(broken);
      const told: SessionEnd[] = [];
      ended.onEnded((end) => told.push(end));
      try {
        broken.add(0);
        const signIns = await Promise.all(Array.from({ length: 12 }, signIn));
        for (const { viewer } of signIns) await accounts.sessions.end(viewer, null);
        const isCut = ({ session }: SignIn) => accounts.shards.of(session.id).index === 0;
        const reached = signIns.filter((one) => !isCut(one)).length;
        expect(reached).toBeLessThan(12);
        await vi.waitFor(() => expect(told).toHaveLength(reached), untilPolled);
        // Longer than the overlap: what counts is when the shard last answered.
        accounts.clock.advance(300_000);
        await sleep(1_200);
        expect(told).toHaveLength(reached);
        broken.clear();
        await vi.waitFor(() => expect(told).toHaveLength(12), untilPolled);
      } finally {
        await ended.stop();
      }
    });

    test('a clock that was set back meanwhile hides no end', async () => {
      const broken = new Set<number>();
      const ended = await openCuttable(broken);
      try {
        for (const { index } of accounts.shards.all) broken.add(index);
        const { viewer } = await signIn();
        accounts.clock.advance(-3_600_000);
        await accounts.sessions.end(viewer, null);
        accounts.clock.advance(60_000);
        await sleep(1_200);
        expect(ended.reasonOf(viewer.sessionId)).toBeNull();
        broken.clear();
        await vi.waitFor(
          () => expect(ended.reasonOf(viewer.sessionId)).not.toBeNull(),
          untilPolled,
        );
      } finally {
        await ended.stop();
      }
    });

    describe('what a node ends whose clock is wrong, and cannot announce', () => {
      const seen = (end: SignIn) =>
        vi.waitFor(
          () => expect(accounts.sessions.isEnded(end.viewer.sessionId)).toBe('LOGGED_OUT'),
          untilPolled,
        );
      const nodeOff = (ms: number) =>
        accounts.node({ clock: new StillClock(accounts.clock.now() + ms) });

      test.each([-300_000, 300_000])('is known of elsewhere: off by %i ms', async (offMs) => {
        const wrong = await nodeOff(offMs);
        const [first, second, third] = [await signIn(), await signIn(), await signIn()];
        await wrong.end(first.viewer, null);
        await seen(first);
        await accounts.sessions.end(second.viewer, null);
        accounts.clock.advance(60_000);
        await sleep(2_200);
        await wrong.end(third.viewer, null);
        await seen(third);
      });

      test('is known of, also where its commit comes after that of a later one', async () => {
        const [first, late, other] = [await signIn(), await signIn(), await signIn()];
        await accounts.sessions.end(first.viewer, null);
        const afterFirst = accounts.clock.now() + 1;
        accounts.clock.advance(60_000);
        await accounts.sessions.end(other.viewer, null);
        await sleep(2_200);
        const { sql } = accounts.shards.of(late.session.id);
        const end = 'UPDATE Session SET endedAtMs = ?, endReason = 0 WHERE id = ?';
        await sql.execute(end, [afterFirst, late.session.id]);
        await seen(late);
      });
    });

    test('an end is told once, however long nothing else ends', async () => {
      const told: SessionEnd[] = [];
      const other = await accounts.node();
      other.onEnded((end) => told.push(end));
      await accounts.sessions.end((await signIn()).viewer, null);
      await vi.waitFor(() => expect(told).toHaveLength(1), untilPolled);
      accounts.clock.advance(2_000_000);
      await sleep(3_200);
      expect(told).toHaveLength(1);
    });

    test('rows of ended sessions go after 7 days, those of live ones stay', async () => {
      const [live, over, later] = [await signIn(), await signIn(), await signIn()];
      await accounts.sessions.end(over.viewer, null);
      accounts.clock.advance(2 * day);
      await accounts.sessions.end(later.viewer, null);
      accounts.clock.advance(5 * day + 1);
      await vi.waitFor(async () => {
        expect(await rowIds()).toEqual(new Set([live.session.id, later.session.id]));
      }, untilPolled);
      await accounts.sessions.refresh(live.refreshToken);
      await expect(accounts.sessions.refresh(over.refreshToken)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    });

    test('a listener that throws keeps nothing from the others, and one that left hears no more', async () => {
      const told: string[] = [];
      accounts.sessions.onEnded(() => {
        throw new Error('planted');
      });
      const leave = accounts.sessions.onEnded(() => told.push('left'));
      accounts.sessions.onEnded(() => told.push('stayed'));
      const { viewer } = await signIn();
      leave();
      await accounts.sessions.end(viewer, null);
      await vi.waitFor(() => expect(told).toEqual(['stayed']));
    });
  });
}
