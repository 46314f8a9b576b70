import path from 'node:path';
import { Redis } from 'ioredis';
import { createConnection, type Connection } from 'mariadb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysIn, seedPeople, type Person } from '../../bench/servers/people.ts';
import {
  AddMembersDocument,
  ConversationDocument,
  HistoryDocument,
  LeaveGroupDocument,
  MembersDocument,
  MessageChangesDocument,
  RemoveMemberDocument,
  SetMemberRoleDocument,
} from '../../client/generated/documents.ts';
import { memberColumns, roleCodes } from '../../src/domain/timeline/rows.ts';
import { groupKey } from '../../src/domain/timeline/timeline.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { IdSource } from '../../src/lib/id.ts';
import { utf8 } from '../../src/lib/text.ts';
import { limits } from '../../src/limits.ts';
import { decodeIdOf, encodeId } from '../../src/resolvers/global-id.ts';
import { Shards } from '../../src/storage/shards.ts';
import { rowMarks } from '../../src/storage/sql.ts';
import { redisListOf } from '../../src/lib/redis-address.ts';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  brief,
  briefs,
  briefsOf,
  edit,
  follow,
  headOf,
  inboxOf,
  markRead,
  openInbox,
  pause,
  pull,
  range,
  send,
  toldGroupOf,
} from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { startMariadb, type TestMariadb } from '../support/mariadb.ts';
import { Nodes } from '../support/nodes.ts';
import { temporaryFolder } from '../support/sql-engines.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();
const memberCount = 10_000;
/** A page of any kind reads no more rows than that: what it holds, with whom, and what nodes read by themselves meanwhile. */
const rowsPerPageMax = 1_500;

