import type { Clock } from '../../lib/clock.ts';
import { Recent } from '../../lib/recent.ts';
import type { User } from './model.ts';

interface Kept {
  readonly user: User;
  /** When it counts as old; ms. */
  readonly until: number;
  /** The read, or the change, that it comes from. */
  readonly turn: number;
}

/**
 * What others see of users, kept for a short while: every event shows its sender, and profiles change seldom. A change
 * on this node shows at once; one made elsewhere as soon as this node is told, or else within `keptMs`.
 */
export class Profiles {
  readonly #clock: Clock;
  readonly #keptMs: number;
  readonly #kept: Recent<bigint, Kept>;
  #turn = 0;
  /** What was read before is not kept: of whom another node told meanwhile, it may be the old profile. */
  #toldTurn = 0;

  constructor(deps: { clock: Clock; usersMax: number; keptMs: number }) {
    this.#clock = deps.clock;
    this.#keptMs = deps.keptMs;
    this.#kept = new Recent(deps.usersMax);
  }

  get(id: bigint): User | null {
    const kept = this.#kept.get(id);
    if (!kept) return null;
    const now = this.#clock.now();
    // A clock that was set back makes nothing fresh.
    if (now >= kept.until || now < kept.until - this.#keptMs) {
      this.#kept.delete(id);
      return null;
    }
    return kept.user;
  }

  /** To be called before a read whose answer is kept: what was changed since is not overwritten by it. */
  begin(): number {
    return (this.#turn += 1);
  }

  /** Another node has changed that profile. */
  forget(id: bigint): void {
    this.#toldTurn = this.begin();
    this.#kept.delete(id);
  }

  /** @param turn what `begin` answered; of a change: a new one, taken after it was committed. */
  keep(user: User, turn: number): void {
    const known = this.#kept.get(user.id);
    if (turn < this.#toldTurn || (known && known.turn > turn)) return;
    this.#kept.set(user.id, { user, until: this.#clock.now() + this.#keptMs, turn });
  }
}
