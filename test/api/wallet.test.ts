import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CreditWalletDocument, WalletDocument } from '../../client/generated/documents.ts';
import { codeOf, createGroup, engines, newKey, openChat, type Chat } from '../support/chat.ts';
import { ask, post, type TestUser } from '../support/clients.ts';
import { brief, headOf, inboxOf, openInbox, pull } from '../support/live.ts';
import {
  balanceOf,
  claim,
  credit,
  entriesOf,
  fund,
  giveAway,
  keyOf,
  operatorKeyOf,
  serverKeys,
} from '../support/money.ts';

/** What one holds at most by credits: half of what is exact as a number. */
const fullWallet = 2 ** 52;

describe.each(engines())('wallets on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine, { serverKeys, apps: ['default', 'other'] });
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  const creditBy = (token: string | undefined, user: TestUser, input: object = {}) =>
    ask(
      chat.server,
      CreditWalletDocument,
      { input: { userId: user.id, amount: 5, key: newKey(), reason: 'a test', ...input } },
      token,
    );

  test('a wallet is empty until money comes from outside, and each credit is an entry', async () => {
    const [ann] = await chat.people(1);
    expect(await balanceOf(ann)).toBe(0);
    const first = await credit(chat.server, ann, 300);
    expect(first).toMatchObject({ isDuplicate: false, balance: 300, entry: { amount: 300 } });
    await credit(chat.server, ann, 200);
    expect(await balanceOf(ann)).toBe(500);
    const entries = await entriesOf(ann);
    expect(entries.map(({ amount, kind }) => [kind, amount])).toEqual([
      ['TOP_UP', 300],
      ['TOP_UP', 200],
    ]);
    expect(entries[0]?.id).toBe(first.entry.id);
  });

  test('the same key credits once, and another amount or reason under it is a conflict', async () => {
    const [ann, bob] = await chat.people(2);
    const key = newKey();
    const again = await Promise.all([1, 2, 3].map(() => credit(chat.server, ann, 70, key)));
    expect(again.filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(1);
    expect(new Set(again.map(({ entry }) => entry.id)).size).toBe(1);
    expect(await balanceOf(ann)).toBe(70);
    expect(await codeOf(credit(chat.server, ann, 71, key))).toBe('IDEMPOTENCY_CONFLICT');
    const token = keyOf(chat.server, 'default');
    const other = creditBy(token, ann, { amount: 70, key, reason: 'another one' });
    expect(await codeOf(other)).toBe('IDEMPOTENCY_CONFLICT');
    // Keys are a user's own.
    expect((await credit(chat.server, bob, 70, key)).isDuplicate).toBe(false);
  });

  test('who may: the key of the user’s app and the operator’s, nobody else', async () => {
    const [ann] = await chat.people(1);
    expect(await codeOf(creditBy(undefined, ann))).toBe('UNAUTHENTICATED');
    expect(await codeOf(creditBy('no-key-of-anybody-0123456789abcdef', ann))).toBe(
      'UNAUTHENTICATED',
    );
    expect(await codeOf(creditBy(ann.auth.accessToken, ann))).toBe('FORBIDDEN');
    expect(await codeOf(creditBy(keyOf(chat.server, 'other'), ann))).toBe('NOT_FOUND');
    expect(await balanceOf(ann)).toBe(0);
    await creditBy(await operatorKeyOf(chat.server), ann);
    await creditBy(keyOf(chat.server, 'default'), ann);
    expect(await balanceOf(ann)).toBe(10);
    // A server key is nobody's session.
    const { errors } = await post(
      chat.server,
      '{ viewer { unreadCount } }',
      {},
      keyOf(chat.server, 'default'),
    );
    expect(errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
  });

  test('an amount is a safe positive integer, a balance a safe one', async () => {
    const [ann] = await chat.people(1);
    const token = keyOf(chat.server, 'default');
    for (const amount of [0, -1, 1.5, 2 ** 53, '5', null]) {
      const text = `mutation ($amount: MinorUnits!) { creditWallet(input: { userId: "${ann.id}", amount: $amount, key: "${newKey()}", reason: "x" }) { balance } }`;
      const { errors } = await post(chat.server, text, { amount }, token);
      expect(errors?.[0]?.extensions?.['code'], String(amount)).toBe('INVALID_ARGUMENT');
    }
    for (const literal of ['5.0', '9007199254740992', '"5"', '1e3']) {
      const text = `mutation { creditWallet(input: { userId: "${ann.id}", amount: ${literal}, key: "${newKey()}", reason: "x" }) { balance } }`;
      const { errors } = await post(chat.server, text, {}, token);
      expect(errors?.[0]?.extensions?.['code'], literal).toBe('INVALID_ARGUMENT');
    }
    for (const wrong of [{ key: '' }, { key: 'x'.repeat(65) }, { reason: '' }]) {
      expect(await codeOf(creditBy(token, ann, wrong))).toBe('INVALID_ARGUMENT');
    }
    expect(await balanceOf(ann)).toBe(0);
    const amount = Number.MAX_SAFE_INTEGER;
    expect(await codeOf(creditBy(token, ann, { amount }))).toBe('FAILED_PRECONDITION');
    await creditBy(token, ann, { amount: fullWallet });
    expect(await balanceOf(ann)).toBe(fullWallet);
    expect(await codeOf(creditBy(token, ann, { amount: 1 }))).toBe('FAILED_PRECONDITION');
  });

  test('a wallet that is full still takes what comes back to it, and shows it', async () => {
    const [ann, bob] = await chat.people(2);
    const group = await createGroup(ann, [bob]);
    const live = await openInbox(ann);
    await credit(chat.server, ann, fullWallet);
    const id = await giveAway(ann, group, { total: 20_000, count: 1 });
    await credit(chat.server, ann, 20_000);
    expect((await claim(ann, id)).status).toBe('CLAIMED');
    const balance = fullWallet + 20_000;
    await vi.waitFor(async () => expect(await balanceOf(ann)).toBe(balance), 10_000);
    await live.until(
      () => inboxOf(live).map(brief).includes(`wallet 20000=${balance}`),
      'what came back',
    );
    expect((await entriesOf(ann)).map(({ amount }) => amount)).toEqual([
      ...[fullWallet, -20_000, 20_000, 20_000],
    ]);
    expect(await codeOf(credit(chat.server, ann, 1))).toBe('FAILED_PRECONDITION');
  });

  test('entries are paged, newest first, whatever is added meanwhile', async () => {
    const [ann] = await chat.people(1);
    for (let amount = 1; amount <= 7; amount += 1) await credit(chat.server, ann, amount);
    const page = async (first: number, after: string | null) =>
      (await ann.query(WalletDocument, { first, after })).viewer.wallet.entries;
    const newest = await page(3, null);
    expect(newest.edges.map(({ node }) => node.amount)).toEqual([7, 6, 5]);
    expect(newest.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    await credit(chat.server, ann, 8);
    const older = await page(10, newest.pageInfo.endCursor);
    expect(older.edges.map(({ node }) => node.amount)).toEqual([4, 3, 2, 1]);
    expect(older.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect((await page(0, null)).edges).toEqual([]);
    for (const [first, after] of [
      [-1, null],
      [201, null],
      [1, 'nonsense'],
    ] as const) {
      expect(await codeOf(page(first, after))).toBe('INVALID_ARGUMENT');
    }
  });

  test('an entry is a node of its owner’s alone', async () => {
    const [ann, bob] = await chat.people(2);
    const { entry } = await credit(chat.server, ann, 40);
    const text = 'query ($id: ID!) { node(id: $id) { id ... on WalletEntry { amount } } }';
    const seen = async (user: TestUser, id: string) =>
      (await post<{ node: unknown }, object>(chat.server, text, { id }, user.auth.accessToken)).data
        ?.node;
    expect(await seen(ann, entry.id)).toEqual({ id: entry.id, amount: 40 });
    expect(await seen(bob, entry.id)).toBeNull();
    expect(await seen(ann, entry.id.replace(/1$/, '2'))).toBeNull();
  });

  test('every entry is told once, in order, with the balance after it; live and pulled', async () => {
    const [ann, bob] = await chat.people(2);
    const [head, quiet] = [await headOf(ann), await headOf(bob)];
    const live = await openInbox(ann);
    for (let amount = 1; amount <= 20; amount += 1) {
      if (amount % 5 === 0) await credit(chat.server, ann, amount);
      else await Promise.all([credit(chat.server, ann, amount)]);
    }
    const expected = Array.from({ length: 20 }, (_, index) => {
      const amount = index + 1;
      return `wallet ${amount}=${(amount * (amount + 1)) / 2}`;
    });
    const told = () =>
      inboxOf(live)
        .map(brief)
        .filter((text) => text.startsWith('wallet'));
    await live.until(() => told().length >= expected.length, 'all entries');
    expect(told()).toEqual(expected);
    const { events } = await pull(ann, head, 500);
    expect(events.map(brief)).toEqual(expected);
    expect((await pull(bob, quiet)).events).toEqual([]);
  });

  test('what is funded can be audited', async () => {
    const [ann] = await chat.people(1);
    await fund(chat.server, ann, 12);
    const { data, errors } = await post<
      { ledger: { isSound: boolean; problems: string[] } },
      object
    >(
      chat.server,
      '{ ledger { isSound issued wallets problems } }',
      {},
      await operatorKeyOf(chat.server),
    );
    expect(errors).toBeUndefined();
    expect(data?.ledger).toMatchObject({ isSound: true, problems: [] });
    for (const token of [keyOf(chat.server, 'default'), ann.auth.accessToken]) {
      const refused = await post(chat.server, '{ ledger { isSound } }', {}, token);
      expect(refused.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
    }
  });
});
