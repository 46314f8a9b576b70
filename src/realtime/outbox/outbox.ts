import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { InboxLog, LogPlace } from '../inbox/inbox-log.ts';
import { Lane } from './lane.ts';
import type { MemberLists } from './member-lists.ts';
import { stretchesOf, tellingOf } from './row-stretches.ts';

export interface OutboxDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly inboxLog: InboxLog;
  readonly memberLists: MemberLists;
  /** Whether anybody would be told what this user's log gets. */
  readonly isHeard: (userId: bigint) => boolean;
  /** Told of rows of which perhaps nobody of this node heard at their commit. */
  readonly onFound: (rows: readonly CommittedRow[]) => void;
  readonly limits: {
    readonly laneQueueRowsMax: number;
    readonly laneBatchRowsMax: number;
    readonly laneDoubtMs: number;
    readonly outboxDoneFlushMs: number;
    readonly outboxKeptDoneMs: number;
  };
}

/**
 * From the commit to the inboxes: takes every outbox row to the logs of its recipients, and what was logged to the
 * connections of this node.
 *
 * Each shard's rows go to each shard's logs on a lane of their own, so a shard that does not answer holds up its own users
 * alone. A row is done when every lane has it.
 */
export class Outbox implements Lifecycle {
  readonly #deps: OutboxDeps;
  readonly #lanes = new Map<number, Lane[]>();
  readonly #marks = new Map<Shard, Marks>();
  #timer: NodeJS.Timeout | null = null;
  #marking: Promise<void> | null = null;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { shards, inboxLog, limits, log } = this.#deps;
    for (const source of shards.all) {
      const lanes = inboxLog.places.map(
        (target, index) =>
          new Lane({
            source,
            log: log.child({ from: source.index, to: target.index }),
            limits,
            carry: (rows) => this.#carry(target, rows),
            // Once is enough.
            onFound: (rows) => index === 0 && this.#deps.onFound(rows),
          }),
      );
      this.#lanes.set(source.index, lanes);
      for (const lane of lanes) lane.start();
    }
    this.#timer = setInterval(() => {
      this.#marking ??= this.#markDone().finally(() => {
        this.#marking = null;
      });
    }, limits.outboxDoneFlushMs);
    await Promise.resolve();
  }

  /** What has not arrived yet stays in the outbox for the next start. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await Promise.all([...this.#lanes.values()].flat().map((lane) => lane.stop()));
    await this.#marking;
    await this.#markDone();
  }

  /** A row that the writer has committed; rows of a shard come in the order of their commits. */
  offer(row: CommittedRow): void {
    for (const lane of this.#lanes.get(row.shardIndex) ?? []) lane.offer(row);
  }

  /** A commit's outcome is unknown: whether there is a row only the outbox knows. */
  doubt(shardIndex: number): void {
    for (const lane of this.#lanes.get(shardIndex) ?? []) lane.doubt();
  }

  async #carry(place: LogPlace, rows: readonly CommittedRow[]): Promise<void> {
    const { inboxLog, memberLists, shards, isHeard } = this.#deps;
    const isOurs = (userId: bigint): boolean => inboxLog.placeOf(userId) === place;
    const stretches = await stretchesOf(rows, memberLists, isOurs);
    if (stretches.length === 0) return;
    const telling = await tellingOf(rows, stretches, shards, isHeard);
    await inboxLog.append(place, { kind: 'events', stretches, telling });
  }

  async #markDone(): Promise<void> {
    const marking = this.#deps.shards.all.map((shard) =>
      this.#markShard(shard).catch((error: unknown) => {
        this.#deps.log.warn({ err: error, shard: shard.index }, 'outbox.mark_failed');
      }),
    );
    await Promise.all(marking);
  }

  /** One statement: all up to the row that every lane has. Now and then, rows done long ago are deleted. */
  async #markShard(shard: Shard): Promise<void> {
    const { clock, failpoints, limits } = this.#deps;
    const now = clock.now();
    const keptMs = limits.outboxKeptDoneMs;
    // What an earlier run has marked is deleted as well.
    const marks = this.#marks.get(shard) ?? { upTo: 0n, markedAtMs: now, sweptAtMs: -Infinity };
    this.#marks.set(shard, marks);
    const positions = (this.#lanes.get(shard.index) ?? []).map((lane) => lane.position);
    const upTo = positions.reduce((least, position) => (position < least ? position : least));
    if (upTo > marks.upTo) {
      failpoints.reach('before-done');
      const text = 'UPDATE OutboxRow SET doneAtMs = ?, doneIn = 0 WHERE doneIn IS NULL AND id <= ?';
      await shard.sql.execute(text, [now, upTo]);
      marks.upTo = upTo;
      marks.markedAtMs = now;
    }
    const mayBeLeft = marks.sweptAtMs - keptMs <= marks.markedAtMs;
    if (mayBeLeft && now - marks.sweptAtMs >= keptMs / 10) {
      await shard.sql.execute('DELETE FROM OutboxRow WHERE doneIn = 0 AND doneAtMs < ?', [
        now - keptMs,
      ]);
      marks.sweptAtMs = now;
    }
  }
}

/** What is done with the rows that have arrived everywhere. */
interface Marks {
  /** Those up to here are marked. */
  upTo: bigint;
  markedAtMs: number;
  /** When those were deleted that were marked long enough before. */
  sweptAtMs: number;
}
