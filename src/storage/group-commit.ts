import { Fault } from '../lib/fault.ts';
import { SqlError } from './sql.ts';
import { StandingQueue } from './standing-queue.ts';

/** What became of one job of a batch whose transaction has ended. */
export type Settled<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  /** Refused by itself; the others of the batch were not affected. */
  | { readonly kind: 'refused'; readonly fault: Error }
  /** Could not be decided in this batch (its row is held elsewhere): it goes to the next, before newer ones. */
  | { readonly kind: 'deferred' };

export interface GroupCommitDeps<Job, Result> {
  /**
   * Runs one transaction for all jobs, in their order, and answers for each in the same place after it has committed.
   * When it rejects nothing was committed, except with a SqlError of kind `connection`, where it is unknown.
   */
  run(jobs: readonly Job[]): Promise<readonly Settled<Result>[]>;
  /** What a job is about: those of the same key stay behind one that is deferred. Without it all are about the same. */
  readonly keyOf?: (job: Job) => bigint | string;
  readonly batchMax: number;
  /** Jobs waiting at the most; beyond it `submit` answers UNAVAILABLE. */
  readonly queueMax: number;
  /**
   * How long a job may have to wait for its commit, in ms, until the queue stands: then `submit` answers UNAVAILABLE
   * to those that would wait for more than half of it. Two batches may always wait.
   */
  readonly waitMaxMs?: number;
  /** How long a job may be deferred, or wait behind one that is, in ms, before it is answered UNAVAILABLE. */
  readonly deferMaxMs: number;
}

interface Ticket<Job, Result> {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  deferredSince: number | null;
}

const retriesMax = 5;
const retryPauseMs = 10;
const busyRetryAfterMs = 200;
const batchesAlwaysTaken = 2;

/**
 * One transaction at a time, and everything that arrives meanwhile shares the next one: the cost of a commit is
 * paid once for many. Jobs of one key keep the order of their arrival. A job is answered after the commit that holds it.
 * Jobs of keys that were deferred take at most half of a batch: what waits for somebody else does not hold up the rest.
 *
 * Deadlocks and lock time-outs are repeated. Any other failure bisects the batch, so that one poisonous job
 * does not fail its neighbours; a Fault is everybody's. A lost connection leaves the outcome unknown: UNAVAILABLE, and the caller's retry finds out.
 */
export class GroupCommit<Job, Result> {
  readonly #deps: GroupCommitDeps<Job, Result>;
  #queue: Ticket<Job, Result>[] = [];
  #running: Promise<void> | null = null;
  readonly #standing: StandingQueue;
  /** Keys of which the last try deferred a job. */
  readonly #held = new Set<bigint | string>();
  /** How many of the queue waited for one of them, then: the others do not wait for those. */
  #deferred = 0;
  #isStopping = false;
  #isOver = false;

  constructor(deps: GroupCommitDeps<Job, Result>) {
    this.#deps = deps;
    this.#standing = new StandingQueue(deps.waitMaxMs ?? Infinity);
  }

  /** Jobs that wait for a transaction. */
  get queued(): number {
    return this.#queue.length;
  }

