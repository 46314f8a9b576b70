import type { Message } from '../../domain/timeline/timeline.ts';
import { present } from '../../lib/assert.ts';
import { Gathered } from '../../lib/gathered.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';
import { messageKey, messagesOf, type MessageKey } from './timeline-reads.ts';

/** What all who read a conversation's replay at one time share: the same object for each of them. */
export interface ReplayHead {
  readonly isLarge: boolean;
  readonly lastSeq: number;
  readonly changeSeq: number;
}

/** A membership, with the conversation as it is. */
export interface ReplayMembership {
  readonly joinedSeq: number;
  readonly head: ReplayHead;
}

/** What a stretch of somebody's log is about. */
export interface ReplayAsk {
  readonly userId: bigint;
  readonly conversationIds: readonly bigint[];
  readonly keys: readonly MessageKey[];
}

/** What they may see of it now: conversations that they are a member of, and messages from their joining on. */
export interface ReplayRead {
  /** By conversation. */
  readonly memberships: ReadonlyMap<bigint, ReplayMembership>;
  /** By `messageKey`. One message is the same object for all who read it at one time. */
  readonly messages: ReadonlyMap<string, Message>;
}

export interface ReplayReadsDeps {
  readonly shards: ShardMap;
  readonly limits: {
    readonly gatheredReadsApartMs: number;
    readonly gatheredReadsKeysMax: number;
    readonly gatheredReadsAsksMax: number;
  };
}

/**
 * Reads what logs tell of, for many at once: when a gate dies, thousands resume on the others, and what they missed is
 * mostly the same. All who ask a shard in one moment share two statements: one for the messages, each once, and then one
 * for where each of them stands. Rights are read after what they open, so nobody is shown what they had lost by then.
 */
export class ReplayReads implements Lifecycle {
  readonly #deps: ReplayReadsDeps;
  readonly #byShard = new Map<Shard, Gathered<ReplayAsk, ReplayRead>>();

  constructor(deps: ReplayReadsDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const gathered of this.#byShard.values()) gathered.stop();
    return Promise.resolve();
  }

  /** @throws {Fault} UNAVAILABLE */
  async read({ userId, conversationIds, keys }: ReplayAsk): Promise<ReplayRead> {
    const { shards } = this.#deps;
    const asks = new Map<Shard, { conversationIds: bigint[]; keys: MessageKey[] }>();
    const of = (id: bigint): { conversationIds: bigint[]; keys: MessageKey[] } => {
      const shard = shards.of(id);
      const ask = asks.get(shard) ?? { conversationIds: [], keys: [] };
      asks.set(shard, ask);
      return ask;
    };
    for (const id of conversationIds) of(id).conversationIds.push(id);
    for (const key of keys) of(key.conversationId).keys.push(key);
    const reads = await Promise.all(
      [...asks].map(([shard, ask]) => this.#gathered(shard).ask({ userId, ...ask })),
    );
    const [first, ...others] = reads;
    if (others.length === 0) return first ?? { memberships: new Map(), messages: new Map() };
    return {
      memberships: new Map(reads.flatMap(({ memberships }) => [...memberships])),
      messages: new Map(reads.flatMap(({ messages }) => [...messages])),
    };
  }

  #gathered(shard: Shard): Gathered<ReplayAsk, ReplayRead> {
    const known = this.#byShard.get(shard);
    if (known) return known;
    const { gatheredReadsApartMs, gatheredReadsKeysMax, gatheredReadsAsksMax } = this.#deps.limits;
    const gathered = new Gathered<ReplayAsk, ReplayRead>({
      answer: (asks) => answer(shard, asks),
      weightOf: ({ conversationIds, keys }) => conversationIds.length + keys.length,
      weightMax: gatheredReadsKeysMax,
      apartMs: gatheredReadsApartMs,
      asksMax: gatheredReadsAsksMax,
    });
    this.#byShard.set(shard, gathered);
    return gathered;
  }
}

async function answer(shard: Shard, asks: readonly ReplayAsk[]): Promise<ReplayRead[]> {
  const found = await messagesOf(
    shard,
    asks.flatMap(({ keys }) => keys),
  );
  const memberships = await membershipsOf(shard, asks);
  return asks.map(({ userId, keys }) => {
    const own = memberships.get(userId) ?? new Map<bigint, ReplayMembership>();
    const messages = new Map<string, Message>();
    for (const key of keys) {
      const name = messageKey(key);
      const message = found.get(name);
      const membership = own.get(key.conversationId);
      if (message && membership && membership.joinedSeq <= key.seq) messages.set(name, message);
    }
    return { memberships: own, messages };
  });
}

interface MembershipRow extends Omit<ReplayHead, 'isLarge'> {
  readonly userId: bigint;
  readonly conversationId: bigint;
  readonly joinedSeq: number;
  readonly isLarge: number | boolean;
}

/** By user, and then by conversation. */
async function membershipsOf(
  { sql }: Shard,
  asks: readonly ReplayAsk[],
): Promise<ReadonlyMap<bigint, ReadonlyMap<bigint, ReplayMembership>>> {
  const wanted = asks.flatMap(({ userId, conversationIds }) =>
    conversationIds.map((id) => [id, userId] as const),
  );
  const byUser = new Map<bigint, Map<bigint, ReplayMembership>>();
  if (wanted.length === 0) return byUser;
  const { text, params } = pairsCondition(
    ['m.conversationId', 'm.userId'],
    pairsOf(wanted, (pair) => pair),
  );
  const rows = await sql.query<MembershipRow>(
    `SELECT m.userId, m.conversationId, m.joinedSeq, c.isLarge, c.lastSeq, c.changeSeq
     FROM Member m JOIN Conversation c ON c.id = m.conversationId WHERE ${text} AND m.isListed = 1`,
    params,
  );
  const heads = new Map<bigint, ReplayHead>();
  for (const { userId, conversationId, joinedSeq, isLarge, lastSeq, changeSeq } of rows) {
    if (!heads.has(conversationId)) {
      heads.set(conversationId, { isLarge: Boolean(isLarge), lastSeq, changeSeq });
    }
    const head = present(heads.get(conversationId), 'it was set');
    const own = byUser.get(userId) ?? new Map<bigint, ReplayMembership>();
    byUser.set(userId, own.set(conversationId, { joinedSeq, head }));
  }
  return byUser;
}
