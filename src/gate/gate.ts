import type { EndReason, Sessions, Viewer } from '../domain/session/session.ts';
import { steadyClock, type Clock } from '../lib/clock.ts';
import { Deadlines } from '../lib/deadlines.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import { Tally } from '../lib/tally.ts';
import type { Presence } from '../realtime/presence/presence.ts';
import { closings, drainingTo, type Closing } from './close-codes.ts';
import { Connection, type Transport } from './connection.ts';
import { Heartbeat } from './heartbeat.ts';

export interface GateLimits {
  readonly connectionQueueBytesMax: number;
  readonly connectionAnswerBytesMax: number;
  readonly connectionStallMs: number;
  readonly heartbeatQuietMs: number;
  readonly drainMs: number;
  readonly drainSliceMs: number;
  readonly connectionsPerUserMax: number;
}

export interface GateDeps {
  readonly sessions: Pick<Sessions, 'isEnded' | 'onEnded' | 'touch'>;
  /** Is told of the signed-in connections as they come and go. */
  readonly attendance: Pick<Presence, 'connected' | 'disconnected'>;
  /** The WebSocket URL of another gate that would take somebody in; null: none is known. */
  readonly elsewhere?: (viewer: Viewer | null) => string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** 0: as many as there may be. */
  readonly connectionsPerAddress: number;
  readonly limits: GateLimits;
}

const closingOf: Readonly<Record<EndReason, Closing>> = {
  LOGGED_OUT: closings.sessionEnded,
  THEFT: closings.sessionEnded,
  DISPLACED: closings.sessionDisplaced,
};

/** How long a request under way on a connection whose session ends may take to answer. */
const lastAnswerMs = 100;

/** So a token's end is met within 100 ms. */
const expiryTickMs = 50;

/**
 * The node's edge: all live connections, whatever their wire, by session. It closes them when their session ends
 * (4601, 4602) or their access token runs out (4605), both within 250 ms and with no event after; when they are silent
 * for two heartbeats; and, in jittered slices, when the node drains (4604).
 */
export class Gate implements Lifecycle {
  readonly #deps: GateDeps;
  readonly #connections = new Set<Connection>();
  readonly #bySession = new Map<bigint, Set<Connection>>();
  readonly #expiry: Deadlines<Connection>;
  readonly #heartbeat: Heartbeat;
  readonly #ofAddress: Tally;
  readonly #ofUser: Tally;
  readonly #forget = new Map<Connection, () => void>();
  #onEmpty: (() => void) | undefined;
  #unlisten: (() => void) | undefined;
  #nextId = 1;
  #isDraining = false;
  /** When a drain is over at the latest. */
  #drainedAtMs = 0;

