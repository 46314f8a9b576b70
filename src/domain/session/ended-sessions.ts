import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { limits } from '../../limits.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';
import type { EndReason, SessionEnd } from './model.ts';
import { endedSince, forgetEnded, newestEnd } from './session-store.ts';

/** What is known of a shard since it was last asked with success, and when all that was old enough had been deleted. */
interface Poll {
  /** `endedAtMs` of the newest end known after each of the last polls, the earliest first. */
  readonly newestMs: readonly number[];
  /** The sessions that were read last: they come again until something newer has been known for a while. */
  readonly known: ReadonlySet<bigint>;
  readonly sweptAtMs: number;
  readonly isFailing?: boolean;
}

/** Told once of each session that ends, whichever node ended it. */
export type EndListener = (end: SessionEnd) => void;

/** Beyond a token's life: times are taken on several clocks. */
const marginMs = 60_000;
/** So many polls take longer than a transaction may. */
const overlapPolls = Math.ceil(limits.sinceOverlapMs / limits.revocationPollMs);
/** How long an ended session is kept in its table, for whoever looks into it. */
const keptInTableMs = 7 * 86_400_000;
const sweepEveryMs = 3_600_000;
const sweepRows = 500;

/**
 * All sessions whose access tokens could still be alive but for their end: known without asking the database. What ends on
 * this node is told at once; what ends on another is found in the shards within `limits.revocationPollMs`, also where clocks
 * differ by less than an access token lives: an end is written as later than all that were committed before it, and asked for
 * are those since the newest that was known a while ago.
 */
export class EndedSessions implements Lifecycle {
  readonly #shards: ShardMap;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #keptMs: number;
  /** In the order in which they became known here. */
  readonly #ends = new Map<bigint, { reason: EndReason; knownAtMs: number }>();
  readonly #listeners = new Set<EndListener>();
  readonly #timers = new Map<Shard, NodeJS.Timeout>();
  readonly #polls = new Set<Promise<void>>();
  #isStopped = false;

  constructor(deps: { shards: ShardMap; clock: Clock; log: Logger; accessTokenTtlMs: number }) {
    this.#shards = deps.shards;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#keptMs = deps.accessTokenTtlMs + marginMs;
  }

  /** Null: it lives, or it ended so long ago that no token of it is left. */
  reasonOf(sessionId: bigint): EndReason | null {
    return this.#ends.get(sessionId)?.reason ?? null;
  }

  /**
   * Told once of every end, whichever node it happened on. Ends of this node: before the promise of what caused them
   * resolves; of a LOGGED_OUT, after the callbacks of that promise, so that who logs out can be answered first.
   * @returns what ends the telling.
   */
  onEnded(listener: EndListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes an end that was just committed. */
  note(end: SessionEnd): void {
    if (this.#ends.has(end.sessionId)) return;
    this.#ends.set(end.sessionId, { reason: end.reason, knownAtMs: this.#clock.now() });
    if (end.reason === 'LOGGED_OUT') setImmediate(() => this.#tell(end));
    else this.#tell(end);
  }

  /** Knows all that matters when it resolves. */
  async start(): Promise<void> {
    this.#isStopped = false;
    const first = await Promise.all(
      this.#shards.all.map(async (shard) => ({ shard, poll: await this.#begin(shard) })),
    );
    for (const { shard, poll } of first) this.#pollLater(shard, poll);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#polls);
  }

  /** Each shard by itself: one that hangs does not hold up the others. */
  #pollLater(shard: Shard, last: Poll): void {
    if (this.#isStopped) return;
    const timer = setTimeout(() => {
      const poll = this.#poll(shard, last).then((next) => this.#pollLater(shard, next));
      this.#polls.add(poll);
      void poll.finally(() => this.#polls.delete(poll));
    }, limits.revocationPollMs);
    this.#timers.set(shard, timer);
  }

  async #begin(shard: Shard): Promise<Poll> {
    const now = this.#clock.now();
    const newestMs = await newestEnd(shard);
    // Some that a node with a slow clock was about to commit may be older.
    const sinceMs = Math.min(now, newestMs) - marginMs;
    const { known } = await this.#read(shard, Math.min(sinceMs, now - this.#keptMs), null);
    return { newestMs: [sinceMs], known, sweptAtMs: now };
  }

  async #poll(shard: Shard, last: Poll): Promise<Poll> {
    const now = this.#clock.now();
    this.#prune(now);
    try {
      const [sinceMs = 0] = last.newestMs;
      const { known, newestMs } = await this.#read(shard, sinceMs, last.known);
      const newest = [...last.newestMs, newestMs].slice(-overlapPolls);
      const sweptAtMs = await this.#sweep(shard, now, last.sweptAtMs);
      return { newestMs: newest, known, sweptAtMs };
    } catch (err) {
      // Once for a row of failures: it comes back each second.
      if (!last.isFailing) this.#log.warn({ err, shard: shard.index }, 'session.poll_failed');
      return { ...last, isFailing: true };
    }
  }

  /** @param before what was read the last time; null: this is the first one. */
  async #read(shard: Shard, sinceMs: number, before: ReadonlySet<bigint> | null) {
    const ends = await endedSince(shard, sinceMs);
    // No token is left of those that ended longer ago, and what was forgotten here is not to be told again.
    const matterMs = before ? this.#keptMs - marginMs : this.#keptMs;
    const matterSinceMs = this.#clock.now() - matterMs;
    for (const { endedAtMs, ...end } of ends) {
      if (endedAtMs > matterSinceMs && !before?.has(end.sessionId)) this.note(end);
    }
    const newestMs = ends.at(-1)?.endedAtMs ?? sinceMs;
    return { known: new Set(ends.map(({ sessionId }) => sessionId)), newestMs };
  }

  /** One batch a poll: a long absence is made good bit by bit. */
  async #sweep(shard: Shard, now: number, sweptAtMs: number): Promise<number> {
    if (now - sweptAtMs < sweepEveryMs) return sweptAtMs;
    const deleted = await forgetEnded(shard, now - keptInTableMs, sweepRows);
    return deleted < sweepRows ? now : sweptAtMs;
  }

  #prune(now: number): void {
    for (const [sessionId, { knownAtMs }] of this.#ends) {
      if (knownAtMs + this.#keptMs > now) return;
      this.#ends.delete(sessionId);
    }
  }

  #tell(end: SessionEnd): void {
    for (const listener of this.#listeners) {
      try {
        listener(end);
      } catch (err) {
        this.#log.error({ err, sessionId: String(end.sessionId) }, 'session.listener_failed');
      }
    }
  }
}