  /** What `submit` would refuse any job with now; null: it takes one. */
  busy(): Fault | null {
    const { batchMax, queueMax } = this.#deps;
    const { length } = this.#queue;
    const before = length - this.#deferred;
    if (length < queueMax && before < batchesAlwaysTaken * batchMax) return null;
    const now = performance.now();
    const waitMs = this.#standing.waitMs(Math.ceil((before + 1) / batchMax), now);
    if (this.#standing.takes(waitMs, now) && length < queueMax) return null;
    return unavailable('Too many writes are waiting.', undefined, waitMs);
  }

  /** @throws {Fault} UNAVAILABLE when too many wait, the outcome is unknown, or the server stopping. */
  submit(job: Job): Promise<Result> {
    if (this.#isStopping) return Promise.reject(unavailable('The server is stopping.'));
    const busy = this.busy();
    if (busy) return Promise.reject(busy);
    return new Promise<Result>((resolve, reject) => {
      this.#queue.push({ job, resolve, reject, deferredSince: null });
      this.#running ??= this.#drain();
    });
  }

  /** Refuses new jobs and waits for those that are queued, at most `graceMs`; what is left then is UNAVAILABLE. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    if (!this.#running) return;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#running, grace]);
    clearTimeout(timer);
    this.#isOver = true;
    this.#refuseQueued();
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      this.#standing.transactionBegan(performance.now());
      const deferred = await this.#runBatch(batch, retriesMax);
      this.#standing.transactionEnded(performance.now());
      for (const ticket of batch) this.#held.delete(this.#keyOf(ticket));
      this.#deferred = 0;
      if (deferred.length === 0 && this.#held.size === 0) continue;
      for (const ticket of deferred) this.#held.add(this.#keyOf(ticket));
      this.#queue = this.#unexpired([...deferred, ...this.#queue]);
      this.#deferred = this.#queue.filter(isWaiting).length;
      if (this.#isOver) this.#refuseQueued();
      // All that is left waits for somebody else's transaction: asking again at once would only burn.
      if (this.#queue.length > 0 && this.#queue.every(isWaiting)) await pause(retryPauseMs);
    }
    this.#held.clear();
    this.#standing.emptied(performance.now());
    this.#running = null;
  }

  /** The oldest ones; of the keys that are held a few, so that it shows when they are free again. */
  #takeBatch(): Ticket<Job, Result>[] {
    const { batchMax } = this.#deps;
    if (this.#held.size === 0) return this.#queue.splice(0, batchMax);
    const batch: Ticket<Job, Result>[] = [];
    const left: Ticket<Job, Result>[] = [];
    const passedOver = new Set<bigint | string>();
    let placesForHeld = Math.max(1, batchMax >> 1);
    for (const ticket of this.#queue) {
      const key = this.#keyOf(ticket);
      const isHeld = this.#held.has(key);
      if (batch.length === batchMax || passedOver.has(key) || (isHeld && placesForHeld === 0)) {
        passedOver.add(key);
        left.push(ticket);
      } else {
        batch.push(ticket);
        if (isHeld) placesForHeld -= 1;
      }
    }
    this.#queue = left;
    return batch;
  }

  /** Those whose time is not over, of them and of what waits behind them. */
  #unexpired(tickets: readonly Ticket<Job, Result>[]): Ticket<Job, Result>[] {
    const now = performance.now();
    return tickets.filter((ticket) => {
      if (!this.#held.has(this.#keyOf(ticket))) return true;
      ticket.deferredSince ??= now;
      if (now - ticket.deferredSince <= this.#deps.deferMaxMs) return true;
      ticket.reject(unavailable('Another node is busy with it.'));
      return false;
    });
  }

  #keyOf({ job }: Ticket<Job, Result>): bigint | string {
    return this.#deps.keyOf?.(job) ?? '';
  }

  #refuseQueued(): void {
    for (const ticket of this.#queue.splice(0)) {
      ticket.reject(unavailable('The server is stopping.'));
    }
  }

  /** Runs and settles a batch; returns the tickets that go to the next. */
  async #runBatch(
    batch: readonly Ticket<Job, Result>[],
    retriesLeft: number,
  ): Promise<Ticket<Job, Result>[]> {
    let settled: readonly Settled<Result>[];
    try {
      settled = await this.#deps.run(batch.map((ticket) => ticket.job));
    } catch (error) {
      return this.#recover(batch, retriesLeft, error);
    }
    return batch.filter((ticket, index) => {
      const outcome = settled[index];
      if (outcome?.kind === 'deferred') return true;
      if (outcome?.kind === 'done') ticket.resolve(outcome.result);
      else ticket.reject(outcome?.fault ?? new Error('a job of a batch was not settled'));
      return false;
    });
  }

  async #recover(
    batch: readonly Ticket<Job, Result>[],
    retriesLeft: number,
    error: unknown,
  ): Promise<Ticket<Job, Result>[]> {
    const kind = error instanceof SqlError ? error.kind : 'other';
    const isContention = kind === 'deadlock' || kind === 'lockTimeout';
    if (isContention && retriesLeft > 0) {
      await pause(retryPauseMs * (retriesMax - retriesLeft + 1) * (0.5 + Math.random()));
      return this.#runBatch(batch, retriesLeft - 1);
    }
    if (isContention || kind === 'connection' || error instanceof Fault) {
      const fault =
        error instanceof Fault ? error : unavailable('The shard did not answer.', error);
      for (const ticket of batch) ticket.reject(fault);
      return [];
    }
    if (batch.length === 1) {
      batch[0]?.reject(error);
      return [];
    }
    const middle = batch.length >> 1;
    const first = await this.#runBatch(batch.slice(0, middle), retriesMax);
    return [...first, ...(await this.#runBatch(batch.slice(middle), retriesMax))];
  }
}

function isWaiting({ deferredSince }: { readonly deferredSince: number | null }): boolean {
  return deferredSince !== null;
}

function unavailable(message: string, cause?: unknown, waitMs = 0): Fault {
  const retryAfterMs = Math.max(busyRetryAfterMs, Math.ceil(waitMs));
  return new Fault('UNAVAILABLE', message, { retryAfterMs, cause });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