  constructor(deps: GateDeps) {
    this.#deps = deps;
    this.#ofAddress = new Tally(deps.connectionsPerAddress);
    this.#ofUser = new Tally(deps.limits.connectionsPerUserMax);
    this.#heartbeat = new Heartbeat(deps.limits.heartbeatQuietMs);
    this.#expiry = new Deadlines({
      clock: deps.clock,
      tickMs: expiryTickMs,
      onDue: (connection) => connection.end(closings.tokenExpired, lastAnswerMs),
    });
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether it takes no new connections. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  async start(): Promise<void> {
    this.#isDraining = false;
    this.#expiry.start();
    this.#heartbeat.start();
    this.#unlisten = this.#deps.sessions.onEnded(({ sessionId, reason }) => {
      for (const connection of this.#bySession.get(sessionId) ?? []) {
        connection.end(closingOf[reason], lastAnswerMs);
      }
    });
  }

  /** Whether one more connection may come from an address, and be that of a user. */
  hasRoomFor(address: string, viewer: Viewer | null): boolean {
    return (
      !this.#ofAddress.isFull(address) &&
      (viewer === null || !this.#ofUser.isFull(String(viewer.userId)))
    );
  }

  /**
   * Takes in a new wire, anonymous at first. The owner of the wire says `left` when it is gone, and has asked
   * `hasRoomFor` before.
   */
  open(transport: Transport, address: string): Connection {
    const { connectionQueueBytesMax, connectionAnswerBytesMax, connectionStallMs } =
      this.#deps.limits;
    const connection = new Connection(this.#nextId++, {
      address,
      transport,
      budget: {
        eventBytesMax: connectionQueueBytesMax,
        answerBytesMax: connectionAnswerBytesMax,
        stallMs: connectionStallMs,
      },
    });
    this.#connections.add(connection);
    const endBeat = this.#heartbeat.add(connection);
    const endSeat = this.#ofAddress.enter(address);
    this.#forget.set(connection, () => {
      endBeat();
      endSeat?.();
    });
    if (this.#isDraining) connection.close(this.#sendingOn(connection));
    return connection;
  }

  /** The other side has shown a sign of life. */
  heard(connection: Connection): void {
    this.#heartbeat.heard(connection);
  }

  /**
   * Binds a connection to the session of a verified viewer.
   * @returns false where that session has ended meanwhile, or the user has too many: the connection is closed then.
   */
  signIn(connection: Connection, viewer: Viewer): boolean {
    if (!connection.isOpen) return false;
    if (this.#deps.sessions.isEnded(viewer.sessionId) !== null) {
      connection.close(closings.unauthorized);
      return false;
    }
    const leave = this.#ofUser.enter(String(viewer.userId));
    if (!leave) {
      connection.close(closings.tooMany);
      return false;
    }
    connection.viewer = viewer;
    const seats = this.#bySession.get(viewer.sessionId) ?? new Set();
    this.#bySession.set(viewer.sessionId, seats.add(connection));
    this.#expiry.set(connection, viewer.expiresAtMs);
    this.#deps.sessions.touch(viewer);
    this.#deps.attendance.connected(viewer);
    connection.onClose(() => {
      leave();
      this.#expiry.delete(connection);
      seats.delete(connection);
      if (seats.size === 0) this.#bySession.delete(viewer.sessionId);
      this.#deps.sessions.touch(viewer);
      this.#deps.attendance.disconnected(viewer);
    });
    return true;
  }

  /** The wire is gone. */
  left(connection: Connection): void {
    connection.closed();
    this.#forget.get(connection)?.();
    this.#forget.delete(connection);
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /**
   * Sends some of those on who have been here longest, so that nobody moves twice in a row: as many as there are other gates
   * for. Who waits for an answer stays.
   */
  handOn(count: number): void {
    let left = count;
    for (const connection of this.#connections) {
      if (left === 0 || this.#isDraining) return;
      if (!connection.isOpen || connection.hasRequests) continue;
      const url = this.#deps.elsewhere?.(connection.viewer) ?? null;
      if (url === null) return;
      connection.close(drainingTo({ retryAfterMs: this.#jitterMs(), url }));
      left -= 1;
    }
  }

  /**
   * Drains: takes nobody in, closes the connections one slice after the other within the grace, each after its
   * requests under way have answered, with a hint where to go on; terminates those that are left at its end.
   */
  async stop(graceMs: number): Promise<void> {
    this.#isDraining = true;
    const endMs = steadyClock.now() + graceMs;
    const windowMs = Math.min(this.#deps.limits.drainMs, graceMs / 2);
    this.#drainedAtMs = steadyClock.now() + windowMs;
    const slices = Math.max(1, Math.floor(windowMs / this.#deps.limits.drainSliceMs));
    const sliceOf = new Map<Connection, number>();
    for (const connection of this.#connections) {
      sliceOf.set(connection, Math.floor(this.#deps.random() * slices));
    }
    for (let slice = 0; slice < slices && this.#connections.size > 0; slice += 1) {
      if (slice > 0) await this.#emptyWithin(this.#deps.limits.drainSliceMs);
      for (const connection of this.#connections) {
        if (!connection.isOpen || (sliceOf.get(connection) ?? 0) > slice) continue;
        connection.end(this.#sendingOn(connection), endMs - steadyClock.now());
      }
    }
    await this.#emptyWithin(Math.max(endMs - steadyClock.now(), Math.min(graceMs, 50)));
    for (const connection of this.#connections) {
      connection.terminate();
      this.left(connection);
    }
    this.#unlisten?.();
    this.#expiry.stop();
    this.#heartbeat.stop();
  }

  /** Where another gate takes them in they come one by one; where there is none, not before this one may be back. */
  #sendingOn({ viewer }: Connection): Closing {
    const { elsewhere } = this.#deps;
    const retryAfterMs = this.#jitterMs();
    const url = elsewhere?.(viewer) ?? null;
    if (url !== null) return drainingTo({ retryAfterMs, url });
    const leftMs = Math.max(0, this.#drainedAtMs - steadyClock.now());
    return drainingTo({ retryAfterMs: Math.round(leftMs) + retryAfterMs });
  }

  #jitterMs(): number {
    return Math.round(this.#deps.random() * this.#deps.limits.drainSliceMs);
  }

  #emptyWithin(ms: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const onEmpty = done;
      this.#onEmpty = onEmpty;
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
    });
  }
}
