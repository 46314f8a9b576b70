import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openChat, type Chat } from '../support/chat.ts';
import { ledgerOf, serverKeys } from '../support/money.ts';
import { deeds, MoneyWalk, type Deed } from '../support/money-walk.ts';

/** One of everything that a bug may show in: shares of unequal worth, of one packet all taken, of one the rest expired. */
const shown: readonly Deed[] = [
  { kind: 'credit', user: 0, amount: 5_000 },
  { kind: 'send', user: 0, isLucky: true, share: 300, count: 5, tries: 2 },
  { kind: 'claim', user: 1, packet: 0 },
  { kind: 'claim', user: 2, packet: 0 },
  { kind: 'send', user: 0, isLucky: true, share: 200, count: 4, tries: 1 },
  { kind: 'race', packet: 1, tries: 2 },
  { kind: 'expire', packet: 0 },
];

/** Whether the small ledger, and whether the audit, sees that something is wrong. */
async function seen(chat: Chat, all: readonly Deed[]): Promise<{ walk: string; audit: string }> {
  const walk = await MoneyWalk.begin(chat);
  const broken = await walk
    .run(all)
    .then(() => walk.settle())
    .then(
      () => '',
      (error: unknown) => String(error),
    );
  return { walk: broken, audit: (await ledgerOf(chat.server)).problems.join('\n') };
}

const open = (failpoints: string): Promise<Chat> =>
  openChat('sqlite', { serverKeys, apps: ['default', 'other'], failpoints });

test('nothing is wrong with a server without a bug', async () => {
  await using chat = await open('');
  expect(await seen(chat, shown)).toEqual({ walk: '', audit: '' });
}, 60_000);

test.each([
  ['refund-twice', /what packets gave back is not what was sent off/],
  ['share-reused', /what was taken are not its first shares/],
  ['expiry-races-claim', /more left it than was in it/],
  ['effect-twice', /came from nowhere/],
  ['rounding', /its shares do not sum to its total/],
])(
  'the planted bug %s is found by the audit and by the small ledger',
  async (bug, problem) => {
    await using chat = await open(`bug:${bug}`);
    const found = await seen(chat, shown);
    expect(found.audit).toMatch(problem);
    // An entry too many is seen by what it is worth; one of a wrong cause by the audit alone.
    if (bug !== 'effect-twice') expect(found.walk).toMatch(/BrokenBooks/);
  },
  60_000,
);

test('a random walk finds a planted bug by itself', async () => {
  await using chat = await open('bug:share-reused');
  const walked = fc.check(
    fc.asyncProperty(deeds, async (all) => (await seen(chat, all)).walk === ''),
    { numRuns: 30, endOnFailure: true, seed: 7 },
  );
  expect((await walked).failed).toBe(true);
}, 120_000);
