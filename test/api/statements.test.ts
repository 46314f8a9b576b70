import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ColdStartDocument, ConversationListDocument } from '../../client/generated/documents.ts';
import {
  addMembers,
  createGroup,
  engines,
  historyOf,
  newKey,
  openChat,
  say,
  type Chat,
} from '../support/chat.ts';
import { limits } from '../../src/limits.ts';
import { claim, credit, giveAway, serverKeys } from '../support/money.ts';
import { post, type TestUser } from '../support/clients.ts';
import { recordStatements, type Statements } from '../support/statements.ts';

/** What the nodes do by themselves, and after a commit for those who listen. */
const background =
  /OutboxRow|Untold|Underway|ToldRead|InboxHead|InboxEntry|Watermark|ShardFact|Session|FROM RedPacket WHERE state/;

describe.each(engines())('statements on %s', (engine) => {
  const shards = engine === 'sqlite' ? 1 : 2;
  let chat: Chat;
  let statements: Statements;
  beforeAll(async () => {
    chat = await openChat(engine, { serverKeys, apps: ['default', 'other'] });
    statements = recordStatements();
  });
  afterAll(async () => {
    statements?.[Symbol.dispose]();
    await chat?.[Symbol.asyncDispose]();
  });

  const takeForeground = (): string[] => statements.take().filter((text) => !background.test(text));

  /** The statements that an operation needs, sorted, without those of the background. */
  async function during(work: () => Promise<unknown>, quietMs = 300): Promise<string[]> {
    // What was written before has been told.
    do {
      statements.take();
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    } while (takeForeground().length > 0);
    await work();
    return takeForeground();
  }

  /** The same, without the ends of what the background wrote. */
  const readDuring = async (work: () => Promise<unknown>, quietMs?: number): Promise<string[]> =>
    (await during(work, quietMs)).filter((text) => text !== 'COMMIT');

  /** A red packet's state is told in the conversation up to so long after a claim. */
  const packetsToldMs = 2 * limits.redPacketCoalesceMs + 500;

  /** One who is in so many groups and direct conversations, each with a last message of another. */
  async function busyUser(conversations: number): Promise<TestUser> {
    const [user, ...others] = await chat.people(6);
    for (let index = 0; index < conversations; index += 5) {
      await Promise.all(
        others.map(async (other) => say(other, await createGroup(other, [user]), 'hello')),
      );
    }
    return user;
  }

  test('a list costs the same for five conversations and for fifty', async () => {
    const [few, many] = [await busyUser(5), await busyUser(50)];
    const list = (user: TestUser) => user.query(ConversationListDocument, { first: 50 });
    expect((await list(many)).viewer.conversations.edges).toHaveLength(50);
    const [forFew, forMany] = [await during(() => list(few)), await during(() => list(many))];
    // A shard: the memberships with their heads and last messages, the unread total, the senders; and the viewer.
    expect(forMany.length, forMany.join('\n')).toBeLessThanOrEqual(3 * shards + 1);
    expect(forFew.length).toBeLessThanOrEqual(forMany.length);
    expect(new Set(forFew)).toEqual(new Set(forMany));

    const start = (user: TestUser) => user.query(ColdStartDocument, { first: 50 });
    const [coldFew, coldMany] = [await during(() => start(few)), await during(() => start(many))];
    expect(coldMany.length, coldMany.join('\n')).toBeLessThanOrEqual(3 * shards + 1);
    expect(new Set(coldFew)).toEqual(new Set(coldMany));
  });

  test('a page of history is one statement, and one more where other things are asked of the conversation', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await createGroup(ann, [bob]);
    for (let index = 0; index < 20; index += 1) await say(ann, id);
    const document = `query ($id: ID!) { conversation(id: $id) {
      messages(last: 20) { edges { cursor node { id seq createdAt sender { id } content { __typename } } }
      pageInfo { hasNextPage hasPreviousPage } } } }`;
    const { accessToken } = bob.auth;
    const found = await during(() => post(chat.server, document, { id }, accessToken));
    expect(found, found.join('\n')).toHaveLength(1);
    const titled = document.replace('messages', 'title messages');
    const both = await during(() => post(chat.server, titled, { id }, accessToken));
    expect(both, both.join('\n')).toHaveLength(2);
    // Senders, those whom system messages name, and readers: one more a shard, whatever the number of messages.
    const whole = await during(() => historyOf(bob, id, 20));
    expect(whole.length, whole.join('\n')).toBeLessThanOrEqual(2 + shards);
  });

  test('a page of red packets with claims costs three more statements, a wallet three, whatever is in them', async () => {
    const [ann, bob] = await chat.people(2);
    await credit(chat.server, ann, 10_000);
    const id = await createGroup(ann, [bob]);
    const ids: string[] = [];
    const document = `query ($id: ID!) { conversation(id: $id) { messages(last: 20) { edges { node { seq
      content { ... on RedPacketContent { redPacket { id state claimedTotal claims { amount isBest } myClaim { amount } } } } } } } } }`;
    const { accessToken } = bob.auth;
    const page = () =>
      readDuring(() => post(chat.server, document, { id }, accessToken), packetsToldMs);
    ids.push(await giveAway(ann, id, { total: 10, count: 2 }));
    await claim(bob, ids[0] ?? '');
    const one = await page();
    for (let index = 0; index < 6; index += 1) {
      ids.push(await giveAway(ann, id, { total: 10, count: 2 }));
      await claim(bob, ids.at(-1) ?? '');
    }
    const many = await page();
    // The page; the packets, their claims, the viewer's own.
    expect(many, many.join('\n')).toHaveLength(4);
    expect(many.length).toBe(one.length);
    const wallet = `{ viewer { wallet { balance entries { edges { node { amount redPacket { id } } } } } } }`;
    const read = await readDuring(() => post(chat.server, wallet, {}, accessToken), packetsToldMs);
    expect(read, read.join('\n')).toHaveLength(3);
  });

  test('who comes too late to a red packet costs no statement', async () => {
    const people = await chat.people(4);
    await credit(chat.server, people[0], 100);
    const id = await createGroup(people[0], people.slice(1));
    const packet = await giveAway(people[0], id, { total: 10, count: 1 });
    const [winner, ...losers] = people;
    for (const user of [winner, ...losers]) await claim(user, packet);
    const late = await readDuring(
      () => Promise.all(losers.map((user) => claim(user, packet))),
      packetsToldMs,
    );
    // What the answer shows of users is read for it.
    expect(late.filter((text) => !/ FROM User /.test(text))).toEqual([]);
  });

  test('a send is one transaction, and nothing is read after it', async () => {
    const [ann, bob] = await chat.people(2);
    const id = await createGroup(ann, [bob]);
    const document = `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { isDuplicate message {
      id seq clientMessageId createdAt changeSeq replyToSeq sender { id } conversation { id }
      content { ... on TextContent { text } } } } }`;
    const input = {
      conversationId: id,
      clientMessageId: newKey(),
      content: { text: { text: 'x' } },
    };
    await new Promise((resolve) => setTimeout(resolve, 300));
    statements.take();
    const { data } = await post(chat.server, document, { input }, ann.auth.accessToken);
    const texts = statements.take();
    expect(data).toMatchObject({ sendMessage: { message: { seq: 2, sender: { id: ann.id } } } });
    const place = texts.findIndex((text) => text.startsWith('INSERT INTO Message '));
    const committed = texts.indexOf('COMMIT', place);
    expect(committed).toBeGreaterThan(place);
    const before = texts.slice(0, committed).filter((text) => !background.test(text));
    // Locks the head, reads the member; writes the head, the message, the member's position (and the outbox row).
    expect(before, before.join('\n')).toHaveLength(5);
    const after = texts.slice(committed + 1).filter((text) => !background.test(text));
    expect(after.filter((text) => /FROM (User|Message)\b|JOIN Conversation/.test(text))).toEqual(
      [],
    );
  });

  test('adding many members costs the same as adding two', async () => {
    const people = await chat.people(14);
    const id = await createGroup(people[0], []);
    const two = await during(() => addMembers(people[0], id, people.slice(1, 3)));
    const many = await during(() => addMembers(people[0], id, people.slice(3)));
    expect(new Set(many.filter((text) => text !== 'COMMIT'))).toEqual(
      new Set(two.filter((text) => text !== 'COMMIT')),
    );
  });
});
