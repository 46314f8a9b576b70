import type { Cursor } from '../../domain/inbox/inbox.ts';
import type { InboxLog } from './inbox-log.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogHead } from './log-head.ts';

/** A user's head as it was read last, as long as it is sure that what was appended after it comes live. */
export class KnownHead {
  readonly #inboxLog: InboxLog;
  readonly #userId: bigint;
  #head: LogHead | null = null;
  #doubts = 0;
  #first: readonly LogEntry[] = [];

  constructor(inboxLog: InboxLog, userId: bigint) {
    this.#inboxLog = inboxLog;
    this.#userId = userId;
  }

  get isSure(): boolean {
    return this.#head !== null;
  }

  /** Something may be appended that nobody delivers: what is known by now counts no more. */
  doubt(): void {
    this.#doubts += 1;
    this.#head = null;
  }

  /** The log was read up to there: it had grown meanwhile. */
  reached(offset: bigint): void {
    if (this.#head && this.#head.lastOffset < offset) {
      this.#head = { ...this.#head, lastOffset: offset };
    }
  }

  /** Made where it is missing. What follows a cursor comes with it, for `takeFirst`. */
  async open(after: Cursor | null, entriesMax: number): Promise<LogHead> {
    return this.#keep(async () => {
      if (!after) return this.#inboxLog.open(this.#userId);
      const { head, entries } = await this.#inboxLog.resume(this.#userId, after, entriesMax);
      this.#first = entries;
      return head;
    });
  }

  /** What came with the head, for once; undefined: nothing did. */
  takeFirst(): readonly LogEntry[] | undefined {
    const first = this.#first;
    this.#first = [];
    return first.length > 0 ? first : undefined;
  }

  /** What is known, or else what the log says. */
  async get(): Promise<LogHead> {
    return this.#head ?? this.read();
  }

  async read(): Promise<LogHead> {
    return this.#keep(async () => {
      const heads = await this.#inboxLog.heads([this.#userId]);
      return heads.get(this.#userId) ?? (await this.#inboxLog.open(this.#userId));
    });
  }

  /** What came into doubt while it was read is not known. */
  async #keep(read: () => Promise<LogHead>): Promise<LogHead> {
    const doubts = this.#doubts;
    const head = await read();
    if (this.#doubts === doubts) this.#head = head;
    return head;
  }
}
