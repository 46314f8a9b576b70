import { present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import { slotOf, type IdSource } from '../../lib/id.ts';
import { startInOrder, type Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { readPerShard } from '../../storage/per-shard.ts';
import { limits } from '../../limits.ts';
import type { Shards } from '../../storage/shards.ts';
import { SqlError } from '../../storage/sql.ts';
import type { User } from '../user/user.ts';
import { readAccessToken, signAccessToken } from './access-tokens.ts';
import { checkDevice, type Device } from './device.ts';
import { EndedSessions, type EndListener } from './ended-sessions.ts';
import { loadKeyRing, type KeyFile } from './key-file.ts';
import type { KeyRing } from './key-ring.ts';
import { LastSeen } from './last-seen.ts';
import type { EndReason, Session, SessionEnd, SignIn, Verification } from './model.ts';
import { displacedBy, type SessionPolicy } from './platform.ts';
import { readRefreshToken, refreshToken, type RefreshClaim } from './refresh-tokens.ts';
import { endSession, lastSeenOf, liveSessions, openSession, rotate } from './session-store.ts';
import type { Viewer } from './viewer.ts';

export { checkDevice, type Device } from './device.ts';
export type { EndListener } from './ended-sessions.ts';
export type { KeyFile } from './key-file.ts';
export type { EndReason, Session, SessionEnd, SignIn, Verification } from './model.ts';
export type { Platform, SessionPolicy } from './platform.ts';
export type { Viewer } from './viewer.ts';

export interface SessionsDeps {
  readonly shards: Shards;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keys: KeyFile;
  readonly policy: SessionPolicy;
  readonly accessTokenTtlMs: number;
  readonly refreshGraceMs: number;
  /** Told of each end on this node, to tell other nodes. Must not throw. */
  readonly onEndedHere?: (end: SessionEnd) => void;
}

const drawsMax = 8;

/** Who is signed in where, and the tokens that show it. */
export class Sessions implements Lifecycle {
  readonly #deps: SessionsDeps;
  readonly #ended: EndedSessions;
  readonly #lastSeen: LastSeen;
  /** Whom tokens make whose MAC was right; in the order of their first showing. */
  readonly #readTokens = new Map<string, Viewer>();
  #keyRing: KeyRing | undefined;
  #stop: (graceMs: number) => Promise<void> = () => Promise.resolve();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.#ended = new EndedSessions(deps);
    this.#lastSeen = new LastSeen(deps);
  }

  async start(): Promise<void> {
    this.#keyRing = await loadKeyRing(this.#deps.keys);
    this.#stop = await startInOrder([this.#ended, this.#lastSeen]);
  }

  async stop(graceMs: number): Promise<void> {
    await this.#stop(graceMs);
  }

  /**
   * Signs a user in on a device, whose earlier session this replaces, and ends those that the policy says: all in one
   * transaction, and one sign-in of a user after the other. Listeners have been told when it resolves. Not idempotent: a
   * retry replaces the session before.
   * @throws {Fault} INVALID_ARGUMENT for the form of the device.
   */
  async open(user: User, device: Device): Promise<SignIn> {
    const { id: deviceId, name: deviceName, platform } = checkDevice(device);
    const now = this.#deps.clock.now();
    const place = { userId: user.id, deviceId, deviceName, platform };
    const { session, displaced, claim } = await this.#insert({
      ...place,
      createdAtMs: now,
      lastSeenAtMs: now,
    });
    for (const other of displaced) this.#note(other, 'DISPLACED');
    return this.#signIn({ session, appId: user.appId, claim, displaced, now });
  }

  /**
   * Rotates a refresh token and gives a new access token; earlier access tokens live on. The token last spent gives the
   * same successor again, for `refreshGraceMs` and until that is presented; one spent before, or later, ends the session.
   * Whatever is no token of this server ends nothing.
   * @throws {Fault} UNAUTHENTICATED
   */
  async refresh(token: string): Promise<SignIn> {
    const presented = readRefreshToken(this.#keys, token);
    if (!presented) throw refused();
    const shard = this.#deps.shards.of(presented.sessionId);
    const now = this.#deps.clock.now();
    const rotation = await rotate(shard, presented, now, this.#deps.refreshGraceMs);
    switch (rotation.outcome) {
      case 'good':
        return this.#signIn({ ...rotation, displaced: [], now });
      case 'stolen':
        await this.#end(rotation.session, 'THEFT');
        throw refused();
      case 'gone':
        throw refused();
    }
  }

  /**
   * Ends a live session of the viewer's, at once and for good: its tokens are refused from here on, listeners are told once
   * the callbacks of the promise have run. A gate that serves the asking socket stops its events then, and may close it when
   * the answer has gone out.
   * @param sessionId null: the viewer's own.
   * @throws {Fault} NOT_FOUND for none of the viewer's; UNAUTHENTICATED where their own has ended meanwhile.
   */
  async end(viewer: Viewer, sessionId: bigint | null): Promise<Session> {
    const over = new Fault('UNAUTHENTICATED', 'This session is over');
    if (this.isEnded(viewer.sessionId) !== null) throw over;
    const id = sessionId ?? viewer.sessionId;
    const ended = await this.#end({ id, userId: viewer.userId }, 'LOGGED_OUT');
    if (ended) return ended;
    if (id === viewer.sessionId) throw over;
    throw new Fault('NOT_FOUND', 'There is no such session');
  }

  /** All live sessions of the viewer's, the latest sign-in first. */
  live(viewer: Viewer): Promise<Session[]> {
    return liveSessions(this.#deps.shards.of(viewer.userId), viewer.userId);
  }

  /** Says that the viewer's session is in use. Costs at most one write a minute, with others, and never waits. */
  touch(viewer: Viewer): void {
    this.#lastSeen.touch(viewer.sessionId);
  }

  /** When users were last seen, as exact as `Session.lastSeenAtMs`; without those of whom nothing is known. One statement a shard. */
  async lastSeen(userIds: readonly bigint[]): Promise<ReadonlyMap<bigint, number>> {
    const perShard = await readPerShard(
      this.#deps.shards,
      [...new Set(userIds)],
      (id) => id,
      lastSeenOf,
    );
    return new Map(perShard.flat());
  }

  /**
   * Who bears this access token, for HTTP and sockets alike. Asks no database. FORGED is all that this server has not
   * signed; ENDED, a session that was logged out, displaced or stolen; a token that is past its time is EXPIRED, whatever
   * became of its session.
   */
  verify(accessToken: string): Promise<Verification> {
    return Promise.resolve(this.#verdict(accessToken));
  }

  #verdict(accessToken: string): Verification {
    const read = this.#read(accessToken);
    if (typeof read === 'string') return { ok: false, why: read };
    if (this.isEnded(read.sessionId) !== null) return { ok: false, why: 'ENDED' };
    return { ok: true, viewer: read };
  }

  /** The same token comes with request after request: its MAC is checked once. */
  #read(accessToken: string): Viewer | 'FORGED' | 'EXPIRED' {
    const now = this.#deps.clock.now();
    const known = this.#readTokens.get(accessToken);
    if (known) return known.expiresAtMs > now ? known : 'EXPIRED';
    const read = readAccessToken(this.#keys, accessToken, now);
    if (typeof read === 'string') return read;
    this.#readTokens.set(accessToken, read);
    if (this.#readTokens.size > limits.accessTokensKeptMax) {
      const [oldest] = this.#readTokens.keys();
      if (oldest !== undefined) this.#readTokens.delete(oldest);
    }
    return read;
  }

  /**
   * Why a session is over; null while it lives. Only for one of which somebody may hold an access token: those that ended
   * longer ago are forgotten.
   */
  isEnded(sessionId: bigint): EndReason | null {
    return this.#ended.reasonOf(sessionId);
  }

  /**
   * Tells each end of a session once: those of this node before the promise of what caused them resolves (LOGGED_OUT: right
   * after its callbacks), those of other nodes within `limits.revocationPollMs`. `isEnded` knows it before.
   * @returns what ends the telling.
   */
  onEnded(listener: EndListener): () => void {
    return this.#ended.onEnded(listener);
  }

  /** Takes the end of a session that another node tells of, sooner than the shards would. */
  heardEnded(end: SessionEnd): void {
    this.#ended.note(end);
  }

  async #insert(place: Omit<Session, 'id'>) {
    const shard = this.#deps.shards.of(place.userId);
    for (let draw = 1; ; draw += 1) {
      const session = { ...place, id: this.#deps.ids.next(slotOf(place.userId)) };
      const displacedOf = (live: readonly Session[]) =>
        displacedBy(this.#deps.policy, session, live);
      try {
        return { session, ...(await openSession(shard, session, displacedOf)) };
      } catch (error) {
        const isTaken = error instanceof SqlError && error.kind === 'unique';
        if (!isTaken || draw === drawsMax) throw error;
      }
    }
  }

  async #end({ id, userId }: Pick<Session, 'id' | 'userId'>, reason: EndReason) {
    const now = this.#deps.clock.now();
    const shard = this.#deps.shards.of(userId);
    const ended = await endSession(shard, { userId, sessionId: id }, reason, now);
    if (ended) this.#note(ended, reason);
    return ended;
  }

  #note({ id, userId }: Session, reason: EndReason): void {
    const end = { sessionId: id, userId, reason };
    this.#ended.note(end);
    this.#deps.onEndedHere?.(end);
  }

  /** @param of.now from before the commit: so that no token outlives what is remembered of a session's end. */
  #signIn(of: {
    session: Session;
    appId: string;
    claim: RefreshClaim;
    displaced: readonly Session[];
    now: number;
  }): SignIn {
    const { session, appId, displaced, now } = of;
    const expiresAtMs =
      (Math.floor(now / 1000) + Math.ceil(this.#deps.accessTokenTtlMs / 1000)) * 1000;
    const viewer = { userId: session.userId, sessionId: session.id, appId, expiresAtMs };
    return {
      session,
      viewer,
      accessToken: signAccessToken(this.#keys, viewer, now),
      accessTokenExpiresAtMs: expiresAtMs,
      refreshToken: refreshToken(this.#keys.first, of.claim),
      displaced,
    };
  }

  get #keys(): KeyRing {
    return present(this.#keyRing, 'sessions have been started');
  }
}

/** One answer for all of it: who guesses learns nothing. */
function refused(): Fault {
  return new Fault('UNAUTHENTICATED', 'The refresh token is not good (any more): sign in');
}
