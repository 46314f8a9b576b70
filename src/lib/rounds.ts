import type { Lifecycle } from './lifecycle.ts';

export interface RoundsDeps<Key> {
  readonly keys: () => Iterable<Key>;
  /** What is to be done for a key. Answers whether more is left, to be done in another round. Must not reject. */
  readonly run: (key: Key) => Promise<boolean>;
  /** How far apart the beginnings of two rounds of a key are at least, in ms. */
  readonly apartMs: number;
  /** How long after a round that left something the next one begins, in ms. */
  readonly againMs: number;
  /** How often every key is woken by itself, in ms: who had to wake it may have died. */
  readonly pollMs: number;
}

interface Round {
  timer: NodeJS.Timeout | null;
  running: Promise<void> | null;
  /** When the last one began. */
  beganMs: number;
  isDue: boolean;
}

/** Work that is done in rounds, one at a time for each key: soon after the key was woken, but never too close to the last round. */
export class Rounds<Key> implements Lifecycle {
  readonly #deps: RoundsDeps<Key>;
  readonly #rounds = new Map<Key, Round>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(deps: RoundsDeps<Key>) {
    this.#deps = deps;
  }

  /** Begins with what an earlier run left. */
  start(): Promise<void> {
    const wakeAll = (): void => {
      for (const key of this.#deps.keys()) this.wake(key);
    };
    wakeAll();
    this.#timer = setInterval(wakeAll, this.#deps.pollMs);
    return Promise.resolve();
  }

  /** Ends after the rounds under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearInterval(this.#timer);
    const rounds = [...this.#rounds.values()];
    for (const { timer } of rounds) if (timer) clearTimeout(timer);
    await Promise.all(rounds.flatMap(({ running }) => running ?? []));
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Says that there is something to do. */
  wake(key: Key): void {
    const known = this.#rounds.get(key);
    const round = known ?? { timer: null, running: null, beganMs: -Infinity, isDue: true };
    this.#rounds.set(key, round);
    round.isDue = true;
    this.#plan(key, round, 0);
  }

  #plan(key: Key, round: Round, waitMs: number): void {
    if (this.#isStopped || !round.isDue || round.timer || round.running) return;
    const apartMs = round.beganMs + this.#deps.apartMs - performance.now();
    round.timer = setTimeout(
      () => {
        round.timer = null;
        round.isDue = false;
        round.beganMs = performance.now();
        round.running = this.#deps.run(key).then((isMoreLeft) => {
          round.running = null;
          const isWoken = round.isDue;
          round.isDue ||= isMoreLeft;
          this.#plan(key, round, isWoken ? 0 : this.#deps.againMs);
        });
      },
      // A timer may be early by what is left of a millisecond, and another clock a little behind.
      Math.max(0, Math.ceil(Math.max(apartMs, waitMs)) + 1),
    );
  }
}
