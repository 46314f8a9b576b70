import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { present } from '../../lib/assert.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
import { Arrivals, arrivalsMax } from './arrivals.ts';
import { Carrier } from './carrier.ts';
import type { InboxLog, LogPlace } from '../inbox/inbox-log.ts';
import type { MemberLists } from './member-lists.ts';
import { SharedLane } from './shared-lane.ts';
import { about, forgetDone, readRows, undoneIds } from './undone-rows.ts';

export interface SharedOutboxDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly inboxLog: InboxLog;
  readonly memberLists: MemberLists;
  /** Of the logs as a whole: what is done in one is not done in another. Null: it is not known yet. */
  readonly epoch: () => bigint | null;
  /** Whether this node is the one that looks for what others left, for a while; a good guess is good enough. */
  readonly isRelay: (shardIndex: number) => Promise<boolean>;
  /** Told of rows of which perhaps nobody heard at their commit. */
  readonly onFound: (rows: readonly CommittedRow[]) => void;
  readonly limits: {
    readonly laneQueueRowsMax: number;
    readonly laneBatchRowsMax: number;
    readonly outboxDoneFlushMs: number;
    readonly outboxKeptDoneMs: number;
    readonly relayAgeMs: number;
    readonly relayPollMs: number;
  };
}

/** A shard's outbox, as this node empties it. */
interface Source {
  readonly shard: Shard;
  readonly arrivals: Arrivals;
  readonly ways: readonly { readonly place: LogPlace; readonly lane: SharedLane }[];
  relaying: Promise<void> | null;
  relayedAtMs: number;
  sweptAtMs: number;
}

const idsPerStatement = 500;
/** Undone rows before one that a node looks through at its commit. */
const earlierIdsMax = 5_000;
/** Rows that are looked through for a change of members. */
const undoneRowsMax = 1_000;

/**
 * From the commit to the inboxes, where several nodes write: each takes the rows that it commits to the logs of their
 * recipients; what a node left that died, or could not take there, another finds after a few seconds (the relay). It does not
 * matter who is first, or how often: the logs pass over what they have, and tell where something is missing before.
 *
 * A row is done when every place has it, in an epoch of the logs; in another epoch it is done again.
 */
export class SharedOutbox implements Lifecycle {
  readonly #deps: SharedOutboxDeps;
  #sources: readonly Source[] = [];
  #timers: NodeJS.Timeout[] = [];
  #marking: Promise<void> | null = null;
  #isStopped = false;

