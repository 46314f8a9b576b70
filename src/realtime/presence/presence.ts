import type { PresenceEvent } from '../../domain/inbox/inbox.ts';
import type { Sessions, Viewer } from '../../domain/session/session.ts';
import { steadyClock, type Clock } from '../../lib/clock.ts';
import { Deadlines } from '../../lib/deadlines.ts';
import { Fault } from '../../lib/fault.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { LeftTimes } from './left-times.ts';
import type { PresenceLink } from './presence-link.ts';
import { Watches, type WatchesDeps } from './watches.ts';

export interface PresenceDeps {
  readonly conversations: WatchesDeps['conversations'];
  readonly sessions: Pick<Sessions, 'lastSeen'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null: there are no other nodes. */
  readonly link: Pick<
    PresenceLink,
    'isHeard' | 'listen' | 'setUser' | 'setSession' | 'onlineUsers' | 'isSessionOnline'
  > | null;
  readonly limits: WatchesDeps['limits'] & {
    readonly offlineDelayMs: number;
    readonly idsPerCallMax: number;
  };
}

interface Seat {
  readonly userId: bigint;
  connections: number;
  leftAtMs: number;
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
  readonly #watches: Watches;
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
    this.#watches = new Watches({
      ...deps,
      isHeard: () => deps.link?.isHeard ?? true,
      stateOf: (userId) => this.#eventOf(userId, undefined),
      onUnwatched: (userId) => this.#anywhere.delete(userId),
    });
    deps.link?.listen(
      (userId, isOnline, atMs) => this.#heard(userId, isOnline, atMs),
      () => void this.#doubt(),
    );
  }

  async start(): Promise<void> {
    this.#leaving.start();
  }

  async stop(): Promise<void> {
    this.#leaving.stop();
    this.#watches.end();
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
    const { idsPerCallMax } = this.#deps.limits;
    if (userIds.length > idsPerCallMax) {
      throw new Fault('INVALID_ARGUMENT', `userIds may hold ${idsPerCallMax} ids at most`);
    }
    const watch = await this.#watches.open(viewer, userIds);
    const { states } = watch;
    try {
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
    this.#watches.membershipEnded(userId);
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

  /** Rights first: with a change, the end of a membership may have been missed. */
  async #doubt(): Promise<void> {
    await this.#watches.recheckAll();
    const { userIds } = this.#watches;
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
    this.#watches.tell(userId);
  }

  #eventOf(userId: bigint, storedAtMs: number | undefined): PresenceEvent {
    const isOnline = this.#isOnline(userId);
    const lastSeenAtMs = isOnline ? null : (this.#leftAtMs.get(userId) ?? storedAtMs ?? null);
    return { userId, isOnline, lastSeenAtMs };
  }
}
