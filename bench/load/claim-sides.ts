import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { demand } from '../runner/void.ts';
import type { RunningFastim } from '../servers/fastim.ts';
import type { PacketRival } from '../servers/packet-rival.ts';
import type { ServerChild } from '../servers/server-child.ts';
import { Claimer, HotPacket, type ClaimApi, type ClaimTally } from './claimers.ts';
import { inParallel } from './fastim-groups.ts';
import { LoadHttp } from './http.ts';
import { openSockets, operation } from './socket.ts';

/** What every packet holds. */
export const packetOptions = { total: 10_000, shares: 100 };

/** A contender with its claimers connected. */
export interface ClaimSide extends AsyncDisposable {
  readonly server: ServerChild;
  readonly claimers: readonly Claimer[];
  readonly tally: ClaimTally;
  /** New packets, of which nobody has claimed. */
  makePackets(count: number): Promise<HotPacket[]>;
  /** Once nobody asks any more. @throws {VoidRun} where an answer or the books are wrong. */
  check(): Promise<void>;
}

/** The same words for both; only FastIM can say that a credit is on its way. */
const claimText = (more: string): string =>
  `mutation Claim($id: ID!) { claimRedPacket(redPacketId: $id) { status ${more} claim { amount } redPacket { id count claimedCount } } }`;

interface ClaimData {
  readonly claimRedPacket: {
    readonly status: string;
    readonly creditPending?: boolean;
    readonly claim: { readonly amount: number } | null;
    readonly redPacket: { readonly id: string };
  };
}

function apiOf(text: string): ClaimApi<ClaimData> {
  const payload = operation(text);
  return {
    payload: (id) => payload({ id }),
    answerOf({ claimRedPacket: { status, creditPending = false, claim, redPacket } }) {
      demand(
        claim ? status === 'CLAIMED' : status === 'EXHAUSTED',
        `a first claim was answered with ${status}`,
      );
      const amount = claim?.amount ?? null;
      return { redPacketId: redPacket.id, amount, isPending: creditPending };
    },
  };
}

const inboxHead = operation('query Head { viewer { inbox(first: 0) { endCursor } } }');
const createGroup = operation(
  'mutation Group($input: CreateGroupInput!) { createGroup(input: $input) { conversation { id } } }',
);
const addMembers = operation(
  'mutation Add($input: AddMembersInput!) { addMembers(input: $input) { conversation { id } } }',
);
const creditWallet = operation(
  'mutation Credit($input: CreditWalletInput!) { creditWallet(input: $input) { balance } }',
);
const sendRedPacket = operation(
  'mutation Send($input: SendRedPacketInput!) { sendRedPacket(input: $input) { redPacket { id } } }',
);
const ledger = operation('query Ledger { ledger { isSound wallets openPackets problems } }');

const endowment = 1_000_000_000_000;
const membersPerCall = 1_000;
const atOnce = 16;
/** How long what is on its way may take to arrive once nobody claims any more. */
const settleWithinMs = 20_000;

/** The first person sends, the others claim; all have an inbox. */
export async function connectFastim(running: RunningFastim): Promise<ClaimSide> {
  const { server, people, folder } = running;
  const http = new LoadHttp(server.url, atOnce);
  const [sender, ...others] = people;
  const token = sender?.accessToken ?? '';
  await inParallel(people, ({ accessToken }) => http.request(inboxHead({}), accessToken));
  const ids = others.map(({ id }) => id);
  const input = { clientRequestId: 'crowd', title: 'crowd', memberIds: ids.splice(0, 900) };
  const made = await http.request<{ createGroup: { conversation: { id: string } } }>(
    createGroup({ input }),
    token,
  );
  const conversationId = made.createGroup.conversation.id;
  while (ids.length > 0) {
    const more = { conversationId, userIds: ids.splice(0, membersPerCall) };
    await http.request(addMembers({ input: more }), token);
  }
  const operatorKey = (await readFile(path.join(folder, 'operator-key'), 'utf8')).trim();
  const gift = { userId: sender?.id, amount: endowment, key: 'endowment', reason: 'a bench' };
  await http.request(creditWallet({ input: gift }), operatorKey);
  let sent = 0;
  const makeOne = async (): Promise<string> => {
    const { total, shares: count } = packetOptions;
    const clientMessageId = `packet_${(sent += 1)}`;
    const { sendRedPacket: answer } = await http.request<{
      sendRedPacket: { redPacket: { id: string } };
    }>(sendRedPacket({ input: { conversationId, clientMessageId, total, count } }), token);
    return answer.redPacket.id;
  };
  return sideOf(apiOf(claimText('creditPending')), {
    server,
    accessTokens: others.map(({ accessToken }) => accessToken),
    makeIds: (count) => inParallel(Array.from({ length: count }), makeOne),
    checkBooks: (packets) => auditFastim(http, operatorKey, packets),
    close: () => http.close(),
  });
}

/** Nothing is on its way, and of each packet that is gone which was answered. */
async function auditFastim(
  http: LoadHttp,
  operatorKey: string,
  packets: readonly HotPacket[],
): Promise<void> {
  const left = packets.reduce((sum, { sum: given }) => sum + packetOptions.total - given, 0);
  for (const deadline = performance.now() + settleWithinMs; ;) {
    const { ledger: found } = await http.request<{
      ledger: { isSound: boolean; wallets: string; openPackets: string; problems: string[] };
    }>(ledger({}), operatorKey);
    demand(found.isSound, `the books are wrong: ${found.problems.join('; ')}`);
    demand(found.openPackets === String(left), `${found.openPackets} are left, not ${left}`);
    if (Number(found.wallets) + left === endowment) return;
    demand(performance.now() < deadline, `${found.wallets} are in wallets beside ${left}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export function connectRival(running: PacketRival): Promise<ClaimSide> {
  const { server, accessTokens } = running;
  return sideOf(apiOf(claimText('')), {
    server,
    accessTokens: accessTokens.slice(1),
    makeIds: (count) => running.makePackets(count, packetOptions),
    checkBooks: () => running.checkBooks(),
    close: () => undefined,
  });
}

async function sideOf(
  api: ClaimApi<ClaimData>,
  from: {
    readonly server: ServerChild;
    readonly accessTokens: readonly string[];
    readonly makeIds: (count: number) => Promise<string[]>;
    readonly checkBooks: (packets: readonly HotPacket[]) => Promise<void>;
    readonly close: () => void;
  },
): Promise<ClaimSide> {
  const { server, accessTokens } = from;
  const sockets = await openSockets(
    server.socketUrl,
    accessTokens.map((accessToken) => ({ accessToken })),
  );
  const tally: ClaimTally = { won: 0, lost: 0, pending: 0 };
  const packets: HotPacket[] = [];
  return {
    server,
    claimers: sockets.map((socket, index) => new Claimer(index, { socket, api, tally })),
    tally,
    async makePackets(count) {
      const ids = await from.makeIds(count);
      const fresh = ids.map((id) => new HotPacket(id, api.payload(id), packetOptions));
      packets.push(...fresh);
      return fresh;
    },
    async check() {
      for (const socket of sockets) socket.check();
      for (const packet of packets) packet.check();
      await from.checkBooks(packets);
    },
    async [Symbol.asyncDispose]() {
      from.close();
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}