  constructor(deps: SharedOutboxDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    const { shards, limits } = this.#deps;
    this.#sources = shards.all.map((shard) => this.#source(shard));
    this.#timers = [
      setInterval(() => {
        this.#marking ??= this.#markDone().finally(() => {
          this.#marking = null;
        });
      }, limits.outboxDoneFlushMs),
      setInterval(() => this.#relayAll(), limits.relayPollMs),
    ];
    return Promise.resolve();
  }

  /** What has not arrived yet stays in the outbox, for others. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#sources.flatMap(({ ways }) => ways.map(({ lane }) => lane.stop())));
    for (const { relaying } of this.#sources) await relaying;
    await this.#marking;
    await this.#markDone();
  }

  offer(row: CommittedRow): void {
    for (const { lane } of this.#sources[row.shardIndex]?.ways ?? []) lane.offer(row);
  }

  /** A commit's outcome is unknown: the relay finds its row, where there is one. */
  doubt(_shardIndex: number): void {
    // It looks every second.
  }

  /** The logs began anew, at one place at least: nothing is known to have arrived. */
  epochChanged(): void {
    for (const { arrivals } of this.#sources) arrivals.clear();
    this.#relayAll();
  }

  /** Whether all that changed the members of a conversation has come to the logs of a place. */
  async areMembersTold({ index }: LogPlace, conversationId: bigint): Promise<boolean> {
    const epoch = this.#deps.epoch();
    const shard = this.#deps.shards.of(conversationId);
    const source = this.#sources[shard.index];
    if (epoch === null || !source) return false;
    const range = { after: 0n, before: null };
    const ids = await undoneIds(shard, epoch, range, earlierIdsMax + 1);
    const left = ids.filter((id) => !source.arrivals.has(id, index));
    if (ids.length > earlierIdsMax || left.length > undoneRowsMax) return false;
    const rows = about(await readRows(shard, left), new Set([conversationId]));
    const parts = rows.flatMap(({ body }) => body.parts);
    return parts.every(({ firstEventNo, membersEventNo }) => membersEventNo < firstEventNo);
  }

  #source(shard: Shard): Source {
    const { inboxLog, limits, log } = this.#deps;
    const arrivals = new Arrivals(inboxLog.places.length);
    const ways = inboxLog.places.map((place) => {
      const carrier = new Carrier({ ...this.#deps, source: shard, place, arrivals, earlierIdsMax });
      const carry = (rows: readonly CommittedRow[]): Promise<void> => carrier.carry(rows);
      const lane = new SharedLane({
        log: log.child({ from: shard.index, to: place.index }),
        limits,
        carry,
      });
      return { place, lane, carry };
    });
    return { shard, arrivals, ways, relaying: null, relayedAtMs: -Infinity, sweptAtMs: -Infinity };
  }

  #relayAll(): void {
    for (const source of this.#sources) {
      if (this.#isStopped) return;
      source.relaying ??= this.#relay(source)
        .catch((err: unknown) => {
          this.#deps.log.warn({ err, shard: source.shard.index }, 'outbox.relay_failed');
        })
        .finally(() => {
          source.relaying = null;
        });
    }
  }

  async #relay(source: Source): Promise<void> {
    if (!(await this.#deps.isRelay(source.shard.index))) return;
    const failed = await Promise.allSettled(
      source.ways.map((_, index) => this.#relayTo(source, index)),
    );
    for (const one of failed) if (one.status === 'rejected') throw one.reason;
  }

  /** Once through all rows that are old enough and not done, in their order. */
  async #relayTo({ shard, arrivals, ways }: Source, index: number): Promise<void> {
    const { clock, limits, onFound } = this.#deps;
    const { place, lane } = present(ways[index], 'a way of the source');
    const all = { ...this.#deps, source: shard, place, arrivals, earlierIdsMax: arrivalsMax };
    const carrier = new Carrier(all);
    let after = 0n;
    while (!this.#isStopped) {
      const epoch = this.#deps.epoch();
      if (epoch === null) return;
      const range = { after, before: null };
      const ids = await undoneIds(shard, epoch, range, limits.laneBatchRowsMax);
      const last = ids.at(-1);
      if (last === undefined) return;
      after = last;
      const mine = ids.filter((id) => !arrivals.has(id, place.index) && !lane.has(id));
      const rows = await readRows(shard, mine);
      const now = clock.now();
      // What is from a time to come was written by a node whose clock is ahead, which may be dead all the same.
      const old = rows.filter(
        ({ createdAtMs }) => Math.abs(now - createdAtMs) >= limits.relayAgeMs,
      );
      if (old.length === 0) {
        if (rows.length > 0) return;
        continue;
      }
      // Once is enough.
      if (index === 0) onFound(old);
      await carrier.carry(old);
    }
  }

  async #markDone(): Promise<void> {
    await Promise.all(
      this.#sources.map((source) =>
        this.#markSource(source).catch((err: unknown) => {
          this.#deps.log.warn({ err, shard: source.shard.index }, 'outbox.mark_failed');
        }),
      ),
    );
  }

  /** What every place has is marked. Now and then, rows done long ago are deleted. */
  async #markSource(source: Source): Promise<void> {
    const { clock, epoch: epochOf, failpoints, limits } = this.#deps;
    const { arrivals, shard } = source;
    const epoch = epochOf();
    if (epoch === null) return;
    const done = arrivals.takeDone();
    try {
      if (done.length > 0) failpoints.reach('before-done');
      for (const page of chunks(done, idsPerStatement)) {
        const text = `UPDATE OutboxRow SET doneAtMs = ?, doneIn = ? WHERE id IN (${marks(page.length)})`;
        await shard.sql.execute(text, [clock.now(), epoch, ...page]);
      }
    } catch (error) {
      arrivals.putBack(done);
      throw error;
    }
    arrivals.marked(done);
    if (clock.now() - source.sweptAtMs < limits.outboxKeptDoneMs / 10) return;
    source.sweptAtMs = clock.now();
    await forgetDone(shard, epoch, clock.now() - limits.outboxKeptDoneMs);
  }
}
