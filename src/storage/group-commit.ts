import { Fault } from '../lib/fault.ts';
import { SqlError } from './sql.ts';

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
  readonly batchMax: number;
  /** Jobs waiting at the most; beyond it `submit` answers UNAVAILABLE. */
  readonly queueMax: number;
  /** How long a job may be deferred, in ms, before it is answered UNAVAILABLE. */
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

/**
 * One transaction at a time, and everything that arrives meanwhile shares the next one: the cost of a commit is
 * paid once for many. Jobs keep the order of their arrival. A job is answered after the commit that holds it.
 *
 * Deadlocks and lock time-outs are repeated. Any other failure bisects the batch, so that one poisonous job
 * does not fail its neighbours; a Fault is everybody's. A lost connection leaves the outcome unknown: UNAVAILABLE, and the caller's retry finds out.
 */
export class GroupCommit<Job, Result> {
  readonly #deps: GroupCommitDeps<Job, Result>;
  #queue: Ticket<Job, Result>[] = [];
  #running: Promise<void> | null = null;
  #isStopping = false;

  constructor(deps: GroupCommitDeps<Job, Result>) {
    this.#deps = deps;
  }

  /** Jobs that wait for a transaction. */
  get queued(): number {
    return this.#queue.length;
  }

  /** @throws {Fault} UNAVAILABLE when the queue is full, the outcome unknown, or the server stopping. */
  submit(job: Job): Promise<Result> {
    if (this.#isStopping) return Promise.reject(unavailable('The server is stopping.'));
    if (this.#queue.length >= this.#deps.queueMax) {
      return Promise.reject(unavailable('Too many writes are waiting.'));
    }
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
    for (const ticket of this.#queue.splice(0))
      ticket.reject(unavailable('The server is stopping.'));
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#deps.batchMax);
      const deferred = await this.#runBatch(batch, retriesMax);
      const waiting = this.#expire(deferred);
      this.#queue.unshift(...waiting);
      // All that is left waits for somebody else's transaction: asking again at once would only burn.
      if (waiting.length > 0 && waiting.length === this.#queue.length) await pause(retryPauseMs);
    }
    this.#running = null;
  }

  #expire(deferred: readonly Ticket<Job, Result>[]): Ticket<Job, Result>[] {
    const now = performance.now();
    return deferred.filter((ticket) => {
      ticket.deferredSince ??= now;
      if (now - ticket.deferredSince <= this.#deps.deferMaxMs) return true;
      ticket.reject(unavailable('The conversation is busy.'));
      return false;
    });
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

function unavailable(message: string, cause?: unknown): Fault {
  return new Fault('UNAVAILABLE', message, { retryAfterMs: busyRetryAfterMs, cause });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
