import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engines, openChat, type Chat } from '../support/chat.ts';
import { ledgerOf, serverKeys } from '../support/money.ts';
import { deeds, MoneyWalk } from '../support/money-walk.ts';

/** More by night. */
const numRuns = Number(process.env['MONEY_RUNS'] ?? 8);
/** The same on each engine: what is done on one shard is done on two as well. */
const seed = Number(process.env['MONEY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe.each(engines())('money on %s', (engine) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await openChat(engine, { serverKeys, apps: ['default', 'other'] });
    console.log(`MONEY_SEED=${seed} MONEY_RUNS=${numRuns}`);
  });
  afterAll(() => chat?.[Symbol.asyncDispose]());

  test(
    'is what a small ledger says, whatever is done, raced and retried',
    async () => {
      await fc.assert(
        fc.asyncProperty(deeds, async (all) => {
          const walk = await MoneyWalk.begin(chat);
          await walk.run(all);
          await walk.settle();
          expect(await ledgerOf(chat.server)).toMatchObject({ problems: [], isSound: true });
        }),
        { numRuns, seed, endOnFailure: true },
      );
    },
    120_000 + numRuns * 20_000,
  );
});