describe.skipIf(!isHere)('large groups on three nodes', () => {
  let bundle: Bundle;
  let redis: TestRedis;
  let mariadb: TestMariadb;
  let nodes: Nodes;
  let status: Connection;
  let redisStatus: Redis;
  let users: TestUser[];
  let ann: TestUser, bob: TestUser, cat: TestUser;
  /** Of all of them and `memberCount` members in all; ann owns it. */
  let huge: string;

  beforeAll(async () => {
    bundle = await bundleServer();
    redis = await startRedis();
    // Its own, so that what is counted is what these nodes did.
    mariadb = await startMariadb();
    const databaseUrls = [await mariadb.createDatabase(), await mariadb.createDatabase()];
    nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 3, main: bundle.main, databaseUrls },
      env: { LARGE_GROUP_MEMBERS: '6' },
    });
    const names = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay', 'gus', 'hal'];
    users = await Promise.all(names.map((name, index) => signUp(nodes.at(index % 3), name)));
    [ann, bob, cat] = users as [TestUser, TestUser, TestUser];
    huge = await seedHuge(databaseUrls, redis.url, users);
    status = await createConnection({ host: '127.0.0.1', port: mariadb.port, user: 'root' });
    redisStatus = new Redis(redis.url);
  });

  afterAll(async () => {
    for (const user of users ?? []) await user[Symbol.asyncDispose]();
    redisStatus?.disconnect();
    await status?.end();
    await nodes?.[Symbol.asyncDispose]();
    await mariadb?.stop();
    await redis?.stop();
    await bundle?.[Symbol.asyncDispose]();
  });

  /** What some work costs: rows that both shards read and wrote, calls of commands that append or publish. */
  async function costOf(work: () => Promise<unknown>) {
    const before = { ...(await rows()), ...(await commands()) };
    await work();
    const after = { ...(await rows()), ...(await commands()) };
    const delta = (of: keyof typeof after): number => after[of] - before[of];
    return {
      read: delta('read'),
      inserted: delta('Handler_write'),
      updated: delta('Handler_update'),
      xadd: delta('xadd'),
      publish: delta('publish'),
      scripts: delta('evalsha'),
    };
  }

  async function rows() {
    // MariaDB's word, or MySQL's.
    const names = ['Rows_read', 'Innodb_rows_read', 'Handler_write', 'Handler_update'];
    const found = await status.query<{ Variable_name: string; Value: string }[]>(
      'SHOW GLOBAL STATUS WHERE Variable_name IN (?)',
      [names],
    );
    const of = new Map(found.map(({ Variable_name, Value }) => [Variable_name, Number(Value)]));
    return {
      read: of.get('Rows_read') ?? of.get('Innodb_rows_read') ?? NaN,
      Handler_write: of.get('Handler_write') ?? NaN,
      Handler_update: of.get('Handler_update') ?? NaN,
    };
  }

  async function commands() {
    const text = await redisStatus.info('commandstats');
    const callsOf = (name: string): number =>
      Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { xadd: callsOf('xadd'), publish: callsOf('publish'), evalsha: callsOf('evalsha') };
  }

  it('a message costs the same whatever their size, and nothing for each member', async () => {
    const messages = 50;
    const inboxes = await Promise.all(users.slice(0, 3).map((user) => openInbox(user)));
    await send(ann, huge, 'warm');
    await pause(1_500);
    const idle = await costOf(() => pause(2_000));
    const cost = await costOf(async () => {
      for (const index of range(1, messages)) await send(ann, huge, `one ${index}`);
      await pause(1_500);
    });
    console.log(`${messages} messages to ${memberCount}: ${JSON.stringify({ cost, idle })}`);
    // In the commit message and outbox row are new, head and sender's position are put in the place of what they were,
    // which counts as a write and an update each; afterwards the outbox row is done.
    expect(cost.inserted).toBeLessThanOrEqual(4 * messages + idle.inserted + 10);
    expect(cost.updated).toBeLessThanOrEqual(3 * messages + idle.updated + 10);
    expect(cost.read).toBeLessThan(20 * messages + 5 * idle.read);
    expect(cost.xadd).toBe(0);
    // News of the conversation, a watermark for each row: nothing by member, nothing by gate.
    expect(cost.publish).toBeLessThanOrEqual(2 * messages);
    expect(cost.scripts).toBeLessThanOrEqual(4 * messages + 5 * idle.scripts);
    const last = `advanced ${messages + 2}@0`;
    for (const inbox of inboxes) {
      await inbox.until(() => briefs(inbox).includes(last), last, 20_000);
      // Two thirds of a second each, at least: coalesced, whichever node committed them.
      expect(briefs(inbox).filter((text) => text.startsWith('advanced')).length).toBeLessThan(25);
      expect(addedSeqs(inbox)).toEqual([]);
      inbox.stop();
    }
  }, 120_000);

  it('unread, roles and read positions are exact, and nobody reads all members for them', async () => {
    const { conversation } = await bob.query(ConversationDocument, { id: huge });
    const { lastSeq = 0, memberCount: count, me } = conversation ?? {};
    expect(count).toBe(memberCount);
    expect(me?.unreadCount).toBe(lastSeq);
    const [bobs, cats] = [await openInbox(bob), await openInbox(cat)];
    // Each time until it is told, however busy the machine, and then for what else might be.
    const more = 500;
    const reading = await costOf(async () => {
      await markRead(bob, huge, 7);
      const again = await bob.query(ConversationDocument, { id: huge });
      expect(again.conversation?.me.unreadCount).toBe(lastSeq - 7);
      const read = `read ${bob.id} 7`;
      await bobs.until(() => briefs(bobs).includes(read), read, 20_000);
      await pause(more);
    });
    const giving = await costOf(async () => {
      const role = { conversationId: huge, userId: cat.id, role: 'ADMIN' as const };
      await ann.query(SetMemberRoleDocument, { input: role });
      await cats.until(() => briefs(cats).includes('conversation'), 'the role', 20_000);
      await pause(more);
    });
    console.log(JSON.stringify({ reading, giving }));
    for (const cost of [reading, giving]) {
      expect(cost.read).toBeLessThan(rowsPerPageMax);
      // To the reader alone, and to whom the role was given.
      expect(cost.xadd).toBe(1);
    }
    for (const inbox of [bobs, cats]) inbox.stop();
  }, 60_000);

  it('readers are counted exactly on every node, and looks at all members do not grow with messages or requests', async () => {
    const from = await send(ann, huge, 'to be read');
    for (const index of range(1, 20)) await send(ann, huge, `to be read ${index}`);
    const counts = async (user: TestUser): Promise<readonly number[]> => {
      const { conversation } = await user.query(HistoryDocument, {
        ...{ conversationId: huge, first: 21, after: String(from - 1) },
      });
      return (conversation?.messages.edges ?? []).map(({ node }) => node.readCount);
    };
    const upTo = (bobs: number, cats: number) =>
      range(0, 20).map((at) => Number(at < bobs) + Number(at < cats));
    const nodesOf = [ann, bob, cat];
    // What one node has answered counts in what any of them is asked next.
    for (let read = 1; read <= 10; read += 1) {
      await markRead(bob, huge, from + read - 1);
      for (const user of nodesOf) expect(await counts(user)).toEqual(upTo(read, read - 1));
      await markRead(cat, huge, from + read - 1);
      for (const user of nodesOf) expect(await counts(user)).toEqual(upTo(read, read));
    }

    const requests = 300;
    const began = performance.now();
    const cost = await costOf(async () => {
      const asked = range(1, requests).map((index) => counts(index % 2 ? ann : bob));
      for (const answer of await Promise.all(asked)) expect(answer).toEqual(upTo(10, 10));
    });
    const looksMax = 2 * (1 + (performance.now() - began) / limits.gatheredReadsApartMs);
    console.log(`${requests} pages of 21 counts: ${JSON.stringify({ cost, looksMax })}`);
    expect(cost.read).toBeLessThan(
      requests * 21 * 10 + rowsPerPageMax + looksMax * 1.1 * memberCount,
    );
  }, 180_000);

  it('members come in pages, each of which reads what it holds', async () => {
    const ids = new Set<string>();
    let after: string | null = null;
    let readMax = 0;
    for (let pages = 0; pages < memberCount / 200; pages += 1) {
      const from = after;
      const cost = await costOf(async () => {
        const variables = { conversationId: huge, first: 200, after: from };
        const { conversation } = await bob.query(MembersDocument, variables);
        for (const { node } of conversation?.members.edges ?? []) ids.add(node.user.id);
        after = conversation?.members.pageInfo.endCursor ?? null;
      });
      readMax = Math.max(readMax, cost.read);
    }
    console.log(`a page of 200 members reads ${readMax} rows at most`);
    expect(ids.size).toBe(memberCount);
    expect(readMax).toBeLessThan(rowsPerPageMax);
  }, 120_000);

  it('one follows it over another node, pulls what changed, and is told on resume that it moved', async () => {
    const from = await headOf(cat);
    const { conversation: before } = await bob.query(ConversationDocument, { id: huge });
    const [lastSeq, changeSeq] = [before?.lastSeq ?? 0, before?.changeSeq ?? 0];
    const followed = await follow(bob, huge, { afterSeq: lastSeq, afterChangeSeq: changeSeq });
    await followed.until(() => briefsOf(followed).length === 1, 'the beginning', 20_000);
    const cost = await costOf(async () => {
      for (const index of range(1, 5)) await send(ann, huge, `followed ${index}`);
      await edit(ann, huge, lastSeq + 2, 'changed');
      const last = `changed ${lastSeq + 2}@${changeSeq + 1}`;
      await followed.until(() => briefsOf(followed).includes(last), last, 20_000);
    });
    expect(cost.read).toBeLessThan(rowsPerPageMax);
    expect(briefsOf(followed).filter((text) => text.startsWith('added'))).toEqual(
      range(lastSeq + 1, lastSeq + 5).map((seq) => `added ${seq}`),
    );
    followed.stop();
    const variables = { conversationId: huge, after: changeSeq, first: 50 };
    const { conversation } = await cat.query(MessageChangesDocument, variables);
    expect(conversation?.messageChanges.messages.map(({ seq }) => seq)).toEqual([lastSeq + 2]);
    const notice = `advanced ${lastSeq + 5}@${changeSeq + 1}`;
    expect((await pull(cat, from)).events.map(brief)).toContain(notice);
    const resumed = await openInbox(cat, from);
    await resumed.until(() => briefs(resumed).includes(notice), notice, 20_000);
    resumed.stop();
  }, 120_000);

  it('an owner who leaves hands it over, and nobody reads all members for that', async () => {
    const leave = (user: TestUser) =>
      costOf(() => user.query(LeaveGroupDocument, { conversationId: huge }));
    const role = { conversationId: huge, userId: cat.id, role: 'ADMIN' as const };
    await ann.query(SetMemberRoleDocument, { input: role });
    const costs = [await leave(ann), await leave(cat)];
    console.log(`owners left: ${JSON.stringify(costs)}`);
    for (const { read } of costs) expect(read).toBeLessThan(rowsPerPageMax);
    const { conversation } = await bob.query(HistoryDocument, {
      ...{ conversationId: huge, last: 4 },
    });
    const told = (conversation?.messages.edges ?? []).map(({ node: { content } }) =>
      content.__typename === 'SystemContent' ? [content.event, content.actor?.id] : [],
    );
    expect(told).toEqual([
      ['LEFT', ann.id],
      ['ROLE_CHANGED', ann.id],
      ['LEFT', cat.id],
      ['ROLE_CHANGED', cat.id],
    ]);
  }, 60_000);

  it('loses and doubles nothing across the limit under load, whichever node does it', async () => {
    const [, , , dan, eve, fay, gus, hal] = users as Eight;
    const id = await toldGroupOf(ann, bob, cat, dan, eve, fay);
    const live = await openInbox(bob);
    let isOver = false;
    const sending = [ann, bob, cat].map(async (user) => {
      for (let sent = 0; !isOver; sent += 1) await send(user, id, `${user.id} ${sent}`);
    });
    const rounds = 3;
    for (let round = 0; round < rounds; round += 1) {
      const by = round % 2 === 0 ? ann : cat;
      const userIds = [gus.id, hal.id];
      await by.query(AddMembersDocument, { input: { conversationId: id, userIds } });
      await pause(200);
      for (const { id: userId } of [gus, hal, fay, eve]) {
        await ann.query(RemoveMemberDocument, { input: { conversationId: id, userId } });
      }
      const back = { conversationId: id, userIds: [eve.id, fay.id] };
      await cat.query(AddMembersDocument, { input: back });
      await pause(100);
    }
    isOver = true;
    await Promise.all(sending);
    const last = await send(ann, id, 'the last one');
    await live.until(() => addedSeqs(live).includes(last), 'the last one', 30_000);
    const [begin] = inboxOf(live);
    const replay = await openInbox(bob, begin?.cursor ?? '');
    await replay.until(() => briefs(replay).includes('heartbeat'), 'the end', 30_000);
    for (const recording of [live, replay]) {
      const seqs = addedSeqs(recording).filter((seq) => seq > 1);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      let next = seqs[0] ?? 0;
      let notified = next - 1;
      for (const event of inboxOf(recording)) {
        if (event.__typename === 'ConversationAdvanced' && event.conversation.id === id) {
          notified = Math.max(notified, event.lastSeq);
        }
        if (event.__typename !== 'MessageAdded' || event.message.conversation.id !== id) continue;
        // What is missing lies before a notice that tells of it.
        expect(event.message.seq).toBeLessThanOrEqual(Math.max(next, notified + 1));
        next = event.message.seq + 1;
      }
      expect(next).toBe(last + 1);
    }
    const crossings = inboxOf(replay).filter(
      (event) => event.__typename === 'ConversationAdvanced' && event.conversation.id === id,
    );
    expect(crossings).toHaveLength(2 * rounds);
    for (const recording of [live, replay]) recording.stop();
  }, 120_000);
});

