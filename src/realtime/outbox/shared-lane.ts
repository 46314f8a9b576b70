import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import type { Logger } from '../../lib/log.ts';

export interface SharedLaneDeps {
  readonly log: Logger;
  readonly limits: { readonly laneQueueRowsMax: number; readonly laneBatchRowsMax: number };
  /** Takes rows to where this lane leads; in which order, and how often, is no matter there. */
  readonly carry: (rows: readonly CommittedRow[]) => Promise<void>;
}

/** Thrown by `carry` where a lane should let go of its rows: they are in the outbox, and their turn comes. */
export class LeftToRelay extends Error {
  override name = 'LeftToRelay';
}

const pauseMinMs = 20;
const pauseMaxMs = 1_000;

/**
 * Takes the rows that this node commits to one place, which may fail for a while. What a bounded queue does not hold is
 * left in the outbox, for the relay.
 */
export class SharedLane {
  readonly #deps: SharedLaneDeps;
  #queue: CommittedRow[] = [];
  #carried: readonly CommittedRow[] = [];
  #running: Promise<void> | null = null;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor(deps: SharedLaneDeps) {
    this.#deps = deps;
  }

  /** Whether the row is on its way here. */
  has(rowId: bigint): boolean {
    const isIt = ({ id }: CommittedRow): boolean => id === rowId;
    return this.#carried.some(isIt) || this.#queue.some(isIt);
  }

  offer(row: CommittedRow): void {
    if (this.#isStopped || this.#queue.length >= this.#deps.limits.laneQueueRowsMax) return;
    this.#queue.push(row);
    this.#running ??= this.#drain();
  }

  /** Ends when the rows under way have arrived or failed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #drain(): Promise<void> {
    let pauseMs = pauseMinMs;
    while (!this.#isStopped && this.#queue.length > 0) {
      this.#carried = this.#queue.splice(0, this.#deps.limits.laneBatchRowsMax);
      try {
        await this.#deps.carry(this.#carried);
        pauseMs = pauseMinMs;
      } catch (error) {
        if (error instanceof LeftToRelay) continue;
        this.#deps.log.warn({ err: error, pauseMs }, 'outbox.lane_failed');
        this.#queue.unshift(...this.#carried);
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, pauseMaxMs);
      }
    }
    this.#carried = [];
    this.#running = null;
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
