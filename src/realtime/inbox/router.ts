import type { Happening } from '../../domain/inbox/inbox.ts';
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

/** Says to other nodes whether a user's events have somewhere to go on this one; resolves when they know. */
export type TellRoute = (userId: bigint, isHere: boolean) => Promise<void>;

/** Which connections of this node a user's events go to. */
export class Router {
  readonly #tellRoute: TellRoute;
  readonly #byUser = new Map<bigint, { seats: Set<Destination>; isRouted: Promise<void> }>();

  /** @param tellRoute without it there are no other nodes. */
  constructor(tellRoute: TellRoute = () => Promise.resolve()) {
    this.#tellRoute = tellRoute;
  }

  /** Takes it in at once; resolves when no node appends to that user's log any more without telling this one. */
  add(userId: bigint, destination: Destination): Promise<void> {
    const known = this.#byUser.get(userId);
    if (known) {
      known.seats.add(destination);
      return known.isRouted;
    }
    const isRouted = this.#tellRoute(userId, true);
    isRouted.catch(() => undefined);
    this.#byUser.set(userId, { seats: new Set([destination]), isRouted });
    return isRouted;
  }

  remove(userId: bigint, destination: Destination): void {
    const known = this.#byUser.get(userId);
    known?.seats.delete(destination);
    if (known?.seats.size !== 0) return;
    this.#byUser.delete(userId);
    this.#tellRoute(userId, false).catch(() => undefined);
  }

  /** Those whose events go anywhere here. */
  get userIds(): readonly bigint[] {
    return [...this.#byUser.keys()];
  }

  has(userId: bigint): boolean {
    return this.#byUser.has(userId);
  }

  /** Has the destinations of some users look at the log. */
  recheck(userIds: readonly bigint[]): void {
    for (const userId of userIds) {
      for (const destination of this.#byUser.get(userId)?.seats ?? []) destination.recheck();
    }
  }

  /**
   * Hands what was appended to the destinations of its users; of one user, in the order of offsets.
   * @param tell what an entry tells.
   */
  deliverAll(appended: readonly Appended[], tell: (entry: LogEntry) => readonly Told[]): void {
    for (const { userId, joinedSeq, epoch, entry } of appended) {
      const destinations = this.#byUser.get(userId)?.seats;
      if (!destinations) continue;
      const told = tell(entry);
      // Whoever sent it did not know what it shows: the log leads there.
      if (told.length === 0) for (const destination of destinations) destination.recheck();
      for (const { offset, happening } of told) {
        const delivery = { epoch, offset, atMs: entry.atMs, joinedSeq, happening };
        for (const destination of destinations) destination.deliver(delivery);
      }
    }
  }
}
