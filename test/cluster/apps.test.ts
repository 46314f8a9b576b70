import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AddMembersDocument,
  ConversationDocument,
  CreditWalletDocument,
  PresenceDocument,
  RegisterDocument,
} from '../../client/generated/documents.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { ask, post, TestFault, TestUser } from '../support/clients.ts';
import { groupOf, pause, send } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { sendPacket, serverKeys } from '../support/money.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();

describe.skipIf(!isHere)('two apps on two nodes', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let nodes: Nodes;
  /** Of one app and of the other, by the same name, and at different nodes. */
  let ann: TestUser, otherAnn: TestUser;
  let bob: TestUser, otherBob: TestUser;

  beforeAll(async () => {
    bundle = await bundleServer();
    redis = await startRedis();
    nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 2, main: bundle.main },
      env: {
        APPS: 'default,other',
        RED_PACKET_APPS: 'other:10/2/60',
        SERVER_KEYS: serverKeys.map(({ appId, secret }) => `${appId}:${secret}`).join(),
      },
    });
    [ann, bob] = [await register(0, 'ann', 'default'), await register(1, 'bob', 'default')];
    [otherAnn, otherBob] = [await register(1, 'ann', 'other'), await register(0, 'bob', 'other')];
  }, 120_000);

  afterAll(async () => {
    for (const user of [ann, bob, otherAnn, otherBob]) await user?.[Symbol.asyncDispose]();
    await nodes?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  async function register(at: number, username: string, appId: string): Promise<TestUser> {
    const device = { id: `${appId} ${username}`, platform: 'WEB' as const };
    const input = { appId, username, password: 'correct horse', device };
    const { register: auth } = await ask(nodes.at(at), RegisterDocument, { input });
    return new TestUser(nodes.at(at), auth);
  }

  async function found(by: TestUser, username: string): Promise<string | undefined> {
    const query = 'query ($username: String!) { user(username: $username) { id } }';
    const { data } = await post<{ user: { id: string } | null }, object>(
      by.server,
      query,
      { username },
      by.auth.accessToken,
    );
    return data?.user?.id;
  }

  it('a name is of one app, and finds nobody of the other', async () => {
    expect(new Set([ann.id, otherAnn.id]).size).toBe(2);
    expect(await found(ann, 'bob')).toBe(bob.id);
    expect(await found(otherAnn, 'bob')).toBe(otherBob.id);
    await register(0, 'eve', 'default');
    expect(await found(otherAnn, 'eve')).toBeUndefined();
    expect(await codeOf(register(0, 'ann', 'nowhere'))).toBe('NOT_FOUND');
  });

  it('nobody comes into a conversation with one of the other app, by whatever id', async () => {
    expect(await codeOf(ann.directWith(otherBob))).toBe('NOT_FOUND');
    expect(await codeOf(groupOf(ann, bob, otherBob))).toBe('NOT_FOUND');
    const id = await groupOf(ann, bob);
    const input = { conversationId: id, userIds: [otherAnn.id] };
    expect(await codeOf(ann.query(AddMembersDocument, { input }))).toBe('NOT_FOUND');
    await send(ann, id, 'hello');
    expect((await otherAnn.query(ConversationDocument, { id })).conversation).toBeNull();
    expect(await codeOf(send(otherAnn, id, 'hello'))).toBe('NOT_FOUND');
    const presence = (await otherAnn.socket()).subscribe(PresenceDocument, {
      userIds: [ann.id, otherAnn.id],
    });
    await presence.until(() => presence.events.length > 0, 'the own state', 20_000);
    await ann.socket();
    await pause(1_000);
    expect(presence.events.map(({ presence: { user } }) => user.id)).toEqual([otherAnn.id]);
    presence.stop();
  }, 60_000);

  it("an app's server credits its own users, and packets are as its own rules say", async () => {
    const credit = (user: TestUser, by: number, key: string) => {
      const input = { userId: user.id, amount: 1_000, key, reason: 'for a test' };
      const secret = serverKeys[by]?.secret;
      return ask(nodes.at(by), CreditWalletDocument, { input }, secret);
    };
    await credit(ann, 0, 'k');
    await credit(otherAnn, 1, 'k');
    expect(await codeOf(credit(ann, 1, 'l'))).toBe('NOT_FOUND');
    expect(await codeOf(credit(otherAnn, 0, 'l'))).toBe('NOT_FOUND');

    const [id, otherId] = [await groupOf(ann, bob), await groupOf(otherAnn, otherBob)];
    await sendPacket(ann, id, { kind: 'EQUAL', total: 60, count: 3 });
    await sendPacket(otherAnn, otherId, { kind: 'EQUAL', total: 20, count: 2 });
    for (const packet of [
      { kind: 'EQUAL' as const, total: 22, count: 2 },
      { kind: 'EQUAL' as const, total: 30, count: 3 },
    ]) {
      expect(await codeOf(sendPacket(otherAnn, otherId, packet))).toBe('INVALID_ARGUMENT');
      await sendPacket(ann, id, packet);
    }
  }, 60_000);
});

async function codeOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => 'done',
    (error: unknown) => (error instanceof TestFault ? error.code : error),
  );
}
