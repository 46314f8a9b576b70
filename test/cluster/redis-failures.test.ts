import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeIdOf } from '../../src/resolvers/global-id.ts';
import { slotOf } from '../../src/lib/id.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { historyOf } from '../support/chat.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  briefs,
  groupOf,
  openInbox,
  pause,
  range,
  send,
  type InboxRecording,
} from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis } from '../support/redis.ts';
import { startWatched } from '../support/sentinel.ts';

const isHere = mariadbAvailable() && redisAvailable();
const waitMs = 90_000;

describe.skipIf(!isHere)('two nodes, and what becomes of their Redis', () => {
  let bundle: Bundle;

  beforeAll(async () => {
    bundle = await bundleServer();
  });

  afterAll(async () => {
    await bundle?.[Symbol.asyncDispose]();
  });

  async function sees(recording: InboxRecording, seq: number): Promise<void> {
    await recording.until(() => addedSeqs(recording).includes(seq), `message ${seq}`, waitMs);
  }

  async function isReset(recording: InboxRecording): Promise<void> {
    await recording.until(() => briefs(recording).includes('reset'), 'the reset', waitMs);
  }

  /** Of what was told since the last reset, what was added: once each, in order, without a hole. */
  function addedAfterReset(recording: InboxRecording): number[] {
    const all = briefs(recording);
    return all
      .slice(all.lastIndexOf('reset') + 1)
      .flatMap((text) => (text.startsWith('added') ? [Number(text.split(' ')[1])] : []));
  }

  it('of two Redis one is lost with all it has: its users alone are reset, the others see nothing of it', async () => {
    const all = [await startRedis(), await startRedis()];
    const redisUrls = all.map(({ url }) => url);
    const nodes = await Nodes.start({ redisUrls, count: 2, main: bundle.main });
    try {
      const users = [
        ...(await Promise.all(range(1, 6).map((one) => signUp(nodes.at(0), `ann_${one}`)))),
        ...(await Promise.all(range(1, 6).map((one) => signUp(nodes.at(1), `bob_${one}`)))),
      ];
      const [first, ...others] = users as [TestUser, ...TestUser[]];
      const id = await groupOf(first, ...others);
      const inboxes = await Promise.all(users.map((user) => openInbox(user)));
      const inboxesAt = (place: number) => inboxes.filter((_, at) => placeOf(users[at]) === place);
      expect([0, 1].map((place) => inboxesAt(place).length > 0)).toEqual([true, true]);
      await send(first, id, 'before');
      for (const inbox of inboxes) await sees(inbox, 2);

      await all[1]?.kill9();
      for (const seq of range(3, 12)) await send(users[seq % 12] ?? first, id, `${seq}`);
      for (const inbox of inboxesAt(0)) await sees(inbox, 12);
      for (const node of nodes.all) {
        const answer = await fetch(`${node.url}/ready`);
        expect(answer.status).toBe(200);
        expect(await answer.json()).toEqual({ status: 'degraded', redisAway: [1] });
      }
      await all[1]?.start();
      for (const inbox of inboxesAt(1)) await isReset(inbox);
      for (const seq of range(13, 22)) await send(users[seq % 12] ?? first, id, `${seq}`);
      for (const inbox of inboxes) await sees(inbox, 22);
      for (const inbox of inboxesAt(0)) {
        expect(briefs(inbox)).not.toContain('reset');
        expect(addedSeqs(inbox)).toEqual(range(addedSeqs(inbox)[0] ?? 0, 22));
      }
      for (const inbox of inboxesAt(1)) {
        const added = addedAfterReset(inbox);
        expect(added).toEqual(range(added[0] ?? 0, 22));
        expect(added[0]).toBeLessThanOrEqual(13);
      }
      const [node] = nodes.all;
      expect(await (await fetch(`${node?.url}/ready`)).json()).toEqual({ status: 'ready' });
      for (const inbox of inboxes) inbox.stop();
    } finally {
      await nodes[Symbol.asyncDispose]();
      await Promise.all(all.map((redis) => redis.stop()));
    }
  }, 400_000);

  it('a primary dies and sentinels promote a replica that lacks its last writes, and that one dies in turn: inboxes are reset each time, and nothing is lost', async () => {
    await using watched = await startWatched();
    await using nodes = await Nodes.start({
      redisUrls: [watched.url],
      count: 2,
      main: bundle.main,
    });
    const ann = await signUp(nodes.at(0), 'ann');
    const bob = await signUp(nodes.at(1), 'bob');
    const id = await groupOf(ann, bob);
    const inboxes = [await openInbox(ann), await openInbox(bob)];
    for (const seq of range(2, 6)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    for (const inbox of inboxes) await sees(inbox, 6);
    // What it does not hear of now it will lack.
    watched.replica.pause();
    for (const seq of range(7, 10)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    for (const inbox of inboxes) await sees(inbox, 10);
    await watched.primary.kill9();
    watched.replica.resume();
    // Nobody waits for it.
    for (const seq of range(11, 20)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    await expect.poll(() => watched.named(), { timeout: waitMs }).toBe('replica');
    for (const inbox of inboxes) await isReset(inbox);
    for (const seq of range(21, 30)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    for (const inbox of inboxes) {
      await sees(inbox, 30);
      const added = addedAfterReset(inbox);
      expect(added).toEqual(range(added[0] ?? 0, 30));
      expect(added[0]).toBeLessThanOrEqual(21);
      expect(briefs(inbox).filter((text) => text === 'reset')).toHaveLength(1);
    }

    // The old one comes back, as a replica of the new one: nobody notices.
    await watched.primary.start();
    await pause(4_000);
    const { length } = inboxes.map(addedSeqs).flat();
    for (const seq of range(31, 33)) await send(ann, id, `${seq}`);
    for (const inbox of inboxes) await sees(inbox, 33);
    expect(inboxes.map(addedSeqs).flat()).toHaveLength(length + 6);

    // And it is the primary once more: what it had in its first life does not come back.
    await expect.poll(() => watched.follows(), { timeout: waitMs }).toBe(true);
    await watched.replica.kill9();
    for (const seq of range(34, 38)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    await expect.poll(() => watched.named(), { timeout: waitMs }).toBe('primary');
    for (const inbox of inboxes) {
      const isAgain = () => briefs(inbox).filter((text) => text === 'reset').length === 2;
      await inbox.until(isAgain, 'the second reset', waitMs);
    }
    for (const seq of range(39, 45)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    for (const inbox of inboxes) {
      await sees(inbox, 45);
      const added = addedAfterReset(inbox);
      expect(added).toEqual(range(added[0] ?? 0, 45));
      expect(added[0]).toBeLessThanOrEqual(39);
    }
    const seqs = (await historyOf(bob, id)).map(({ seq }) => seq);
    expect(seqs).toEqual(range(1, 45));
    for (const inbox of inboxes) inbox.stop();
  }, 400_000);
});

/** The place in REDIS_URLS of the one that has this user's inbox. */
function placeOf(user: TestUser | undefined): number {
  return slotOf(decodeIdOf('User', user?.id ?? '') ?? 0n) % 2;
}
