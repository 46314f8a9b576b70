import { Fault } from '../../lib/fault.ts';
import { pairsOf } from '../../storage/pairs.ts';
import type { Sql, SqlTransaction, Statement } from '../../storage/sql.ts';
import {
  headsThere,
  loadAllMembers,
  loadHeir,
  loadMembers,
  loadMessages,
  loadOriginals,
  loadRefusals,
  lockHeads,
} from './batch-load.ts';
import type { FullHeadRow } from './batch-load.ts';
import type { Draft, Send } from './draft.ts';
import { settleDuplicates } from './duplicates.ts';
import type { Outcome } from './duplicates.ts';
import type { Needs, TimelineRules } from './kind.ts';
import { kindOf } from './kinds/kinds.ts';
import { notFound } from './kinds/rights.ts';
import { isCreation, originKey, originText } from './origin.ts';
import type { Creation } from './origin.ts';
import { groupHash } from './payload.ts';
import { headOf } from './rows.ts';
import { ConversationState } from './state.ts';

type Within = Exclude<Draft, Creation>;

export interface BatchDeps {
  readonly sql: Sql;
  readonly rules: TimelineRules;
  readonly nowMs: number;
  /** A new id on the slot of what it is for. */
  newId(draft: Creation): bigint;
}

/** What a batch of drafts does to the conversations of a shard, decided in memory under the head locks. */
export class Batch {
  readonly #tx: SqlTransaction;
  readonly #deps: BatchDeps;
  readonly #drafts: readonly Draft[];
  readonly #states = new Map<bigint, ConversationState>();
  readonly #byOrigin = new Map<string, ConversationState>();
  /** Heads that are there but that another transaction holds: by id and by origin key. */
  readonly #held = new Set<bigint | string>();
  /** Conversations of which the rest waits for the next batch, so that the order of arrival is kept. */
  readonly #waiting = new Set<ConversationState>();

  constructor(tx: SqlTransaction, drafts: readonly Draft[], deps: BatchDeps) {
    this.#tx = tx;
    this.#drafts = drafts;
    this.#deps = deps;
  }

