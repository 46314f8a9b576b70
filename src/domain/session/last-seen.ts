import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { chunks } from '../../lib/chunks.ts';
import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';
import { seeSessions } from './session-store.ts';

/** A session's time is written at most once in this. */
const writeEveryMs = 60_000;
/** How long times are gathered: so exact is what is written. */
const gatherMs = 5_000;
/** Sessions in one statement. */
const batchMax = 500;

/** Remembers when sessions were last seen, and writes it in batches. */
export class LastSeen implements Lifecycle {
  readonly #shards: ShardMap;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** When a session was last noted to be written; the earliest first. */
  readonly #notedAtMs = new Map<bigint, number>();
  #pending = new Set<bigint>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(deps: { shards: ShardMap; clock: Clock; log: Logger }) {
    this.#shards = deps.shards;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Costs no statement now, and none at all within a minute of the last one. */
  touch(sessionId: bigint): void {
    const now = this.#clock.now();
    const noted = this.#notedAtMs.get(sessionId);
    if (noted !== undefined && now - noted < writeEveryMs) return;
    this.#notedAtMs.delete(sessionId);
    this.#notedAtMs.set(sessionId, now);
    this.#pending.add(sessionId);
  }

  start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#flush(), gatherMs);
    return Promise.resolve();
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#flush();
  }

  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(async () => {
      const now = this.#clock.now();
      const pending = [...this.#pending];
      this.#pending = new Set();
      this.#forget(now);
      const idOf = (id: bigint) => id;
      await readPerShard(this.#shards, pending, idOf, (shard, ids) => this.#write(shard, ids, now));
    });
    return this.#flushing;
  }

  async #write(shard: Shard, ids: readonly bigint[], now: number): Promise<void> {
    try {
      for (const batch of chunks(ids, batchMax)) await seeSessions(shard, batch, now);
    } catch (err) {
      // What is lost is one minute of a time that is a hint.
      this.#log.warn({ err, shard: shard.index }, 'session.last_seen_not_written');
    }
  }

  #forget(now: number): void {
    for (const [sessionId, notedAtMs] of this.#notedAtMs) {
      if (now - notedAtMs < writeEveryMs) return;
      this.#notedAtMs.delete(sessionId);
    }
  }
}
