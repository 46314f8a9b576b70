import { Worker } from 'node:worker_threads';
import { DriverAdapterError } from '@prisma/driver-adapter-utils';
import { Fault } from '../lib/fault.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { SqlError } from './sql.ts';
import { StuckThreadError } from './stuck-thread.ts';
import type {
  SqliteAnswer,
  SqliteAnswers,
  SqliteFailure,
  SqliteRequest,
  SqliteTask,
  SqliteWorkerData,
} from './sqlite-protocol.ts';

/**
 * How often a call is looked at before its thread counts as stuck. Looks, not a clock: time that
 * the whole process slept does not count.
 */
const looksMax = 4;

/** How long a caller who found too many waiting had better wait, in ms. */
const retryAfterMs = 500;

/** How long closing the file may take at least, in ms. */
const closingMs = 1_000;

interface Pending {
  readonly resolve: (value: SqliteAnswers[keyof SqliteAnswers]) => void;
  readonly reject: (error: Error) => void;
}

export interface SqliteThreadDeps {
  readonly data: SqliteWorkerData;
  /** How long one task may take before the thread counts as stuck. */
  readonly stuckAfterMs: number;
  /** Calls outside of a transaction that may wait for the thread. */
  readonly callsMax: number;
  /** Told once when the thread has died or is stuck. It does not come back: the node must stop. */
  readonly onLost: (reason: Error) => void;
}

/**
 * The worker thread that owns one connection to an SQLite file, as seen from the main thread. Tasks
 * are answered in the order of asking. When the thread dies, or answers nothing for `stuckAfterMs`,
 * all that waits is rejected (kind `connection`).
 */
export class SqliteThread implements Lifecycle {
  readonly #deps: SqliteThreadDeps;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #watch: NodeJS.Timeout | undefined;
  #lastId = 0;
  /** The call that was the oldest when last looked at, and for how many looks it has been. */
  #oldestId = 0;
  #looks = 0;
  #lost: SqlError | null = null;
  #isStopping = false;
  #hasExited = false;

  constructor(deps: SqliteThreadDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    // Of the process' flags those alone that ask for a profile: of this thread as well.
    const execArgv = process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'));
    const worker = new Worker(workerFile(), { workerData: this.#deps.data, execArgv });
    this.#worker = worker;
    worker.on('message', (answer: SqliteAnswer) => this.#settle(answer));
    worker.on('error', (cause) => {
      const message = `the SQLite thread failed: ${cause.message}`;
      this.#lose(new SqlError('connection', message, { cause }));
    });
    worker.on('exit', (code) => {
      this.#hasExited = true;
      this.#lose(new SqlError('connection', `the SQLite thread ended (${code})`));
    });
    await this.call({ kind: 'query', text: 'SELECT 1 AS one', params: [] });
    this.#watch = setInterval(() => this.#checkStuck(), this.#deps.stuckAfterMs / looksMax);
    this.#watch.unref();
  }

  /**
   * @param transaction the number of the transaction that the task belongs to; a new number begins
   * one.
   * @throws {SqlError}
   * @throws {DriverAdapterError} from Prisma's tasks.
   * @throws {Fault} UNAVAILABLE when too many wait already.
   */
  call<Kind extends SqliteTask['kind']>(
    task: Extract<SqliteTask, { kind: Kind }>,
    transaction: number | null = null,
  ): Promise<SqliteAnswers[Kind]> {
    if (this.#lost) return Promise.reject(this.#lost);
    const worker = this.#worker;
    if (!worker || this.#isStopping)
      return Promise.reject(new SqlError('connection', 'the SQLite thread is not running'));
    if (transaction === null && this.#pending.size >= this.#deps.callsMax) {
      const message = 'The database has too much to do.';
      return Promise.reject(new Fault('UNAVAILABLE', message, { retryAfterMs }));
    }
    const id = ++this.#lastId;
    const request: SqliteRequest = { id, transaction, task };
    return new Promise<SqliteAnswers[keyof SqliteAnswers]>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage(request);
    }) as Promise<SqliteAnswers[Kind]>;
  }

  /**
   * Lets the thread finish what it was asked, close its file and end. One that does not end within
   * the grace is left alone, to end when it can: ending a thread in native code from outside would
   * abort the whole process.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    clearInterval(this.#watch);
    const worker = this.#worker;
    if (!worker || this.#hasExited) return;
    const close: SqliteRequest = { id: 0, transaction: null, task: { kind: 'close' } };
    worker.postMessage(close);
    await ended(worker, Math.max(graceMs, closingMs));
    worker.unref();
  }

  #settle(answer: SqliteAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (!pending) return;
    this.#pending.delete(answer.id);
    if ('failure' in answer) pending.reject(errorOf(answer.failure));
    else pending.resolve(answer.value);
  }

  #checkStuck(): void {
    // Calls are answered in order: the oldest one is the one that is being done.
    const [oldestId = 0] = this.#pending.keys();
    this.#looks = oldestId !== 0 && oldestId === this.#oldestId ? this.#looks + 1 : 0;
    this.#oldestId = oldestId;
    if (this.#looks < looksMax) return;
    const { stuckAfterMs } = this.#deps;
    this.#lose(new StuckThreadError(`the SQLite thread has not answered for ${stuckAfterMs} ms`));
  }

  #lose(lost: SqlError): void {
    if (this.#lost) return;
    clearInterval(this.#watch);
    this.#lost = lost;
    // Of one that never came up `start` tells.
    const isExpected = this.#isStopping || this.#watch === undefined;
    for (const pending of this.#pending.values()) pending.reject(lost);
    this.#pending.clear();
    if (!isExpected) this.#deps.onLost(lost);
  }
}

/** From source there is one step before it. */
function workerFile(): URL {
  const isBuilt = !import.meta.url.endsWith('.ts');
  return new URL(isBuilt ? './sqlite-worker.js' : './sqlite-worker.source.mjs', import.meta.url);
}

/** Waits for a thread's end, but not for ever. */
async function ended(worker: Worker, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
    timer = setTimeout(resolve, ms);
  });
  clearTimeout(timer);
}

function errorOf(failure: SqliteFailure): Error {
  if (failure.from === 'sql') return new SqlError(failure.kind, failure.message);
  return new DriverAdapterError(
    failure.payload as ConstructorParameters<typeof DriverAdapterError>[0],
  );
}
