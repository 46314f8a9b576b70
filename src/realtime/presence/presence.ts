import type { PresenceEvent } from '../../domain/inbox/inbox.ts';
import type { Sessions, Viewer } from '../../domain/session/session.ts';
import { steadyClock, type Clock } from '../../lib/clock.ts';
import { Deadlines } from '../../lib/deadlines.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { addTo, removeFrom } from '../../lib/sets-by-key.ts';
import type { Logger } from '../../lib/log.ts';
import { LatestStates } from './latest-states.ts';
import { LeftTimes } from './left-times.ts';
import type { PresenceLink } from './presence-link.ts';

export interface PresenceDeps {
  readonly conversations: {
    /** Who of them shares a conversation with that user, who themself does. */
    sharedWith(
      viewer: Pick<Viewer, 'userId'>,
      userIds: readonly bigint[],
    ): Promise<ReadonlySet<bigint>>;
  };
  readonly sessions: Pick<Sessions, 'lastSeen'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null: there are no other nodes. */
  readonly link: Pick<
    PresenceLink,
    'listen' | 'setUser' | 'setSession' | 'onlineUsers' | 'isSessionOnline'
  > | null;
  readonly limits: { readonly offlineDelayMs: number; readonly idsPerCallMax: number };
}

interface Seat {
  readonly userId: bigint;
  connections: number;
  leftAtMs: number;
}

interface Watch {
  readonly viewer: Viewer;
  readonly userIds: Set<bigint>;
  readonly states: LatestStates<bigint, PresenceEvent>;
  /** Whether somebody's membership has ended since the rights were last read. */
  isStale: boolean;
}

const tickMs = 100;
const leftRemembered = 10_000;

/** What is known of a watched user on all nodes. */
interface Attended {
  readonly isOnline: boolean;
  /** The number of the change that told it; 0: it was read. */
  readonly change: number;
}

/**
 * Who is online, on any node: a user with a live connection of a signed-in session, and until `offlineDelayMs` after
 * the last one closed, so that a reconnecting client does not flap.
 */
