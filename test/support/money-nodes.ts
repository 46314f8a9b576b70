import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { Conversations } from '../../src/domain/conversation/conversation.ts';
import { Ledger } from '../../src/domain/ledger/ledger.ts';
import { RedPackets, type SendRedPacketInput } from '../../src/domain/red-packet/red-packet.ts';
import type { Viewer } from '../../src/domain/session/session.ts';
import { Timelines } from '../../src/domain/timeline/timeline.ts';
import { Wallets } from '../../src/domain/wallet/wallet.ts';
import { noFailpoints, type Failpoints } from '../../src/lib/failpoint.ts';
import { IdSource, slotCount } from '../../src/lib/id.ts';
import { startInOrder } from '../../src/lib/lifecycle.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { Shards } from '../../src/storage/shards.ts';
import { StillClock, type Storage } from './accounts.ts';
import { userOf, viewerOf } from './doors.ts';

/** What of a node has to do with money, over shards that others may use as well. */
export interface MoneyNode {
  readonly timelines: Timelines;
  readonly wallets: Wallets;
  readonly redPackets: RedPackets;
  stop(): Promise<void>;
}

export interface MoneyWorld extends AsyncDisposable {
  readonly clock: StillClock;
  readonly shards: Shards;
  /**
   * A node; `lets` in whoever it is asked for, as one does that saw them a moment ago; `isAlone` where no other one ends
   * memberships; `creditWaitMs` is how long its claims wait for their credits.
   */
  node(options?: {
    failpoints?: Failpoints;
    lets?: boolean;
    isAlone?: boolean;
    creditWaitMs?: number;
  }): Promise<MoneyNode>;
  /** Users, on all shards in turn. */
  people(count: number): Viewer[];
  /** A group of them, the first one its owner. */
  group(node: MoneyNode, members: readonly Viewer[]): Promise<bigint>;
  /** The first of them whose wallet is of the shard of that id, or of another one. */
  livingAt(where: 'here' | 'apart', id: bigint, people: readonly Viewer[]): Viewer;
  /** Ends when no money is on its way and no state untold. */
  settled(): Promise<void>;
  /** What an audit finds. */
  audit: Ledger['check'];
  /** The amounts of a wallet's entries, oldest first. */
  amounts(viewer: Viewer): Promise<number[]>;
}

const ttlMs = 3_600_000;

/** Ends at a place as a process does that is killed there: nothing gets beyond that place or any other any more. */
export class Death implements Failpoints {
  readonly #place: string;
  #isDead = false;

  constructor(place: string) {
    this.#place = place;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  reach(place: string): void {
    this.#isDead ||= place === this.#place;
    if (this.#isDead) throw new Error(`killed at ${this.#place}`);
  }

  hasBug(): boolean {
    return false;
  }
}

export async function openMoney(storage: Storage): Promise<MoneyWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-money-'));
  const clock = new StillClock();
  const shards = new Shards(await storage.shards(folder), {
    clock,
    onLost: (reason) => {
      throw reason;
    },
  });
  await shards.start();
  const ids = new IdSource({ clock });
  const nodes = new Set<MoneyNode>();
  let people = 0;
  let groups = 0;
  const world: MoneyWorld = {
    clock,
    shards,
    async node({ failpoints = noFailpoints, lets = false, isAlone = false, creditWaitMs } = {}) {
      const base = { shards, ids, clock, failpoints, isAlone };
      const node = await startNode(base, lets, creditWaitMs ?? limits.creditWaitMs);
      nodes.add(node);
      return node;
    },
    people: (count) =>
      Array.from({ length: count }, () => {
        people += 1;
        return viewerOf(ids.next((people * (slotCount / 2 + 1)) % slotCount));
      }),
    async group(node, [owner, ...others]) {
      const { conversationId } = await node.timelines.submit({
        kind: 'createGroup',
        appId: 'default',
        actorId: (owner as Viewer).userId,
        clientRequestId: `g${(groups += 1)}`,
        title: 'Climbers',
        memberIds: others.map(({ userId }) => userId),
      });
      return conversationId;
    },
    livingAt(where, id, all) {
      const found = all.find(
        ({ userId }) => (shards.of(userId) === shards.of(id)) === (where === 'here'),
      );
      if (!found) throw new Error(`nobody lives ${where}`);
      return found;
    },
    settled: () =>
      vi.waitFor(
        async () => {
          for (const table of ['UnderwayTransfer', 'UntoldRedPacket']) {
            for (const { sql } of shards.all) {
              const [row] = await sql.query<{ total: bigint }>(
                `SELECT COUNT(*) AS total FROM ${table}`,
              );
              if (row?.total !== 0n) throw new Error(`${row?.total} in ${table}`);
            }
          }
        },
        { timeout: 20_000, interval: 20 },
      ),
    audit: () => new Ledger({ shards }).check(),
    async amounts({ userId }) {
      const rows = await shards
        .of(userId)
        .sql.query<{ amount: bigint }>(
          'SELECT amount FROM WalletEntry WHERE userId = ? ORDER BY entryNo',
          [userId],
        );
      return rows.map(({ amount }) => Number(amount));
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node.stop();
      await shards.stop(1_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

async function startNode(
  base: {
    shards: Shards;
    ids: IdSource;
    clock: StillClock;
    failpoints: Failpoints;
    isAlone: boolean;
  },
  lets: boolean,
  creditWaitMs: number,
): Promise<MoneyNode> {
  const { shards } = base;
  const users = {
    byIds: (wanted: readonly bigint[]) =>
      Promise.resolve(new Map(wanted.map((id) => [id, userOf(id)]))),
  };
  const timelines = new Timelines({
    ...base,
    limits,
    rules: {
      recallWindowMs: 120_000,
      editWindowMs: 86_400_000,
      largeGroupMembers: 200,
      groupMembersMax: 100_000,
    },
    onCommitted: () => undefined,
    onUnknown: () => undefined,
  });
  const conversations = new Conversations({ shards, timelines, users, limits });
  const entering = { enterOrFault: () => Promise.resolve({} as never) };
  const wallets = new Wallets({ ...base, users, onEntries: () => undefined });
  const redPackets = new RedPackets({
    ...base,
    log: createLogger({ level: 'silent' }),
    conversations: lets
      ? { ...entering, membersOf: () => Promise.resolve(new Map()) }
      : conversations,
    timelines,
    wallets,
    rulesOf: () => ({ shareMax: 20_000, countMax: 100, ttlMs }),
    limits: {
      ...limits,
      creditWaitMs,
      relayAgeMs: 0,
      transfersPollMs: 50,
      arrivalsFlushMs: 10,
      expiryPollMs: 20,
      // The clock stands still.
      redPacketCoalesceMs: 0,
    },
  });
  const stop = await startInOrder([wallets, timelines, redPackets]);
  return { timelines, wallets, redPackets, stop: () => stop(1_000) };
}

/** Later than any packet is open. */
export const afterExpiryMs = ttlMs + 1;

export function packet(
  conversationId: bigint,
  changed: Partial<SendRedPacketInput> = {},
): SendRedPacketInput {
  return {
    conversationId,
    clientMessageId: 'packet',
    kind: 'LUCKY',
    total: 100n,
    count: 5,
    greeting: null,
    recipientId: null,
    ...changed,
  };
}

export async function topUp(node: MoneyNode, { userId }: Viewer, amount: number): Promise<void> {
  await node.wallets.topUp(
    { userId, amount: BigInt(amount), key: `key ${amount}`, reason: 'for a test' },
    null,
  );
}
