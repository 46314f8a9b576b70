import Database from 'libsql';
import { createConnection } from 'mariadb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ConversationEventsDocument } from '../../client/generated/documents.ts';
import { createLogger } from '../../src/lib/log.ts';
import {
  codeOf,
  createGroup,
  engines,
  newKey,
  removeMember,
  ShiftedClock,
} from '../support/chat.ts';
import { post, signUp, type TestUser } from '../support/clients.ts';
import { headOf, openInbox, pull } from '../support/live.ts';
import { claim, credit, ledgerOf, packetOf, sendPacket, serverKeys } from '../support/money.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const hour = 3_600_000;
/** Shares so large that no other number is one of them by chance. */
const redPackets = { shareMax: 1_000_000_000, countMax: 10, ttlSeconds: 3_600 };
const total = 4_000_000_000;
const count = 8;

/** The shares of a packet as they are kept, claimed or not. */
async function sharesOf({ config: { storage } }: TestServer): Promise<string[][]> {
  const text = 'SELECT shares FROM RedPacket WHERE state < 3 ORDER BY createdAtMs, id';
  const rows: { shares: string }[] = [];
  if (storage.databaseUrls.length === 0) {
    const database = new Database(`${storage.dataDir}/fastim.db`, { readonly: true });
    rows.push(...(database.prepare(text).all() as { shares: string }[]));
    database.close();
  }
  for (const url of storage.databaseUrls) {
    const connection = await createConnection(url.replace(/^mysql:/, 'mariadb:'));
    rows.push(...(await connection.query<{ shares: string }[]>(text)));
    await connection.end();
  }
  return rows.map(({ shares }) => (JSON.parse(shares) as (string | number)[]).map(String));
}

describe.each(engines())('shares that nobody has claimed, on %s', (engine) => {
  const lines: string[] = [];
  const clock = new ShiftedClock();
  let server: TestServer;
  let people: TestUser[];
  beforeAll(async () => {
    const log = createLogger(
      { level: 'trace' },
      { write: (line: string) => void lines.push(line) },
    );
    const tokens = { accessTtlSeconds: 86_400 };
    const overrides = { serverKeys, apps: ['default', 'other'], redPackets, tokens };
    server = await startTestServer(overrides, { engine, log, clock });
    people = await Promise.all(['ann', 'bob', 'cem', 'dan'].map((name) => signUp(server, name)));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('are in no answer, no event and no line of the log, whatever happens to the packet', async () => {
    const [ann, bob, cem, dan] = people as [TestUser, TestUser, TestUser, TestUser];
    await credit(server, ann, 3 * total);
    const group = await createGroup(ann, [bob, cem, dan]);
    const heads = await Promise.all(people.map(headOf));
    const inboxes = await Promise.all(people.map((user) => openInbox(user)));
    const socket = await bob.socket();
    const followed = socket.subscribe(ConversationEventsDocument, { id: group });
    const told: unknown[] = [];
    const tell = <T>(answer: T): T => {
      told.push(answer);
      return answer;
    };

    const input = { total, count, clientMessageId: newKey() };
    const { redPacket } = tell(await sendPacket(ann, group, input));
    tell(await sendPacket(ann, group, input));
    const { id } = redPacket;
    for (const user of [bob, cem, bob]) tell(await claim(user, id));
    // Refused in all the ways there are, so that whatever a refusal logs is logged.
    tell(await codeOf(sendPacket(ann, group, { ...input, count: 7 })));
    tell(await codeOf(claim(ann, `${id}x`)));
    await removeMember(ann, group, dan);
    tell(await codeOf(claim(dan, id)));
    const over = { ...input, clientMessageId: newKey() };
    const expired = tell(await sendPacket(ann, group, over)).redPacket.id;
    tell(await claim(cem, expired));
    const [all = [], later = []] = await sharesOf(server);
    expect([all, later].map(({ length }) => length)).toEqual([count, count]);
    clock.shift(hour);
    await vi.waitFor(
      async () => {
        for (const one of [id, expired]) {
          expect(tell(await packetOf(ann, one))?.state).toBe('EXPIRED');
        }
      },
      { timeout: 15_000 },
    );

    const query = `query ($ids: ID!, $group: ID!) {
      node(id: $ids) { ... on RedPacket { claims { amount isBest } myClaim { amount } total claimedTotal refundedTotal } }
      conversation(id: $group) {
        messages(last: 50) { edges { node { content { ... on RedPacketContent { redPacket { claims { amount } claimedTotal } } } } } }
        messageChanges(after: 0) { messages { content { ... on RedPacketContent { redPacket { claims { amount } refundedTotal } } } } }
      }
      viewer { wallet { entries { edges { node { amount redPacket { claims { amount } } } } } } } }`;
    for (const [index, user] of [ann, bob, cem].entries()) {
      for (const ids of [id, expired]) {
        const { accessToken } = user.auth;
        const answer = tell(await post(server, query, { ids, group }, accessToken));
        expect(answer.errors).toBeUndefined();
      }
      tell(await pull(user, heads[index] ?? '', 500));
    }
    tell(await ledgerOf(server));

    const words = JSON.stringify([told, inboxes.map(({ events }) => events), followed.events]);
    const logged = lines.join('');
    const claimed = [...all.slice(0, 2), ...later.slice(0, 1)];
    // That claimed ones are found shows that others would be.
    for (const share of claimed) expect(words).toContain(share);
    for (const share of [...all.slice(2), ...later.slice(1)]) {
      expect(words).not.toContain(share);
      expect(logged).not.toContain(share);
    }
    expect(JSON.stringify(inboxes.map(({ events }) => events))).toContain('RedPacketContent');
    await bob[Symbol.asyncDispose]();
  }, 60_000);
});
