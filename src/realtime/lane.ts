import type { Logger } from '../lib/log.ts';
import { decodeBody } from '../domain/timeline/timeline.ts';
import type { CommittedRow } from '../domain/timeline/timeline.ts';
import type { Shard } from '../storage/shards.ts';

export interface LaneDeps {
  /** Where the outbox is that this lane empties. */
  readonly source: Shard;
  readonly log: Logger;
  readonly limits: { readonly laneQueueRowsMax: number; readonly laneBatchRowsMax: number };
  /** Takes rows, in order, to where this lane leads. Repeated with the same rows where it rejects. */
  readonly carry: (rows: readonly CommittedRow[]) => Promise<void>;
  /** Told when `position` has moved. */
  readonly onProgress: () => void;
}

const pauseMinMs = 20;
const pauseMaxMs = 2_000;

/**
 * Takes the outbox rows of one shard, in order, to one place, which may fail for a while without holding up other lanes.
 *
 * Rows come from the writer through a bounded queue in memory; where that overflows, and at the start, they are read from
 * the outbox itself. What is repeated after a crash its destination recognises.
 */
export class Lane {
  readonly #deps: LaneDeps;
  #queue: CommittedRow[] = [];
  /** Rows may be in the table that the queue does not hold. */
  #isBehind = true;
  #position = 0n;
  #running: Promise<void> | null = null;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** The id of the last row that arrived. */
  get position(): bigint {
    return this.#position;
  }

  /** True while nothing is left to carry. */
  get isIdle(): boolean {
    return this.#running === null;
  }

  /** Begins with what an earlier run left in the outbox. */
  start(): void {
    this.#run();
  }

  offer(row: CommittedRow): void {
    if (this.#isStopped) return;
    if (this.#queue.length >= this.#deps.limits.laneQueueRowsMax) this.#fallBehind();
    // What is committed before the outbox is read is found there.
    if (!this.#isBehind) this.#queue.push(row);
    this.#run();
  }

  /** Ends when the rows under way have arrived or failed; the rest stays in the outbox. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    let pauseMs = pauseMinMs;
    while (!this.#isStopped) {
      try {
        const rows = await this.#next();
        if (rows.length === 0) {
          // A row may have come since: whatever is offered from here on, in the same turn, starts anew.
          if (this.#queue.length > 0 || this.#isBehind) continue;
          break;
        }
        await this.#deps.carry(rows);
        this.#position = rows.at(-1)?.id ?? this.#position;
        this.#deps.onProgress();
        pauseMs = pauseMinMs;
      } catch (error) {
        this.#fallBehind();
        this.#deps.log.warn({ err: error, pauseMs }, 'outbox.lane_failed');
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, pauseMaxMs);
      }
    }
    this.#running = null;
  }

  /** The rows are still in the outbox, and are read from there: a place that does not answer costs no memory. */
  #fallBehind(): void {
    this.#queue = [];
    this.#isBehind = true;
  }

  /** The next rows after `position`, in order. */
  async #next(): Promise<CommittedRow[]> {
    const { laneBatchRowsMax } = this.#deps.limits;
    if (this.#isBehind) {
      // From before the read on, what is committed is queued: nothing falls between the two.
      this.#isBehind = false;
      const rows = await this.#read(laneBatchRowsMax).catch((error: unknown) => {
        this.#isBehind = true;
        throw error;
      });
      if (rows.length === laneBatchRowsMax) this.#isBehind = true;
      if (rows.length > 0) return rows;
    }
    const fresh = this.#queue.filter(({ id }) => id > this.#position);
    this.#queue = fresh.slice(laneBatchRowsMax);
    return fresh.slice(0, laneBatchRowsMax);
  }

  async #read(rowsMax: number): Promise<CommittedRow[]> {
    const { source } = this.#deps;
    const rows = await source.sql.query<{ id: bigint; createdAtMs: bigint; body: string }>(
      'SELECT id, createdAtMs, body FROM OutboxRow' +
        ' WHERE doneAtMs IS NULL AND id > ? ORDER BY id LIMIT ?',
      [this.#position, rowsMax],
    );
    return rows.map(({ id, createdAtMs, body }) => ({
      shardIndex: source.index,
      id,
      body: decodeBody(body),
      createdAtMs: Number(createdAtMs),
      messages: [],
    }));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      this.#wake = done;
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
    });
  }
}
