import type { Happening } from '../domain/inbox/inbox.ts';
import type { Told } from './happenings.ts';
import type { Appended } from './append-job.ts';
import type { LogEntry } from './log-entry.ts';

/** An event at its place in one user's log. */
export interface Delivery {
  readonly epoch: bigint;
  readonly offset: bigint;
  readonly atMs: number;
  /** The first message that the user may see in that conversation. */
  readonly joinedSeq: number;
  /** The same value for all users whom it is told to. */
  readonly happening: Happening;
}

/** Something of this node that a user's live events go to. Must not throw, and must not keep the caller waiting. */
export interface Destination {
  deliver(delivery: Delivery): void;
  /** Something may be in the log that nobody delivered. */
  recheck(): void;
}

/** Which connections of this node a user's events go to. */
export class Router {
  readonly #byUser = new Map<bigint, Set<Destination>>();

  add(userId: bigint, destination: Destination): void {
    const known = this.#byUser.get(userId);
    if (known) known.add(destination);
    else this.#byUser.set(userId, new Set([destination]));
  }

  remove(userId: bigint, destination: Destination): void {
    const known = this.#byUser.get(userId);
    known?.delete(destination);
    if (known?.size === 0) this.#byUser.delete(userId);
  }

  has(userId: bigint): boolean {
    return this.#byUser.has(userId);
  }

  /** Has the destinations of some users look at the log. */
  recheck(isConcerned: (userId: bigint) => boolean): void {
    for (const [userId, destinations] of this.#byUser) {
      if (!isConcerned(userId)) continue;
      for (const destination of destinations) destination.recheck();
    }
  }

  /**
   * Hands what was appended to the destinations of its users; of one user, in the order of offsets.
   * @param tell what an entry tells.
   */
  deliverAll(appended: readonly Appended[], tell: (entry: LogEntry) => readonly Told[]): void {
    for (const { userId, joinedSeq, epoch, entry } of appended) {
      const destinations = this.#byUser.get(userId);
      if (!destinations) continue;
      for (const { offset, happening } of tell(entry)) {
        const delivery = { epoch, offset, atMs: entry.atMs, joinedSeq, happening };
        for (const destination of destinations) destination.deliver(delivery);
      }
    }
  }
}