type Eight = [TestUser, TestUser, TestUser, TestUser, TestUser, TestUser, TestUser, TestUser];

/** Puts a group of so many members into the shards, whose owner is the first of the users. @returns its id. */
async function seedHuge(
  urls: readonly string[],
  redisUrl: string,
  users: readonly TestUser[],
): Promise<string> {
  const storage = { kind: 'mysql', urls, joinedBy: redisListOf([redisUrl]) } as const;
  // Nobody but the first of them ever signs in.
  await using folder = await temporaryFolder();
  const keys = await keysIn(path.join(folder.path, 'keys.json'));
  const people: Person[] = await seedPeople(storage, keys, memberCount - users.length);
  const idOf = ({ id }: { readonly id: string }): bigint => decodeIdOf('User', id) ?? 0n;
  const memberIds = [...users.map(idOf), ...people.map(idOf)];
  const [owner = 0n] = memberIds;
  const shards = new Shards(storage, {
    clock: systemClock,
    onLost: (reason) => {
      throw reason;
    },
  });
  await shards.start();
  try {
    const id = new IdSource({ clock: systemClock }).next(3);
    const { sql } = shards.of(id);
    const now = Date.now() - 60_000;
    await sql.execute(`INSERT INTO Conversation VALUES ${rowMarks(1, 16)}`, [
      ...[id, utf8('default'), 1, groupKey(owner, 'huge'), null, 'Huge', owner, now],
      ...[1, 0, 1, 1, memberIds.length, true, now, now],
    ]);
    for (let at = 0; at < memberIds.length; at += 500) {
      const some = memberIds.slice(at, at + 500);
      await sql.execute(
        `INSERT INTO Member (${memberColumns.join(', ')}) VALUES ${rowMarks(some.length, memberColumns.length)}`,
        some.flatMap((userId) => [
          ...[id, userId, userId === owner ? roleCodes.OWNER : roleCodes.MEMBER],
          ...[now, 1, 1, 0, true],
        ]),
      );
    }
    return encodeId('Conversation', id);
  } finally {
    await shards.stop(1_000);
  }
}
