import type { PresenceEvent } from '../../domain/inbox/inbox.ts';
import type { Viewer } from '../../domain/session/session.ts';
import type { Logger } from '../../lib/log.ts';
import { addTo, removeFrom } from '../../lib/sets-by-key.ts';
import type { Pairs } from '../../storage/pairs.ts';
import { LatestStates } from './latest-states.ts';

export interface WatchesDeps {
  readonly conversations: {
    /** Which pairs of users share a conversation. */
    sharing(pairs: Pairs<bigint>): Promise<Pairs<bigint>>;
  };
  /** Whether memberships that end on other nodes are heard of at once. */
  readonly isHeard: () => boolean;
  /** A user's state now. */
  readonly stateOf: (userId: bigint) => PresenceEvent;
  /** The last one who watched that user does not any more. */
  readonly onUnwatched: (userId: bigint) => void;
  readonly log: Logger;
  readonly limits: { readonly presencePairsPerRead: number };
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
  /** Users whose state some are to be told once their right to it is known: read together, however many change meanwhile. */
  readonly #owed = new Set<bigint>();
  #isSettling = false;
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
        const pairs = new Map([[viewer.userId, new Set(watch.userIds)]]);
        const shared = (await this.#deps.conversations.sharing(pairs)).get(viewer.userId);
        for (const userId of watch.userIds) if (!shared?.has(userId)) this.#drop(watch, userId);
      }
    } catch (error) {
      states.end();
      throw error;
    }
    return watch;
  }

  /** Tells those who watch a user their state: at once, or when rights that are in doubt have been read. */
  tell(userId: bigint): void {
    if (this.#tellSure(userId).length === 0) return;
    this.#owed.add(userId);
    void this.#settle();
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
    if (others.size > 0) void this.#recheck(new Map([[userId, others]]));
  }

  /** Memberships may have ended of which this node was not told: all rights are read again, some viewers' after others'. */
  async recheckAll(): Promise<void> {
    this.#doubts += 1;
    for (const watches of this.#byViewer.values()) {
      for (const watch of watches) watch.doubt = this.#doubts;
    }
    const viewers = [...this.#byViewer.keys()];
    while (viewers.length > 0) await this.#recheckSome(viewers);
  }

  /** Completes them all. */
  end(): void {
    this.#owed.clear();
    for (const watches of this.#byViewer.values()) for (const { states } of watches) states.end();
  }

  /** Tells it to those whose right is not in doubt. @returns the others. */
  #tellSure(userId: bigint): Watch[] {
    const isHeard = this.#deps.isHeard();
    const event = this.#deps.stateOf(userId);
    const others: Watch[] = [];
    for (const watch of this.#byWatched.get(userId) ?? []) {
      if (isHeard && watch.doubt === 0) watch.states.tell(userId, event.isOnline, event);
      else others.push(watch);
    }
    return others;
  }

  async #settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = true;
    while (this.#owed.size > 0) await this.#settleSome();
    this.#isSettling = false;
  }

  async #settleSome(): Promise<void> {
    const doubted = new Map<bigint, Watch[]>();
    const pairs = new Map<bigint, Set<bigint>>();
    let count = 0;
    for (const userId of this.#owed) {
      if (count >= this.#deps.limits.presencePairsPerRead) break;
      this.#owed.delete(userId);
      const watches = this.#tellSure(userId);
      doubted.set(userId, watches);
      pairs.set(userId, new Set(watches.map(({ viewer }) => viewer.userId)));
      count += watches.length;
    }
    await this.#recheck(pairs);
    for (const [userId, watches] of doubted) {
      const event = this.#deps.stateOf(userId);
      for (const { userIds, states } of watches) {
        if (userIds.has(userId)) states.tell(userId, event.isOnline, event);
      }
    }
  }

  /** Takes viewers from the end of the list, as many as one reading takes. */
  async #recheckSome(viewers: bigint[]): Promise<void> {
    const settled = this.#doubts;
    const rechecked: Watch[] = [];
    const pairs = new Map<bigint, Set<bigint>>();
    for (let count = 0; count < this.#deps.limits.presencePairsPerRead;) {
      const userId = viewers.pop();
      if (userId === undefined) break;
      const watches = [...(this.#byViewer.get(userId) ?? [])];
      const watched = new Set(watches.flatMap(({ userIds }) => [...userIds]));
      rechecked.push(...watches);
      pairs.set(userId, watched);
      count += watched.size;
    }
    await this.#recheck(pairs);
    for (const watch of rechecked) if (watch.doubt <= settled) watch.doubt = 0;
  }

  async #recheck(pairs: Pairs<bigint>): Promise<void> {
    let shared: Pairs<bigint> = new Map();
    try {
      shared = await this.#deps.conversations.sharing(pairs);
    } catch (error) {
      // Not knowing is no right: what they are not shown they can subscribe to again.
      this.#deps.log.warn({ err: error }, 'presence.recheckFailed');
    }
    for (const [one, others] of pairs) {
      for (const other of others) {
        if (one !== other && !shared.get(one)?.has(other)) this.#part(one, other);
      }
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
