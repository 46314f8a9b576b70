import type { PresenceEvent } from '../../domain/inbox/inbox.ts';
import type { Viewer } from '../../domain/session/session.ts';
import type { Logger } from '../../lib/log.ts';
import { addTo, removeFrom } from '../../lib/sets-by-key.ts';
import { LatestStates } from './latest-states.ts';

export interface WatchesDeps {
  readonly conversations: {
    /** Who of them shares a conversation with that user, who themself does. */
    sharedWith(
      viewer: Pick<Viewer, 'userId'>,
      userIds: readonly bigint[],
    ): Promise<ReadonlySet<bigint>>;
  };
  /** Whether memberships that end on other nodes are heard of at once. */
  readonly isHeard: () => boolean;
  /** The last one who watched that user does not any more. */
  readonly onUnwatched: (userId: bigint) => void;
  readonly log: Logger;
  readonly limits: { readonly idsPerCallMax: number };
}

/** What a viewer sees of some users: of those with whom they share a conversation. */
export interface Watch {
  readonly viewer: Viewer;
  readonly userIds: Set<bigint>;
  readonly states: LatestStates<bigint, PresenceEvent>;
  /** Whether somebody's membership has ended since the rights were last read. */
  isStale: boolean;
  /** The number of the last doubt in its rights that is not settled; 0: none. */
  doubt: number;
}

/**
 * Who watches whom. Rights are those that were read, less what is heard to have ended since; where an end may have been missed,
 * they are read before anything else is told.
 */
export class Watches {
  readonly #deps: WatchesDeps;
  readonly #byWatched = new Map<bigint, Set<Watch>>();
  readonly #byViewer = new Map<bigint, Set<Watch>>();
  #doubts = 0;

  constructor(deps: WatchesDeps) {
    this.#deps = deps;
  }

  /** All who are watched. */
  get userIds(): bigint[] {
    return [...this.#byWatched.keys()];
  }

  has(userId: bigint): boolean {
    return this.#byWatched.has(userId);
  }

  /** A watch of those of the users who share a conversation with the viewer. Nothing was told to it yet. */
  async open(viewer: Viewer, userIds: readonly bigint[]): Promise<Watch> {
    const states = new LatestStates<bigint, PresenceEvent>({
      onEnd: () => this.#unregister(watch),
    });
    const watch: Watch = { viewer, userIds: new Set(userIds), states, isStale: true, doubt: 0 };
    addTo(this.#byViewer, viewer.userId, watch);
    for (const userId of watch.userIds) addTo(this.#byWatched, userId, watch);
    try {
      while (watch.isStale) {
        watch.isStale = false;
        const shared = await this.#deps.conversations.sharedWith(viewer, userIds);
        for (const userId of watch.userIds) if (!shared.has(userId)) this.#drop(watch, userId);
      }
    } catch (error) {
      states.end();
      throw error;
    }
    return watch;
  }

  /** Tells those who watch a user their state: at once, or when rights that are in doubt have been read. */
  tell(userId: bigint, stateOf: () => PresenceEvent): void {
    const isHeard = this.#deps.isHeard();
    const doubted: Watch[] = [];
    const event = stateOf();
    for (const watch of this.#byWatched.get(userId) ?? []) {
      if (isHeard && watch.doubt === 0) watch.states.tell(userId, event.isOnline, event);
      else doubted.push(watch);
    }
    if (doubted.length > 0) void this.#tellRightful(userId, doubted, stateOf);
  }

  /** The user is no member of some conversation any more: who shares none with them is not shown them any more. */
  membershipEnded(userId: bigint): void {
    const others = new Set<bigint>();
    for (const watch of this.#byViewer.get(userId) ?? []) {
      watch.isStale = true;
      for (const watched of watch.userIds) others.add(watched);
    }
    for (const watch of this.#byWatched.get(userId) ?? []) {
      watch.isStale = true;
      others.add(watch.viewer.userId);
    }
    others.delete(userId);
    if (others.size > 0) void this.#recheck(userId, [...others]);
  }

  /** Memberships may have ended of which this node was not told: all rights are read again, one viewer's after the other's. */
  async recheckAll(): Promise<void> {
    this.#doubts += 1;
    for (const watches of this.#byViewer.values()) {
      for (const watch of watches) watch.doubt = this.#doubts;
    }
    for (const [userId, watches] of [...this.#byViewer]) {
      const settled = this.#doubts;
      const watched = new Set([...watches].flatMap(({ userIds }) => [...userIds]));
      watched.delete(userId);
      await this.#recheck(userId, [...watched]);
      for (const watch of watches) if (watch.doubt <= settled) watch.doubt = 0;
    }
  }

  /** Completes them all. */
  end(): void {
    for (const watches of this.#byViewer.values()) for (const { states } of watches) states.end();
  }

  async #tellRightful(
    userId: bigint,
    watches: readonly Watch[],
    stateOf: () => PresenceEvent,
  ): Promise<void> {
    const viewers = new Set(watches.map(({ viewer }) => viewer.userId));
    viewers.delete(userId);
    await this.#recheck(userId, [...viewers]);
    const event = stateOf();
    for (const { userIds, states } of watches) {
      if (userIds.has(userId)) states.tell(userId, event.isOnline, event);
    }
  }

  async #recheck(userId: bigint, others: readonly bigint[]): Promise<void> {
    const { idsPerCallMax } = this.#deps.limits;
    for (let from = 0; from < others.length; from += idsPerCallMax) {
      const asked = others.slice(from, from + idsPerCallMax);
      let shared: ReadonlySet<bigint> = new Set();
      try {
        shared = await this.#deps.conversations.sharedWith({ userId }, asked);
      } catch (error) {
        // Not knowing is no right: what they are not shown they can subscribe to again.
        this.#deps.log.warn({ err: error }, 'presence.recheckFailed');
      }
      for (const other of asked) if (!shared.has(other)) this.#part(userId, other);
    }
  }

  #part(one: bigint, other: bigint): void {
    for (const watch of this.#byViewer.get(one) ?? []) this.#drop(watch, other);
    for (const watch of this.#byViewer.get(other) ?? []) this.#drop(watch, one);
  }

  #drop(watch: Watch, userId: bigint): void {
    if (!watch.userIds.delete(userId)) return;
    watch.states.forget(userId);
    this.#unwatch(watch, userId);
  }

  #unregister(watch: Watch): void {
    removeFrom(this.#byViewer, watch.viewer.userId, watch);
    for (const userId of watch.userIds) this.#unwatch(watch, userId);
  }

  #unwatch(watch: Watch, userId: bigint): void {
    removeFrom(this.#byWatched, userId, watch);
    if (!this.#byWatched.has(userId)) this.#deps.onUnwatched(userId);
  }
}
