import path from 'node:path';
import { vi } from 'vitest';
import {
  ClaimRedPacketDocument,
  CreditWalletDocument,
  RedPacketDocument,
  SendRedPacketDocument,
  WalletDocument,
  type SendRedPacketInput,
  type WalletEntryPartsFragment,
  type WalletQuery,
} from '../../client/generated/documents.ts';
import { operatorKeyIn } from '../../src/domain/app/app.ts';
import { newKey } from './chat.ts';
import { ask, post, type TestUser } from './clients.ts';
import { headOf, pull } from './live.ts';
import type { TestServer } from './server.ts';

/** For `startTestServer`: a key of the app that test users are in, and one of another app. */
export const serverKeys = [
  { appId: 'default', secret: 'key-of-the-default-app-0123456789' },
  { appId: 'other', secret: 'key-of-another-app-0123456789-abcdef' },
];

/** The server key of an app. */
export function keyOf({ config }: TestServer, appId: string): string {
  const key = config.serverKeys.find((one) => one.appId === appId);
  if (!key) throw new Error(`no server key of ${appId}: start the server with serverKeys`);
  return key.secret;
}

/** The operator's key of a server. */
export function operatorKeyOf({ config }: TestServer): Promise<string> {
  return operatorKeyIn(path.join(config.storage.dataDir, 'operator-key'));
}

/** Money from outside, by the server of the user's app. */
export async function credit(
  server: TestServer,
  user: TestUser,
  amount: number,
  key: string = newKey(),
) {
  const appId = user.username === 'outsider' ? 'other' : 'default';
  const input = { userId: user.id, amount, key, reason: 'for a test' };
  return (await ask(server, CreditWalletDocument, { input }, keyOf(server, appId))).creditWallet;
}

/** The same, told before it returns: nothing of it is on its way any more. */
export async function fund(server: TestServer, user: TestUser, amount = 100_000): Promise<void> {
  const head = await headOf(user);
  await credit(server, user, amount);
  await vi.waitUntil(
    async () => {
      const { events } = await pull(user, head);
      return events.some((event) => event.__typename === 'WalletChanged');
    },
    { timeout: 10_000 },
  );
}

type Packet = Pick<SendRedPacketInput, 'total' | 'count'> & Partial<SendRedPacketInput>;

/** Sends a red packet. */
export async function sendPacket(user: TestUser, conversationId: string, packet: Packet) {
  const input = { conversationId, clientMessageId: newKey(), ...packet };
  return (await user.query(SendRedPacketDocument, { input })).sendRedPacket;
}

/** The same. @returns its id. */
export async function giveAway(
  user: TestUser,
  conversationId: string,
  packet: Packet,
): Promise<string> {
  return (await sendPacket(user, conversationId, packet)).redPacket.id;
}

export async function claim(user: TestUser, redPacketId: string) {
  return (await user.query(ClaimRedPacketDocument, { redPacketId })).claimRedPacket;
}

/** As the user sees it; null where they may not. */
export async function packetOf(user: TestUser, id: string) {
  return (await user.query(RedPacketDocument, { id })).redPacket;
}

export async function balanceOf(user: TestUser): Promise<number> {
  return (await user.query(WalletDocument, { first: 0 })).viewer.wallet.balance;
}

/** All entries of a wallet, oldest first. */
export async function entriesOf(user: TestUser): Promise<WalletEntryPartsFragment[]> {
  const entries: WalletEntryPartsFragment[] = [];
  for (let after: string | null = null; ;) {
    const answer: WalletQuery = await user.query(WalletDocument, { first: 200, after });
    const { edges, pageInfo } = answer.viewer.wallet.entries;
    entries.push(...edges.map(({ node }) => node));
    after = pageInfo.endCursor;
    if (!pageInfo.hasNextPage) return entries.reverse();
  }
}

/** What an audit of a server finds. */
export async function ledgerOf(server: TestServer): Promise<LedgerFigures> {
  const query = '{ ledger { isSound issued wallets openPackets inFlight problems } }';
  const key = await operatorKeyOf(server);
  const { data, errors } = await post<{ ledger: LedgerFigures }, object>(server, query, {}, key);
  if (!data || errors) throw new Error(`no audit: ${JSON.stringify(errors)}`);
  return data.ledger;
}

/** Amounts as decimals. */
export interface LedgerFigures {
  readonly isSound: boolean;
  readonly issued: string;
  readonly wallets: string;
  readonly openPackets: string;
  readonly inFlight: string;
  readonly problems: readonly string[];
}
