import type { Logger } from '../../lib/log.ts';
import { decodeBody } from '../../domain/timeline/timeline.ts';
import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import type { Shard } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';

export interface LaneDeps {
  /** Where the outbox is that this lane empties. */
  readonly source: Shard;
  readonly log: Logger;
  readonly limits: {
    readonly laneQueueRowsMax: number;
    readonly laneBatchRowsMax: number;
    readonly laneDoubtMs: number;
  };
  /** Takes rows, in order, to where this lane leads. Repeated with the same rows where it rejects. */
  readonly carry: (rows: readonly CommittedRow[]) => Promise<void>;
  /** Told of rows that were read from the outbox: perhaps nobody of this node heard of them at their commit. */
  readonly onFound: (rows: readonly CommittedRow[]) => void;
}

/** From where on rows may still appear, and which of them have arrived. */
interface Doubt {
  readonly from: bigint;
  readonly carried: Set<bigint>;
  readonly timer: NodeJS.Timeout;
  isEnding: boolean;
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
  #doubt: Doubt | null = null;
  #running: Promise<void> | null = null;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** The id up to which every row has arrived. */
  get position(): bigint {
    return this.#doubt?.from ?? this.#position;
  }

  /** Begins with what an earlier run left in the outbox. */
  start(): void {
    this.#run();
  }

  offer(row: CommittedRow): void {
    if (this.#isStopped) return;
    if (this.#queue.length >= this.#deps.limits.laneQueueRowsMax) this.#fallBehind();
    // What is committed before the outbox is read is found there.
    if (this.#doubt) this.#isBehind = true;
    else if (!this.#isBehind) this.#queue.push(row);
    this.#run();
  }

  /**
   * The outcome of a commit is unknown: its row may appear a little later than rows that were committed after it. So for a
   * while rows are taken as the outbox shows them, and looked for again from where this began. Those of one conversation
   * still appear in their order, since its head was locked.
   */
  doubt(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#doubt?.timer);
    const timer = setTimeout(() => {
      if (this.#doubt) this.#doubt.isEnding = true;
      this.#fallBehind();
      this.#run();
    }, this.#deps.limits.laneDoubtMs);
    const { from, carried } = this.#doubt ?? { from: this.#position, carried: new Set<bigint>() };
    this.#doubt = { from, carried, timer, isEnding: false };
    this.#fallBehind();
    this.#run();
  }

  /** Ends when the rows under way have arrived or failed; the rest stays in the outbox. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#doubt?.timer);
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
          if (this.#doubt?.isEnding) this.#doubt = null;
          break;
        }
        await this.#deps.carry(rows);
        this.#arrived(rows);
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

  #arrived(rows: readonly CommittedRow[]): void {
    for (const { id } of rows) {
      if (id > this.#position) this.#position = id;
      this.#doubt?.carried.add(id);
    }
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
      if (rows.length > 0) {
        this.#deps.onFound(rows);
        return rows;
      }
    }
    const fresh = this.#queue.filter(({ id }) => id > this.#position);
    this.#queue = fresh.slice(laneBatchRowsMax);
    return fresh.slice(0, laneBatchRowsMax);
  }

  async #read(rowsMax: number): Promise<CommittedRow[]> {
    const { source } = this.#deps;
    const ids = await this.#undone(rowsMax);
    if (ids.length === 0) return [];
    const rows = await source.sql.query<{ id: bigint; createdAtMs: bigint; body: string }>(
      `SELECT id, createdAtMs, body FROM OutboxRow WHERE id IN (${marks(ids.length)}) ORDER BY id`,
      ids,
    );
    return rows.map(({ id, createdAtMs, body }) => ({
      shardIndex: source.index,
      id,
      body: decodeBody(body),
      createdAtMs: Number(createdAtMs),
      messages: [],
    }));
  }

  /** The first rows that did not arrive yet. */
  async #undone(rowsMax: number): Promise<bigint[]> {
    const carried = this.#doubt?.carried;
    const rows = await this.#deps.source.sql.query<{ id: bigint }>(
      'SELECT id FROM OutboxRow WHERE doneIn IS NULL AND id > ? ORDER BY id LIMIT ?',
      [this.position, rowsMax + (carried?.size ?? 0)],
    );
    const ids = rows.map(({ id }) => id).filter((id) => !carried?.has(id));
    return ids.slice(0, rowsMax);
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
