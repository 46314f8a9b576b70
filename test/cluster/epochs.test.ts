import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, TestUser } from '../support/clients.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import {
  addedSeqs,
  briefs,
  cursorAt,
  groupOf,
  openInbox,
  range,
  send,
  type InboxRecording,
} from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();

describe.skipIf(!isHere)('two nodes, and a Redis that forgets', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let nodes: Nodes;
  let ann: TestUser;
  let bob: TestUser;
  let names = 0;

  beforeAll(async () => {
    bundle = await bundleServer();
    redis = await startRedis();
    nodes = await Nodes.start({ redisUrls: [redis.url], count: 2, main: bundle.main });
  });

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  /** One user on each node. */
  async function pair(): Promise<void> {
    names += 1;
    ann = await signUp(nodes.at(0), `ann_${names}`);
    bob = await signUp(nodes.at(1), `bob_${names}`);
  }

  async function sees(recording: InboxRecording, seq: number): Promise<void> {
    await recording.until(() => addedSeqs(recording).includes(seq), `message ${seq}`, 20_000);
  }

  it('what one node is told a subscriber of the other hears, once, in order, and goes on anywhere', async () => {
    await pair();
    const ofBob = await openInbox(bob);
    const id = await groupOf(ann, bob);
    for (const seq of range(2, 30)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
    await sees(ofBob, 30);
    expect(addedSeqs(ofBob)).toEqual(range(1, 30));
    const cursor = cursorAt(ofBob, 9);
    const seen = addedSeqs(ofBob).at(-1) ?? 0;
    ofBob.stop();
    await send(ann, id, '31');
    const again = await openInbox(new TestUser(nodes.at(0), bob.auth), cursor);
    await sees(again, 31);
    expect(addedSeqs(again).at(-1)).toBe(seen + 1);
    expect(addedSeqs(again)).toEqual(range(addedSeqs(again)[0] ?? 0, 31));
    again.stop();
  }, 60_000);

  it.each([
    ['emptied', () => flush(redis)],
    [
      'started again, empty',
      async () => {
        await redis.kill9();
        await redis.start();
      },
    ],
  ])(
    'a Redis that is %s resets open inboxes at once, and all goes on',
    async (_how, forget) => {
      await pair();
      const id = await groupOf(ann, bob);
      const inboxes = [await openInbox(ann), await openInbox(bob)];
      await send(ann, id, 'before');
      for (const inbox of inboxes) await sees(inbox, 2);
      await forget();
      for (const inbox of inboxes) {
        await inbox.until(() => briefs(inbox).includes('reset'), 'the reset', 20_000);
      }
      const resetAt = inboxes.map((inbox) => briefs(inbox).lastIndexOf('reset'));
      for (const seq of range(3, 12)) await send(seq % 2 === 0 ? ann : bob, id, `${seq}`);
      for (const [index, inbox] of inboxes.entries()) {
        await sees(inbox, 12);
        const after = briefs(inbox).slice((resetAt[index] ?? 0) + 1);
        const seqs = after
          .filter((text) => text.startsWith('added'))
          .map((text) => text.split(' ')[1]);
        // Once each, in order; what was sent before may be told again.
        expect(seqs.slice(-10)).toEqual(range(3, 12).map(String));
        expect(new Set(seqs).size).toBe(seqs.length);
        expect(briefs(inbox).filter((text) => text === 'reset')).toHaveLength(1);
        inbox.stop();
      }
    },
    60_000,
  );

  it('an old cursor meets a reset after Redis was emptied, on any node', async () => {
    await pair();
    const id = await groupOf(ann, bob);
    const inbox = await openInbox(bob);
    await send(ann, id, 'before');
    await sees(inbox, 2);
    const cursor = cursorAt(inbox, inbox.events.length - 1);
    inbox.stop();
    await flush(redis);
    await send(ann, id, 'after');
    const again = await openInbox(bob, cursor);
    await again.until(() => briefs(again).includes('heartbeat'), 'the end of the replay', 20_000);
    expect(briefs(again)[0]).toBe('reset');
    again.stop();
  }, 60_000);
});

async function flush({ port }: TestRedis): Promise<void> {
  const client = new Redis(port);
  await client.flushall();
  client.disconnect();
}