export class Presence implements Lifecycle {
  readonly #deps: PresenceDeps;
  /** By session. */
  readonly #seats = new Map<bigint, Seat>();
  /** Each user's sessions that are online. */
  readonly #online = new Map<bigint, Set<bigint>>();
  readonly #leaving: Deadlines<bigint>;
  readonly #leftAtMs = new LeftTimes(leftRemembered);
  /** By user who is watched. */
  readonly #watches = new Map<bigint, Set<Watch>>();
  readonly #watchesOf = new Map<bigint, Set<Watch>>();
  /** Of users who are watched, on all nodes, as told; without other nodes nothing. */
  readonly #anywhere = new Map<bigint, Attended>();
  #changes = 0;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#leaving = new Deadlines({
      clock: steadyClock,
      tickMs,
      onDue: (sessionId) => this.#leave(sessionId),
    });
    deps.link?.listen(
      (userId, isOnline, atMs) => this.#heard(userId, isOnline, atMs),
      () => void this.#reread(),
    );
  }

  async start(): Promise<void> {
    this.#leaving.start();
  }

  async stop(): Promise<void> {
    this.#leaving.stop();
    for (const watches of this.#watchesOf.values()) for (const { states } of watches) states.end();
    this.#seats.clear();
    this.#online.clear();
  }

  connected({ userId, sessionId }: Viewer): void {
    const seat = this.#seats.get(sessionId) ?? { userId, connections: 0, leftAtMs: 0 };
    seat.connections += 1;
    if (!this.#seats.has(sessionId)) {
      this.#deps.link?.setSession(sessionId, true, this.#deps.clock.now());
    }
    this.#seats.set(sessionId, seat);
    this.#leaving.delete(sessionId);
    const sessions = this.#online.get(userId);
    if (sessions) {
      sessions.add(sessionId);
      return;
    }
    this.#online.set(userId, new Set([sessionId]));
    this.#leftAtMs.delete(userId);
    this.#deps.link?.setUser(userId, true, this.#deps.clock.now());
    this.#tell(userId);
  }

  /** Once for each `connected`. */
  disconnected({ sessionId }: Viewer): void {
    const seat = this.#seats.get(sessionId);
    if (!seat || (seat.connections -= 1) > 0) return;
    seat.leftAtMs = this.#deps.clock.now();
    this.#leaving.set(sessionId, steadyClock.now() + this.#deps.limits.offlineDelayMs);
  }

  /** Whether a session has a live connection, or had one until `offlineDelayMs` ago; on any node, as far as these are heard. */
  async isSessionOnline(sessionId: bigint): Promise<boolean> {
    if (this.#seats.has(sessionId)) return true;
    return (await this.#deps.link?.isSessionOnline(sessionId).catch(() => false)) ?? false;
  }

  /**
   * Online states of those of the users who share a conversation with the viewer, the present one of each first; a
   * state never repeats. Others are left out, and so is who shares none any more.
   * @throws {Fault} INVALID_ARGUMENT for more than 1,000 ids.
   */
  async presence(
    viewer: Viewer,
    userIds: readonly bigint[],
  ): Promise<AsyncIterableIterator<PresenceEvent>> {
    const states = new LatestStates<bigint, PresenceEvent>({
      onEnd: () => this.#unregister(watch),
    });
    const watch: Watch = { viewer, userIds: new Set(userIds), states, isStale: true };
    this.#register(watch);
    try {
      while (watch.isStale) {
        watch.isStale = false;
        this.#keepOnly(watch, await this.#deps.conversations.sharedWith(viewer, userIds));
      }
      await this.#readAnywhere([...watch.userIds]);
      const offline = [...watch.userIds].filter((userId) => !this.#isOnline(userId));
      const lastSeen = await this.#deps.sessions.lastSeen(offline);
      for (const userId of watch.userIds) {
        const event = this.#eventOf(userId, lastSeen.get(userId));
        states.tell(userId, event.isOnline, event);
      }
    } catch (error) {
      states.end();
      throw error;
    }
    return states;
  }

  /** The user is no member of some conversation any more: who shares none with them is not shown them any more. */
  membershipEnded(_conversationId: bigint, userId: bigint): void {
    const others = new Set<bigint>();
    for (const watch of this.#watchesOf.get(userId) ?? []) {
      watch.isStale = true;
      for (const watched of watch.userIds) others.add(watched);
    }
    for (const watch of this.#watches.get(userId) ?? []) {
      watch.isStale = true;
      others.add(watch.viewer.userId);
    }
    others.delete(userId);
    if (others.size > 0) void this.#recheck(userId, [...others]);
  }

  /** Memberships may have ended of which this node was not told: all that is shown is looked up again, one viewer after the other. */
  async recheckAll(): Promise<void> {
    for (const [userId, watches] of [...this.#watchesOf]) {
      const watched = new Set([...watches].flatMap(({ userIds }) => [...userIds]));
      watched.delete(userId);
      if (watched.size > 0) await this.#recheck(userId, [...watched]);
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
    for (const watch of this.#watchesOf.get(one) ?? []) this.#drop(watch, other);
    for (const watch of this.#watchesOf.get(other) ?? []) this.#drop(watch, one);
  }

  #leave(sessionId: bigint): void {
    const seat = this.#seats.get(sessionId);
    if (!seat) return;
    this.#seats.delete(sessionId);
    this.#deps.link?.setSession(sessionId, false, seat.leftAtMs);
    const sessions = this.#online.get(seat.userId);
    sessions?.delete(sessionId);
    if (sessions?.size !== 0) return;
    this.#online.delete(seat.userId);
    this.#deps.link?.setUser(seat.userId, false, seat.leftAtMs);
    this.#leftAtMs.set(seat.userId, seat.leftAtMs);
    this.#tell(seat.userId);
  }

  /** Some node tells of the first coming, or the last leaving, of a user. */
  #heard(userId: bigint, isOnline: boolean, atMs: number): void {
    this.#changes += 1;
    if (!this.#watches.has(userId)) return;
    if (isOnline) this.#leftAtMs.delete(userId);
    else this.#leftAtMs.set(userId, atMs);
    this.#anywhere.set(userId, { isOnline, change: this.#changes });
    this.#tell(userId);
  }

  /** What was told while it was read is newer. While it cannot be read, what this node has counts. */
  async #readAnywhere(userIds: readonly bigint[]): Promise<void> {
    const { link, log } = this.#deps;
    const change = this.#changes;
    if (!link || userIds.length === 0) return;
    try {
      const online = await link.onlineUsers(userIds);
      for (const userId of userIds) {
        const isNewer = (this.#anywhere.get(userId)?.change ?? 0) > change;
        if (isNewer || !this.#watches.has(userId)) continue;
        this.#anywhere.set(userId, { isOnline: online.has(userId), change: 0 });
      }
    } catch (err) {
      log.warn({ err }, 'presence.read_failed');
    }
  }

  async #reread(): Promise<void> {
    const userIds = [...this.#watches.keys()];
    const { idsPerCallMax } = this.#deps.limits;
    for (let from = 0; from < userIds.length; from += idsPerCallMax) {
      const some = userIds.slice(from, from + idsPerCallMax);
      await this.#readAnywhere(some);
      for (const userId of some) this.#tell(userId);
    }
  }

  #isOnline(userId: bigint): boolean {
    return this.#online.has(userId) || (this.#anywhere.get(userId)?.isOnline ?? false);
  }

  #tell(userId: bigint): void {
    const event = this.#eventOf(userId, undefined);
    for (const { states } of this.#watches.get(userId) ?? []) {
      states.tell(userId, event.isOnline, event);
    }
  }

  #eventOf(userId: bigint, storedAtMs: number | undefined): PresenceEvent {
    const isOnline = this.#isOnline(userId);
    const lastSeenAtMs = isOnline ? null : (this.#leftAtMs.get(userId) ?? storedAtMs ?? null);
    return { userId, isOnline, lastSeenAtMs };
  }

  #register(watch: Watch): void {
    addTo(this.#watchesOf, watch.viewer.userId, watch);
    for (const userId of watch.userIds) addTo(this.#watches, userId, watch);
  }

  #unregister(watch: Watch): void {
    removeFrom(this.#watchesOf, watch.viewer.userId, watch);
    for (const userId of watch.userIds) this.#unwatch(watch, userId);
  }

  #unwatch(watch: Watch, userId: bigint): void {
    removeFrom(this.#watches, userId, watch);
    if (!this.#watches.has(userId)) this.#anywhere.delete(userId);
  }

  #keepOnly(watch: Watch, kept: ReadonlySet<bigint>): void {
    for (const userId of watch.userIds) if (!kept.has(userId)) this.#drop(watch, userId);
  }

  #drop(watch: Watch, userId: bigint): void {
    if (!watch.userIds.delete(userId)) return;
    watch.states.forget(userId);
    this.#unwatch(watch, userId);
  }
}
