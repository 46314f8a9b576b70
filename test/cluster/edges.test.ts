import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  LogoutDocument,
  PresenceDocument,
  SetTypingDocument,
  TypingDocument,
} from '../../client/generated/documents.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { removeMember } from '../support/chat.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { briefsOf, edit, follow, groupOf, range, send } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();

describe.skipIf(!isHere)('what one node commits, at the edge of another', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let nodes: Nodes;
  let ann: TestUser;
  let bob: TestUser;
  let id: string;

  beforeAll(async () => {
    bundle = await bundleServer();
    redis = await startRedis();
    nodes = await Nodes.start({ redisUrls: [redis.url], count: 2, main: bundle.main });
    ann = await signUp(nodes.at(0), 'ann');
    bob = await signUp(nodes.at(1), 'bob');
    id = await groupOf(ann, bob);
  });

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  it('followers hear messages and changes of both nodes once, in order', async () => {
    const followed = await follow(bob, id);
    await followed.until(() => briefsOf(followed).length > 0, 'the beginning');
    const first = Number(/\d+/.exec(briefsOf(followed)[0] ?? '')?.[0]);
    for (const index of range(1, 20)) await send(index % 3 === 0 ? bob : ann, id, `${index}`);
    await edit(ann, id, first + 1, 'changed');
    const last = `changed ${first + 1}@1`;
    await followed.until(() => briefsOf(followed).includes(last), last, 20_000);
    const added = range(first + 1, first + 20).map((seq) => `added ${seq}`);
    expect(briefsOf(followed).slice(1)).toEqual([...added, last]);
    followed.stop();
  }, 60_000);

  it('typing and presence are seen, those who type already too', async () => {
    await ann.socket();
    await ann.query(SetTypingDocument, { conversationId: id, isTyping: true });
    const socket = await bob.socket();
    const typing = socket.subscribe(TypingDocument, { conversationId: id });
    await typing.until(() => typing.events.length > 0, 'typing', 20_000);
    expect(typing.events[0]?.typing.isTyping).toBe(true);
    const presence = socket.subscribe(PresenceDocument, { userIds: [ann.id] });
    await presence.until(() => presence.events.length > 0, 'presence', 20_000);
    expect(presence.events[0]?.presence.isOnline).toBe(true);
    await ann[Symbol.asyncDispose]();
    await presence.until(() => presence.events.length > 1, 'the leaving', 30_000);
    expect(presence.events[1]?.presence.isOnline).toBe(false);
  }, 90_000);

  it('a removal ends what is followed, and the end of a session its sockets', async () => {
    const followed = await follow(bob, id);
    await followed.until(() => briefsOf(followed).length > 0, 'the beginning');
    await removeMember(ann, id, bob);
    await followed.waitForEnd();
    expect(followed.end).toBe('complete');
    const socket = await bob.socket();
    const elsewhere = Object.assign(Object.create(bob) as TestUser, { server: nodes.at(0) });
    const beganMs = Date.now();
    await elsewhere.query(LogoutDocument, {});
    const { code } = await socket.closed;
    expect(code).toBe(4601);
    // The shards alone would tell within 1 s; a busy machine is late.
    console.log(`closed ${Date.now() - beganMs} ms after the logout was asked for`);
  }, 60_000);
});
