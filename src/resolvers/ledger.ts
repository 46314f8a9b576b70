import { requireAuthority } from './context.ts';
import type { LedgerReport } from '../domain/ledger/ledger.ts';
import { Fault } from '../lib/fault.ts';
import { builder, notes } from './builder.ts';

/** Of all wallets together: what one may hold is exact as a number, what all hold need not be. */
const LedgerReportType = builder.objectRef<LedgerReport>('LedgerReport').implement({
  description:
    'What an audit of all wallets, red packets and transfers found. Amounts are minor units, written as decimals, since all together may be beyond 2^53.',
  fields: (t) => ({
    isSound: t.exposeBoolean('isSound', { description: 'Whether no money was made or lost.' }),
    issued: t.string({
      description: 'What came in by top-ups.',
      resolve: ({ issued }) => String(issued),
    }),
    wallets: t.string({
      description: 'What wallets hold.',
      resolve: ({ wallets }) => String(wallets),
    }),
    openPackets: t.string({
      description: 'What is left in red packets.',
      resolve: ({ openPackets }) => String(openPackets),
    }),
    inFlight: t.string({
      description:
        'What has left its source and was not there yet. wallets + openPackets + inFlight = issued. Shards are not read at one moment, so that it may be negative while the system runs.',
      resolve: ({ inFlight }) => String(inFlight),
    }),
    entries: t.exposeInt('entries', { description: 'How many entries wallets have.' }),
    packets: t.exposeInt('packets', { description: 'How many red packets there were.' }),
    transfers: t.exposeInt('transfers', { description: 'How many times money moved.' }),
    problems: t.exposeStringList('problems', {
      description: 'In words; empty: it is sound. At most some hundreds.',
    }),
  }),
});

builder.queryField('ledger', (t) =>
  t.field({
    type: LedgerReportType,
    description:
      "Proves that no money was made or lost, while the system runs. It reads every row. For the operator's key alone.",
    extensions: notes({ cost: 1_000 }),
    resolve: (_root, _args, context) => {
      if (requireAuthority(context).appId !== null) {
        throw new Fault('FORBIDDEN', "This needs the operator's key.");
      }
      return context.doors.ledger.check();
    },
  }),
);
