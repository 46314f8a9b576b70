import { requireAuthority, requireCaller, requireViewer } from './context.ts';
import type { Wallet, WalletEntry } from '../domain/wallet/wallet.ts';
import { builder, notes } from './builder.ts';
import { encodeEntryId, idArgument } from './global-id.ts';
import { NodeType } from './node.ts';
import { PageInfoType, pageOf, type Edge, type Page } from './page.ts';
import { RedPacketType } from './red-packet.ts';

const WalletEntryKindType = builder.enumType('WalletEntryKind', {
  description: 'Why a balance changed.',
  values: {
    TOP_UP: { description: 'Money came from outside.' },
    RED_PACKET_SENT: { description: 'The user sent a red packet; the amount is negative.' },
    RED_PACKET_CLAIMED: { description: 'The user took a share.' },
    RED_PACKET_REFUNDED: {
      description: 'What nobody had claimed of their packet, or one that could not be sent.',
    },
  } as const,
});

/** One change of a wallet. */
export const WalletEntryType = builder.objectRef<WalletEntry>('WalletEntry').implement({
  description: 'One change of a wallet: it is never altered.',
  interfaces: [NodeType],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; begins with `w_`.',
      resolve: ({ userId, entryNo }) => encodeEntryId(userId, entryNo),
    }),
    kind: t.expose('kind', { type: WalletEntryKindType, description: 'Why it changed.' }),
    amount: t.expose('amount', {
      type: 'MinorUnits',
      description: 'By how much; negative where money left.',
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was booked.' }),
    redPacket: t.field({
      type: RedPacketType,
      nullable: true,
      description:
        'The packet that it came from or went to; null where there is none, or the viewer may not see it (any more).',
      resolve: ({ redPacketId }, _args, context) =>
        redPacketId === null ? null : context.loaders.redPackets.load(redPacketId),
    }),
  }),
});

const WalletEntryEdge = builder.objectRef<Edge<WalletEntry>>('WalletEntryEdge').implement({
  description: 'An entry at its place in the list.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Opaque; give it as `after` to go on.' }),
    node: t.expose('node', { type: WalletEntryType, description: 'The entry.' }),
  }),
});

const WalletEntryConnection = builder
  .objectRef<Page<WalletEntry>>('WalletEntryConnection')
  .implement({
    description: 'A page of entries.',
    fields: (t) => ({
      edges: t.expose('edges', { type: [WalletEntryEdge], description: 'Newest first.' }),
      pageInfo: t.field({
        type: PageInfoType,
        description: 'Where the page stands.',
        resolve: (page) => page,
      }),
    }),
  });

/** The viewer's money. */
export const WalletType = builder.objectRef<Wallet>('Wallet').implement({
  description: "A user's money. Everybody has a wallet, empty at first; nobody else sees it.",
  fields: (t) => ({
    balance: t.expose('balance', { type: 'MinorUnits', description: 'Never below 0.' }),
    entries: t.field({
      type: WalletEntryConnection,
      description: 'Newest first. The amounts of all entries sum to the balance.',
      args: {
        first: t.arg.int({ defaultValue: 50, description: 'How many; at most 200.' }),
        after: t.arg.string({ required: false, description: 'The cursor of an edge.' }),
      },
      extensions: notes({ cost: 20 }),
      resolve: async (_wallet, { first, after }, context) => {
        const { wallets } = context.doors;
        const page = await wallets.entries(requireViewer(context), { first, after: after ?? null });
        return pageOf(page.entries, page, (entry) => ({
          cursor: wallets.entryCursor(entry),
          node: entry,
        }));
      },
    }),
  }),
});

const CreditWalletInput = builder.inputType('CreditWalletInput', {
  description: 'Money that comes from outside.',
  fields: (t) => ({
    userId: t.id({ description: "A user of the key's app." }),
    amount: t.field({ type: 'MinorUnits', description: 'At least 1.' }),
    key: t.string({
      description: '1 to 64 characters, made once per credit and kept over retries.',
    }),
    reason: t.string({ description: 'For the books; 1 to 256 characters.' }),
  }),
});

interface Credited {
  readonly entry: WalletEntry;
  readonly isDuplicate: boolean;
}

const CreditWalletPayload = builder.objectRef<Credited>('CreditWalletPayload').implement({
  description: 'Answers `creditWallet`.',
  fields: (t) => ({
    entry: t.expose('entry', { type: WalletEntryType, description: 'The entry that it made.' }),
    balance: t.field({
      type: 'MinorUnits',
      description: 'The balance right after that entry.',
      resolve: ({ entry }) => entry.balance,
    }),
    isDuplicate: t.exposeBoolean('isDuplicate', {
      description: 'Whether an earlier call with this key had made it already.',
    }),
  }),
});

builder.mutationField('creditWallet', (t) =>
  t.field({
    type: CreditWalletPayload,
    description:
      "Puts money into a wallet. Only for an app's own server, which shows its server key in place of an access token, over HTTP.\n" +
      'Idempotent for ever on (user, key): a retry returns the entry of the first call; the same key with another\n' +
      'amount or reason is fault IDEMPOTENCY_CONFLICT, a balance beyond 2^52 FAILED_PRECONDITION.',
    args: { input: t.arg({ type: CreditWalletInput, description: 'What to whom, and why.' }) },
    resolve: async (_root, { input }, context) => {
      requireCaller(context);
      const { amount, key, reason } = input;
      const userId = idArgument('User', input.userId, 'userId');
      const { appId } = requireAuthority(context);
      return context.doors.wallets.topUp({ userId, amount, key, reason }, appId);
    },
  }),
);