  /** The conversations in which anything happened. */
  get touched(): ConversationState[] {
    return [...this.#states.values()].filter((state) => state.isTouched);
  }

  /** What is written besides. */
  get beside(): Statement[] {
    return [...this.#states.values()].flatMap((state) => state.beside);
  }

  /** Loads what the drafts need, and decides them in their order. */
  async decide(): Promise<Outcome[]> {
    await this.#load();
    const outcomes = this.#drafts.map((draft) => this.#decideOne(draft));
    // A send that is refused may be the retry of one that was accepted while its sender still could.
    const refused = this.#drafts
      .map((draft, index) => ({ draft, index }))
      .filter(
        (item): item is { draft: Send; index: number } =>
          item.draft.kind === 'send' && isRefusedForNow(outcomes[item.index]),
      );
    await settleDuplicates(this.#tx, refused, outcomes);
    return outcomes;
  }

  async #load(): Promise<void> {
    const within = this.#drafts.filter((draft): draft is Within => !isCreation(draft));
    const creations = this.#drafts.filter(isCreation);
    const ids = [...new Set(within.map((draft) => draft.conversationId))];
    const originKeys = new Map(creations.map((draft) => [originText(draft), originKey(draft)]));
    const wanted = within.map((draft) => ({ draft, needs: kindOf(draft).needs(draft) }));
    const messageKeys = wanted.flatMap(({ draft, needs }) =>
      needs.message ? [{ id: draft.conversationId, seq: needs.message.seq }] : [],
    );
    const memberKeys = wanted.flatMap(({ draft, needs }) =>
      needs.userIds.map((userId) => ({ id: draft.conversationId, userId })),
    );
    // One round trip: the statements run in this order, so members are read under the heads' locks.
    const [byId, byOrigin, members, messages] = await Promise.all([
      lockHeads(this.#tx, this.#deps.sql, 'id', ids),
      lockHeads(this.#tx, this.#deps.sql, 'originKey', [...originKeys.values()]),
      loadMembers(
        this.#tx,
        pairsOf(memberKeys, ({ id, userId }) => [id, userId]),
      ),
      loadMessages(
        this.#tx,
        pairsOf(messageKeys, ({ id, seq }) => [id, seq]),
      ),
    ]);
    for (const row of [...byId, ...byOrigin]) this.#addState(row);
    await this.#findHeld(ids, originKeys);
    for (const { id, userId } of memberKeys) this.#states.get(id)?.loadMember(userId, null);
    for (const member of members) {
      this.#states.get(member.conversationId)?.loadMember(member.userId, member);
    }
    for (const stored of messages) {
      this.#states.get(stored.message.conversationId)?.loadMessage(stored);
    }
    await this.#loadRedPackets(
      wanted.flatMap(({ draft, needs }) =>
        needs.redPacket ? [{ conversationId: draft.conversationId, ...needs.redPacket }] : [],
      ),
    );
    await this.#loadMore(
      wanted.map(({ draft }) => draft),
      creations,
    );
  }

  /** Under the heads' locks: what was decided about them before, and whether their keys are taken. */
  async #loadRedPackets(
    packets: readonly (NonNullable<Needs['redPacket']> & { conversationId: bigint })[],
  ): Promise<void> {
    if (packets.length === 0) return;
    const keys = packets.map(({ senderId: actorId, ...rest }) => ({ ...rest, actorId }));
    const ids = packets.map(({ id }) => id);
    const [originals, refusals] = await Promise.all([
      loadOriginals(this.#tx, keys),
      loadRefusals(this.#tx, ids),
    ]);
    for (const original of originals) {
      this.#states.get(original.message.conversationId)?.loadSent(original);
    }
    for (const { id, conversationId, fault } of refusals) {
      this.#states.get(conversationId)?.refusedRedPackets.set(id, fault);
    }
  }

  /** What could not be known before the heads and the messages were. */
  async #loadMore(within: readonly Within[], creations: readonly Creation[]): Promise<void> {
    const keys: { state: ConversationState; userId: bigint }[] = [];
    for (const draft of creations) {
      const state = this.#byOrigin.get(originText(draft));
      if (!state) continue;
      for (const userId of kindOf<Draft>(draft).needs(draft).userIds) keys.push({ state, userId });
    }
    const opening = new Set<ConversationState>();
    for (const draft of within) {
      const state = this.#states.get(draft.conversationId);
      if (!state) continue;
      const needs = kindOf<Draft>(draft).needs(draft);
      const author = needs.message?.author ? state.message(needs.message.seq)?.senderId : null;
      if (author !== null && author !== undefined) keys.push({ state, userId: author });
      if (state.head.kind === 'DIRECT' && state.head.lastSeq === 0) opening.add(state);
      const { heirOf } = needs;
      // Those who have nothing to hand over cost no round trip.
      if (heirOf !== undefined && state.membership(heirOf)?.role === 'OWNER') {
        state.heirId = await loadHeir(this.#tx, draft.conversationId);
        if (state.heirId !== null) keys.push({ state, userId: state.heirId });
      }
    }
    for (const state of opening) {
      for (const member of await loadAllMembers(this.#tx, state.head.id)) {
        state.loadMember(member.userId, member);
      }
    }
    const members = await loadMembers(
      this.#tx,
      pairsOf(keys, ({ state, userId }) => [state.head.id, userId]),
    );
    for (const { state, userId } of keys) state.loadMember(userId, null);
    for (const member of members) {
      this.#states.get(member.conversationId)?.loadMember(member.userId, member);
    }
  }

  /** A head that was not locked is unknown, or held by another transaction: a plain read tells which. */
  async #findHeld(
    ids: readonly bigint[],
    originKeys: ReadonlyMap<string, Uint8Array>,
  ): Promise<void> {
    if (this.#deps.sql.dialect.forUpdateSkipLocked === '') return;
    const missing = {
      ids: ids.filter((id) => !this.#states.has(id)),
      originKeys: [...originKeys]
        .filter(([text]) => !this.#byOrigin.has(text))
        .map(([, key]) => key),
    };
    for (const { id, originKey: key } of await headsThere(this.#tx, missing)) {
      this.#held.add(id);
      this.#held.add(Buffer.from(key).toString());
    }
  }

  #addState(row: FullHeadRow): void {
    if (this.#states.has(row.id)) return;
    this.#putState(headOf(row), row.originKey, row.originHash, false);
  }

  #putState(
    head: ConversationState['head'],
    key: Uint8Array,
    originHash: Uint8Array | null,
    isNew: boolean,
  ): ConversationState {
    const { nowMs, rules: limits } = this.#deps;
    const state = new ConversationState({
      head,
      originKey: key,
      originHash,
      isNew,
      nowMs,
      limits,
    });
    this.#states.set(head.id, state);
    this.#byOrigin.set(Buffer.from(key).toString(), state);
    return state;
  }

  #decideOne(draft: Draft): Outcome {
    const key = isCreation(draft) ? originText(draft) : draft.conversationId;
    if (this.#held.has(key)) return { kind: 'deferred' };
    const state = isCreation(draft)
      ? (this.#byOrigin.get(originText(draft)) ?? this.#newState(draft))
      : this.#states.get(draft.conversationId);
    if (!state) return { kind: 'refused', fault: notFound('conversation') };
    if (this.#waiting.has(state) || mustWait(draft, state)) {
      this.#waiting.add(state);
      return { kind: 'deferred' };
    }
    try {
      const result = kindOf(draft).decide(draft, state, this.#deps.rules);
      state.endDraft();
      return { kind: 'done', result };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (state.isNew && !state.isTouched) this.#dropState(state);
      return { kind: 'refused', fault: error };
    }
  }

  /** A creation that was refused leaves nothing behind for the next one of that key. */
  #dropState(state: ConversationState): void {
    this.#states.delete(state.head.id);
    this.#byOrigin.delete(Buffer.from(state.originKey).toString());
  }

  #newState(draft: Creation): ConversationState {
    const isGroup = draft.kind === 'createGroup';
    const { nowMs } = this.#deps;
    const head = {
      id: this.#deps.newId(draft),
      appId: draft.appId,
      kind: isGroup ? ('GROUP' as const) : ('DIRECT' as const),
      title: isGroup ? draft.title : null,
      createdBy: draft.actorId,
      createdAtMs: nowMs,
      lastSeq: 0,
      changeSeq: 0,
      eventNo: 0,
      membersEventNo: 0,
      memberCount: 0,
      isLarge: false,
      activityAtMs: nowMs,
      movedAtMs: nowMs,
    };
    return this.#putState(head, originKey(draft), isGroup ? groupHash(draft) : null, true);
  }
}

/** A later batch decides it: what it is about is not settled in this one. */
function mustWait(draft: Draft, state: ConversationState): boolean {
  if (state.hasCrossed) return true;
  // Who inherits was read, or was not, before the drafts before this one were decided.
  if (draft.kind === 'leave') {
    return state.isTouched && state.membership(draft.actorId)?.role === 'OWNER';
  }
  if (draft.kind === 'edit' || draft.kind === 'recall' || draft.kind === 'tellRedPacket') {
    return state.appended.some(({ message }) => message.seq === draft.seq);
  }
  return false;
}

function isRefusedForNow(outcome: Outcome | undefined): boolean {
  if (outcome?.kind !== 'refused') return false;
  return !(outcome.fault instanceof Fault && outcome.fault.code === 'IDEMPOTENCY_CONFLICT');
}
