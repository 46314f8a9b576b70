import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SendMessageDocument } from '../../client/generated/documents.ts';
import { present } from '../../src/lib/assert.ts';
import { slotOf } from '../../src/lib/id.ts';
import { decodeIdOf } from '../../src/resolvers/global-id.ts';
import { evenSlotMap, shardOfSlots } from '../../src/storage/slot-map.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { post, signUp, type TestUser } from '../support/clients.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { inboxOf, openInbox, pause, range, toldGroupOf } from '../support/live.ts';
import type { InboxRecording } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();

/** A row is taken over when it is 3 s old, by who looks every second; the rest is for a machine that does other things. */
const takenOverWithinMs = 15_000;
/** How long a node is stopped: longer than a draft waits for a head, a lease holds, and a relay is patient. */
const stoppedMs = 8_000;
/** Far less than a draft waits for a head that another node holds, which is 5 s. */
const undisturbedMs = 3_000;
const redirect = new URL('../chaos/redirect.mjs', import.meta.url).href;
const shardOf = (id: string): number | undefined =>
  shardOfSlots(evenSlotMap(2), 2)[slotOf(present(decodeIdOf('Conversation', id), 'an id'))];

describe.skipIf(!isHere)('what a node leaves behind', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let nodes: Nodes;
  let ann: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    bundle = await bundleServer();
    redis = await startRedis();
  });

  afterEach(async () => {
    for (const user of [ann, bob]) await user?.[Symbol.asyncDispose]();
    await nodes?.[Symbol.asyncDispose]();
  });

  afterAll(async () => {
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  /** The first node does nothing but what the test asks it for; ann is at the second, bob at the third. */
  async function begin(firstNode: Readonly<Record<string, string>>): Promise<void> {
    nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 3, main: bundle.main },
      envOf: (index) => (index === 0 ? firstNode : {}),
    });
    ann = await signUp(nodes.at(1), 'ann');
    bob = await signUp(nodes.at(2), 'bob');
  }

  /** What ann sends over a node: its seq, or null where she is told to try again. */
  async function sendAt(at: number, conversationId: string, text: string): Promise<number | null> {
    const input = { conversationId, clientMessageId: text, content: { text: { text } } };
    const token = ann.auth.accessToken;
    const { data, errors } = await post(nodes.at(at), SendMessageDocument, { input }, token);
    for (const { extensions } of errors ?? []) expect(extensions?.['retryable']).toBe(true);
    return data?.sendMessage.message.seq ?? null;
  }

  async function sendUntilTaken(at: number, id: string, text: string): Promise<number> {
    for (;;) {
      const seq = await sendAt(at, id, text);
      if (seq !== null) return seq;
    }
  }

  it('rows of a node that is killed are with their members within seconds', async () => {
    await using link = await FaultProxy.start(redis.port);
    await begin({
      NODE_OPTIONS: `--import=${redirect}`,
      REDIRECT_PORT: `${redis.port}:${link.port}`,
    });
    const [quiet, busy] = [await toldGroupOf(ann, bob), await toldGroupOf(ann, bob)];
    const inbox = await openInbox(bob);
    // It commits, and takes nothing to anybody's log.
    link.cut();
    for (const index of range(1, 5)) {
      for (const id of [quiet, busy]) {
        expect(await sendAt(0, id, `left ${index} in ${id}`)).toBe(index + 1);
      }
    }
    expect(seqsOf(inbox, quiet)).toEqual([]);
    const killedMs = Date.now();
    await nodes.at(0).kill9();
    // Who goes on there finds what is missing before.
    expect(await sendAt(1, busy, 'after')).toBe(7);
    await inbox.until(() => seqsOf(inbox, busy).includes(7), 'what goes on', takenOverWithinMs);
    const busyMs = Date.now() - killedMs;
    await inbox.until(() => seqsOf(inbox, quiet).includes(6), 'what was left', takenOverWithinMs);
    const quietMs = Date.now() - killedMs;
    console.log(
      `rows of a killed node were taken over after ${quietMs} ms; where another one wrote, after ${busyMs} ms`,
    );
    await pause(1_500);
    expect(seqsOf(inbox, busy)).toEqual(range(2, 7));
    expect(seqsOf(inbox, quiet)).toEqual(range(2, 6));
  }, 180_000);

  it('a node that stands still in the midst of a transaction stalls its conversations only', async () => {
    await begin({ FAILPOINTS: 'stop:before-commit' });
    const held = await toldGroupOf(ann, bob);
    let free = await toldGroupOf(ann, bob);
    while (shardOf(free) !== shardOf(held)) free = await toldGroupOf(ann, bob);
    const inbox = await openInbox(bob);
    const pid = present(nodes.at(0).pid, 'it runs');
    // It is answered when the node goes on.
    const first = sendAt(0, held, 'first');
    first.catch(() => undefined);
    await expect.poll(() => isStopped(pid), { timeout: 20_000 }).toBe(true);
    const stoppedAtMs = Date.now();
    const second = sendAt(1, held, 'second');

    const took: number[] = [];
    let sent = 0;
    while (Date.now() - stoppedAtMs < stoppedMs) {
      const beganMs = Date.now();
      expect(await sendAt(1 + (sent % 2), free, `free ${sent}`)).toBe(sent + 2);
      sent += 1;
      await inbox.until(() => seqsOf(inbox, free).length === sent, 'one of them', undisturbedMs);
      took.push(Date.now() - beganMs);
      await pause(100);
    }
    took.sort((a, b) => a - b);
    console.log(
      `beside a held conversation ${sent} messages were with their reader after ${took[sent >> 1]} ms, the slowest after ${took.at(-1)} ms`,
    );
    expect(sent).toBeGreaterThan(10);
    expect(took.at(-1)).toBeLessThan(undisturbedMs);
    expect(await second).toBeNull();
    expect(seqsOf(inbox, held)).toEqual([]);

    process.kill(pid, 'SIGCONT');
    expect(await first).toBe(2);
    expect(await sendUntilTaken(1, held, 'second')).toBe(3);
    // Again, over each node: what is known by its key.
    for (const at of [0, 1, 2]) expect(await sendAt(at, held, 'first')).toBe(2);
    await inbox.until(() => seqsOf(inbox, held).length >= 2, 'both', takenOverWithinMs);
    await pause(5_000);
    expect(seqsOf(inbox, held)).toEqual([2, 3]);
    expect(seqsOf(inbox, free)).toEqual(range(2, sent + 1));
  }, 180_000);

  it('what it held goes on when it dies in that state', async () => {
    await begin({ FAILPOINTS: 'stop:before-commit' });
    const held = await toldGroupOf(ann, bob);
    const inbox = await openInbox(bob);
    const pid = present(nodes.at(0).pid, 'it runs');
    const lost = sendAt(0, held, 'first').catch(() => null);
    await expect.poll(() => isStopped(pid), { timeout: 20_000 }).toBe(true);
    const second = sendAt(1, held, 'second');
    await pause(1_000);
    await nodes.at(0).kill9();
    expect(await lost).toBeNull();
    // It had not committed: the one who waited comes first.
    expect(await second).toBe(2);
    expect(await sendUntilTaken(2, held, 'first')).toBe(3);
    await inbox.until(() => seqsOf(inbox, held).length >= 2, 'both', takenOverWithinMs);
    expect(seqsOf(inbox, held)).toEqual([2, 3]);
  }, 180_000);
});

/** Whether a process stands still. */
function isStopped(pid: number): boolean {
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Of one conversation, the seqs of the messages that were told as new. */
function seqsOf(inbox: InboxRecording, id: string): number[] {
  return inboxOf(inbox).flatMap((event) =>
    event.__typename === 'MessageAdded' && event.message.conversation.id === id
      ? [event.message.seq]
      : [],
  );
}
