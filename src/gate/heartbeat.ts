/** Something that can be asked for a sign of life. */
export interface Pulse {
  ping(): void;
  /** It has given none for two intervals. */
  terminate(): void;
}

/**
 * One timer that asks all connections for a sign of life, in turn: each once per interval, spread over it.
 * Whoever stays silent for two intervals is terminated, so half-open sockets end.
 */
export class Heartbeat {
  readonly #slotMs: number;
  readonly #slots: Set<Pulse>[];
  /** How often each was asked since it was last heard. */
  readonly #asked = new Map<Pulse, number>();
  #next = 0;
  #hand = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number) {
    const slots = Math.min(60, Math.max(1, Math.floor(intervalMs / 50)));
    this.#slotMs = intervalMs / slots;
    this.#slots = Array.from({ length: slots }, () => new Set<Pulse>());
  }

  /** @returns how to take it out again. */
  add(pulse: Pulse): () => void {
    const slot = this.#slots[this.#next++ % this.#slots.length];
    slot?.add(pulse);
    this.#asked.set(pulse, 0);
    return () => {
      slot?.delete(pulse);
      this.#asked.delete(pulse);
    };
  }

  /** It has shown a sign of life. */
  heard(pulse: Pulse): void {
    if (this.#asked.has(pulse)) this.#asked.set(pulse, 0);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#turn(), this.#slotMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    this.#hand = (this.#hand + 1) % this.#slots.length;
    for (const pulse of this.#slots[this.#hand] ?? []) {
      const asked = this.#asked.get(pulse) ?? 0;
      if (asked >= 2) {
        pulse.terminate();
        continue;
      }
      this.#asked.set(pulse, asked + 1);
      pulse.ping();
    }
  }
}
