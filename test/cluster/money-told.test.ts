import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CreditWalletDocument, RemoveMemberDocument } from '../../client/generated/documents.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { codeOf } from '../support/chat.ts';
import { ask, signUp, type TestUser } from '../support/clients.ts';
import { brief, groupOf, inboxOf, openInbox, range } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { claim, giveAway } from '../support/money.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { pause } from '../kill/random.ts';

const isHere = mariadbAvailable() && redisAvailable();
const serverKey = 'key-of-the-default-app-0123456789';

describe.skipIf(!isHere)('money that moves on one node, at the edge of another', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let nodes: Nodes;
  let people: TestUser[];
  let group: string;

  beforeAll(async () => {
    bundle = await bundleServer();
    redis = await startRedis();
    nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 2, main: bundle.main },
      env: { SERVER_KEYS: `default:${serverKey}` },
    });
    people = await Promise.all(
      range(0, 7).map((index) => signUp(nodes.at(index % 2), `owner_${index}`)),
    );
    const [ann, ...others] = people as [TestUser];
    group = await groupOf(ann, ...others);
    const input = { userId: ann.id, amount: 100_000, key: 'k', reason: 'to begin with' };
    await ask(nodes.at(1), CreditWalletDocument, { input }, serverKey);
  });

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  it('the state of a packet is told once a second at most, by whichever node, and the last one always', async () => {
    const [ann, bob] = people as [TestUser, TestUser];
    const inbox = await openInbox(bob);
    const id = await giveAway(ann, group, { total: 8_000, count: 8 });
    for (const user of people) {
      expect(await claim(user, id)).toMatchObject({ status: 'CLAIMED' });
      await pause(350);
    }
    const states = () =>
      inboxOf(inbox).flatMap((event) => {
        if (event.__typename !== 'MessageChanged') return [];
        const { content } = event.message;
        if (content.__typename !== 'RedPacketContent') return [];
        return [{ at: Date.parse(event.at), state: content.redPacket.state }];
      });
    await inbox.until(() => states().at(-1)?.state === 'EXHAUSTED', 'the last state', 20_000);
    // Longer than a state that is told again would take.
    await pause(2_500);
    const times = states().map(({ at }) => at);
    for (const [index, at] of times.entries()) {
      // Each is told at most a moment later than a node took it upon itself.
      if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThan(700);
    }
    expect(
      inboxOf(inbox)
        .map(brief)
        .filter((text) => text.startsWith('wallet')),
    ).toHaveLength(1);
  }, 120_000);

  it('who comes too late is answered on every node, and who was removed on none', async () => {
    const [ann, bob, cem, dan] = people as [TestUser, TestUser, TestUser, TestUser];
    const id = await giveAway(ann, group, { total: 10, count: 1 });
    await claim(bob, id);
    for (const user of [cem, dan, cem, dan]) {
      expect(await claim(user, id)).toMatchObject({ status: 'EXHAUSTED', claim: null });
    }
    expect(await claim(bob, id)).toMatchObject({ status: 'ALREADY_CLAIMED', creditPending: false });
    const input = { conversationId: group, userId: dan.id };
    await ann.query(RemoveMemberDocument, { input });
    for (const _time of [1, 2]) expect(await codeOf(claim(dan, id))).toBe('NOT_FOUND');
  }, 120_000);
});
