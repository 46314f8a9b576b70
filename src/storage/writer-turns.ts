import type { Turnstile } from './turnstile.ts';

/** A place at the connection that writes. */
export interface Turn {
  /** The last that it asks for was sent: what the next one sends comes behind that. */
  sent(): void;
  /** All that it asked for is answered. To be called exactly once. */
  end(): void;
}

/**
 * Who writes comes in turn, through a turnstile of one place. A thread does what it is asked in the order of asking, so the
 * next one is let in when the last request of the one before was sent and not only when it was answered: the thread need not
 * wait for the event loop between them. One at a time may be ahead like this, so that a queue forms before the
 * turnstile, which has a limit, and not in the thread.
 */
export class WriterTurns {
  readonly #turnstile: Turnstile;
  /** Who has let in the next one, and is not answered yet. */
  #ahead: Turn | null = null;
  /** Who is inside has sent all, and lets in the next one as soon as nobody is ahead. */
  #passOn: (() => void) | null = null;

  constructor(turnstile: Turnstile) {
    this.#turnstile = turnstile;
  }

  /** @throws {Fault} UNAVAILABLE when too many wait already. */
  async enter(): Promise<Turn> {
    const leave = await this.#turnstile.enter();
    let isInside = true;
    const pass = (): void => {
      isInside = false;
      this.#passOn = null;
      leave();
    };
    const turn: Turn = {
      sent: () => {
        this.#passOn = () => {
          this.#ahead = turn;
          pass();
        };
        if (!this.#ahead) this.#passOn();
      },
      end: () => {
        if (isInside) pass();
        if (this.#ahead !== turn) return;
        this.#ahead = null;
        this.#passOn?.();
      },
    };
    return turn;
  }
}
