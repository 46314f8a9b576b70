import { present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Fault } from '../../lib/fault.ts';
import { slotOf, slotOfKey } from '../../lib/id.ts';
import type { IdSource } from '../../lib/id.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { GroupCommit } from '../../storage/group-commit.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { SqlError } from '../../storage/sql.ts';
import { writeBatch } from './batch-write.ts';
import { Batch } from './batch.ts';
import type { Draft, ResultOf, Results, Send } from './draft.ts';
import { settleDuplicates } from './duplicates.ts';
import type { Outcome } from './duplicates.ts';
import type { TimelineRules } from './kind.ts';
import { isCreation, originText } from './origin.ts';
import type { CommittedRow } from './outbox.ts';

export interface TimelinesDeps {
  readonly shards: Pick<Shards, 'all' | 'ofSlot'>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly rules: TimelineRules;
  readonly limits: {
    readonly writerBatchDraftsMax: number;
    readonly writerQueueDraftsMax: number;
    readonly writerWaitMaxMs: number;
    readonly writerDeferMaxMs: number;
  };
  /** Told of each committed outbox row, in the order of the commits of its shard. Must not throw. */
  readonly onCommitted: (row: CommittedRow) => void;
  /** Told when it is unknown whether a commit of this shard happened. Must not throw. */
  readonly onUnknown: (shardIndex: number) => void;
}

type Result = Results[Draft['kind']];
/** How often a batch is begun anew because keys of it were there already. */
const strikesMax = 3;

/**
 * The writer of all timelines: the one door for what has an order in a conversation.
 *
 * While one transaction of a shard runs, drafts gather; the next takes them all. `submit` answers after the draft's events are durably
 * committed, and what it answers has its final place. The order of commits in a conversation is the order in which
 * everybody sees its events; numbers are taken under the head's row lock by accepted drafts only, so they have no gap.
 */
export class Timelines implements Lifecycle {
  readonly #deps: TimelinesDeps;
  readonly #writers = new Map<number, GroupCommit<Draft, Result>>();

  constructor(deps: TimelinesDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { limits, shards } = this.#deps;
    for (const shard of shards.all) {
      const writer = new GroupCommit<Draft, Result>({
        run: (drafts) => this.#run(shard, drafts),
        keyOf: (draft) => (isCreation(draft) ? originText(draft) : draft.conversationId),
        batchMax: limits.writerBatchDraftsMax,
        queueMax: limits.writerQueueDraftsMax,
        waitMaxMs: limits.writerWaitMaxMs,
        deferMaxMs: limits.writerDeferMaxMs,
      });
      this.#writers.set(shard.index, writer);
    }
    await Promise.resolve();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop(graceMs)));
  }

  /** What any draft for that conversation would be refused with now, whatever it says; null: it would be looked at. */
  busy(conversationId: bigint): Fault | null {
    return this.#writerOf(slotOf(conversationId)).busy();
  }

  /**
   * @throws {Fault} NOT_FOUND where the actor is no member or what it names does not exist for them;
   *   FAILED_PRECONDITION, FORBIDDEN, IDEMPOTENCY_CONFLICT as the contract says for each kind;
   *   UNAVAILABLE where the queue is full or the outcome is unknown: retry with the same key.
   */
  async submit<D extends Draft>(draft: D): Promise<ResultOf<D>> {
    return (await this.#writerOf(slotFor(draft)).submit(draft)) as ResultOf<D>;
  }

  #writerOf(slot: number): GroupCommit<Draft, Result> {
    const { index } = this.#deps.shards.ofSlot(slot);
    return present(this.#writers.get(index), 'the writer was not started');
  }

  /** One transaction for all drafts; begun anew without those whose originals were found. */
  async #run(shard: Shard, drafts: readonly Draft[]): Promise<Outcome[]> {
    const outcomes: (Outcome | undefined)[] = drafts.map(() => undefined);
    for (let strikes = 0; ; strikes += 1) {
      const open = drafts.map((_draft, index) => index).filter((index) => !outcomes[index]);
      try {
        const decided = await this.#commit(
          shard,
          open.map((index) => drafts[index] as Draft),
        );
        open.forEach((index, place) => {
          outcomes[index] = decided[place];
        });
        return outcomes as Outcome[];
      } catch (error) {
        const isStrike = error instanceof SqlError && error.kind === 'unique';
        if (!isStrike || strikes === strikesMax) throw error;
        const sends = open
          .map((index) => ({ index, draft: drafts[index] }))
          .filter((item): item is { index: number; draft: Send } => item.draft?.kind === 'send');
        await settleDuplicates(shard.sql, sends, outcomes);
      }
    }
  }

  async #commit(shard: Shard, drafts: readonly Draft[]): Promise<Outcome[]> {
    const { failpoints, clock, rules, ids } = this.#deps;
    if (drafts.length === 0) return [];
    const nowMs = clock.now();
    let tellDecided: (outcomes: Outcome[]) => void = () => undefined;
    const decided = new Promise<Outcome[]>((resolve) => {
      tellDecided = resolve;
    });
    const committed = shard.sql.transaction(async (tx) => {
      const newId = (draft: Draft): bigint => ids.next(slotFor(draft));
      const batch = new Batch(tx, drafts, { sql: shard.sql, rules, nowMs, newId });
      const outcomes = await batch.decide();
      tellDecided(outcomes);
      const { touched, beside } = batch;
      if (touched.length === 0 && beside.length === 0) return { outcomes, row: null };
      const body = { parts: touched.map((state) => state.outboxPart) };
      const withOutbox = touched.length > 0 && !failpoints.hasBug('outbox-row-not-written');
      const written = withOutbox ? body : null;
      failpoints.reach('before-commit');
      const id = await writeBatch(tx, shard.sql, touched, beside, written, nowMs);
      if (touched.length === 0) return { outcomes, row: null };
      const messages = touched.flatMap((state) => [
        ...state.appended.map(({ message }) => message),
        ...state.changed.values(),
      ]);
      return { outcomes, row: { shardIndex: shard.index, id, body, createdAtMs: nowMs, messages } };
    });
    if (failpoints.hasBug('ack-before-commit')) {
      committed.catch(() => undefined);
      return decided;
    }
    const { outcomes, row } = await committed.catch((error: unknown) => {
      if (error instanceof SqlError && error.kind === 'connection') {
        this.#deps.onUnknown(shard.index);
      }
      throw error;
    });
    failpoints.reach('after-commit');
    if (row && !failpoints.hasBug('outbox-row-not-written')) this.#deps.onCommitted(row);
    return outcomes;
  }
}

/** The slot of a draft's conversation, whether it is there already or only to be created. */
function slotFor(draft: Draft): number {
  if (!isCreation(draft)) return slotOf(draft.conversationId);
  if (draft.kind === 'createGroup') {
    return slotOfKey('group', draft.actorId, draft.clientRequestId);
  }
  const { actorId, peerId } = draft;
  return actorId < peerId
    ? slotOfKey('direct', actorId, peerId)
    : slotOfKey('direct', peerId, actorId);
}
