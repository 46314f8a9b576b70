import type { Viewer } from '../domain/session/session.ts';
import { closings, type Closing } from './close-codes.ts';
import type { OutgoingText } from './text-frame.ts';

/** The wire below a connection. */
export interface Transport {
  /** Writes in order. `taken` is called when the system has taken all of it, or never will. */
  write(texts: readonly OutgoingText[], taken: () => void): void;
  /** Asks the other side for a sign of life. */
  ping(): void;
  /** Says why, behind what was written, and lets go of the wire. */
  close(closing: Closing): void;
  /** Lets go of the wire at once. */
  terminate(): void;
}

/** What may wait for one connection, in bytes of UTF-8. */
export interface Budget {
  /** Events of subscriptions. */
  readonly eventBytesMax: number;
  /** Answers to requests: their sender asked for them, so they may be longer. */
  readonly answerBytesMax: number;
  /** How long a reader that is waited for may take nothing. */
  readonly stallMs: number;
}

type State = 'open' | 'ending' | 'closing' | 'closed';

/**
 * One live connection: a WebSocket, or a stream of server-sent events. Texts of one tick go out in one write, in the
 * order in which they were sent. What waits beyond the budget closes it with 4603, and costs nobody else anything.
 */
export class Connection {
  readonly id: number;
  /** Where it comes from. */
  readonly address: string;
  /** Null: anonymous, or not told yet. */
  viewer: Viewer | null = null;
  readonly #transport: Transport;
  readonly #budget: Budget;
  readonly #waiting = { event: 0, answer: 0 };
  readonly #requests = new Set<string>();
  readonly #closeListeners = new Set<() => void>();
  #unsent: (OutgoingText & { kind: 'event' | 'answer' })[] = [];
  #flush: NodeJS.Immediate | undefined;
  #state: State = 'open';
  #paced: { readonly waiting: (() => void)[]; timer: NodeJS.Timeout } | undefined;
  #ending: { closing: Closing; timer: NodeJS.Timeout } | undefined;

  constructor(id: number, deps: { transport: Transport; budget: Budget; address?: string }) {
    this.id = id;
    this.address = deps.address ?? '';
    this.#transport = deps.transport;
    this.#budget = deps.budget;
  }

  /** Whether events may still be sent. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Bytes sent and not yet taken by the system. */
  get waitingBytes(): number {
    return this.#waiting.event + this.#waiting.answer;
  }

  /**
   * Queues one text: a frame of the socket, an event of the stream. Silently nothing where the connection takes no
   * more. An event beyond the budget closes the connection.
   * @param bytes its length as UTF-8, where the caller knows it.
   */
  send(text: string, kind: 'event' | 'answer' = 'event', bytes = Buffer.byteLength(text)): void {
    if (this.#state !== 'open' && !(this.#state === 'ending' && kind === 'answer')) return;
    const budget = kind === 'event' ? this.#budget.eventBytesMax : this.#budget.answerBytesMax;
    if (this.#waiting[kind] + bytes > budget) {
      this.#unsent = [];
      this.close(closings.tooSlow);
      return;
    }
    this.#waiting[kind] += bytes;
    this.#unsent.push({ text, bytes, kind });
    this.#flush ??= setImmediate(() => this.flush());
  }

  /** Hands what was sent to the wire now instead of at the end of the tick. */
  flush(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    const texts = this.#unsent;
    if (texts.length === 0) return;
    this.#unsent = [];
    let events = 0;
    let answers = 0;
    for (const { kind, bytes } of texts) {
      if (kind === 'event') events += bytes;
      else answers += bytes;
    }
    this.#transport.write(texts, () => {
      this.#waiting.event -= events;
      this.#waiting.answer -= answers;
      if (this.#isRoomy) this.#release();
      else this.#paced?.timer.refresh();
    });
  }

  /**
   * Resolves when at most half of the events' budget waits, or the connection takes no more: for a sender that can go
   * at the reader's pace, as a replay can. A reader that takes nothing for `stallMs` meanwhile is closed with 4603.
   */
  paced(): Promise<void> {
    if (this.#isRoomy || !this.isOpen) return Promise.resolve();
    const stalled = (): void => {
      this.#unsent = [];
      this.close(closings.tooSlow);
    };
    this.#paced ??= { waiting: [], timer: setTimeout(stalled, this.#budget.stallMs) };
    const { waiting } = this.#paced;
    return new Promise((resolve) => waiting.push(resolve));
  }

  ping(): void {
    if (this.#state === 'open') this.#transport.ping();
  }

  /** An operation that is answered once has begun: `end` waits for it. */
  beginRequest(operationId: string): void {
    this.#requests.add(operationId);
  }

  /** Whether it is an operation that is answered once, and under way. */
  isRequest(operationId: string): boolean {
    return this.#requests.has(operationId);
  }

  get hasRequests(): boolean {
    return this.#requests.size > 0;
  }

  /** Its answer has been sent, to the last word. */
  endRequest(operationId: string): void {
    this.#requests.delete(operationId);
    if (this.#ending && this.#requests.size === 0) this.close(this.#ending.closing);
  }

  /**
   * Sends no event from now on, lets the requests under way answer for `graceMs` at most, then closes.
   * The first caller's reason counts.
   */
  end(closing: Closing, graceMs: number): void {
    if (this.#state !== 'open') return;
    if (this.#requests.size === 0) {
      this.close(closing);
      return;
    }
    this.#state = 'ending';
    this.#ending = { closing, timer: setTimeout(() => this.close(closing), graceMs) };
    this.#tellClosed();
  }

  /** Closes behind what was sent already. Idempotent. */
  close(closing: Closing): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.flush();
    clearTimeout(this.#ending?.timer);
    this.#state = 'closing';
    this.#transport.close(closing);
    this.#tellClosed();
  }

  /** Ends without a word: the other side is gone. */
  terminate(): void {
    this.#transport.terminate();
    this.closed();
  }

  /** To be called by whoever owns the wire, when it is gone. */
  closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearImmediate(this.#flush);
    clearTimeout(this.#ending?.timer);
    this.#unsent = [];
    this.#tellClosed();
  }

  /**
   * Called once, when the connection takes no more events, for whatever reason; at once where that is so already.
   * @returns how to be told no more.
   */
  onClose(listener: () => void): () => void {
    if (this.#state !== 'open') {
      listener();
      return () => undefined;
    }
    this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  get #isRoomy(): boolean {
    return this.#waiting.event <= this.#budget.eventBytesMax / 2;
  }

  #release(): void {
    clearTimeout(this.#paced?.timer);
    const waiting = this.#paced?.waiting ?? [];
    this.#paced = undefined;
    for (const resolve of waiting) resolve();
  }

  #tellClosed(): void {
    this.#release();
    for (const listener of this.#closeListeners) {
      this.#closeListeners.delete(listener);
      listener();
    }
  }
}
