import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Broker, Subscription } from '../nodes/broker.ts';
import { presenceChannel } from '../nodes/stays.lua.ts';
import type { Stays } from '../nodes/stays.redis.ts';
import { attendanceOf, seatOf, type Stay } from '../nodes/stays.ts';

/** Told when a user comes to their first gate of all, or leaves the last one. Must not throw. */
export type OnAttendance = (userId: bigint, isOnline: boolean, atMs: number) => void;

export interface PresenceLinkDeps {
  readonly stays: Pick<Stays, 'set' | 'anywhere' | 'onSaidAgain'>;
  /** By bucket of users. */
  readonly brokers: readonly Broker[];
}

/** Who is online on any node. */
export class PresenceLink implements Lifecycle {
  readonly #deps: PresenceLinkDeps;
  readonly #unlisten: (() => void)[] = [];
  #subscriptions: readonly Subscription[] = [];
  #onAttendance: OnAttendance = () => undefined;
  #onDoubt: () => void = () => undefined;

  constructor(deps: PresenceLinkDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    const { brokers, stays } = this.#deps;
    this.#subscriptions = brokers.map((broker) => {
      this.#unlisten.push(broker.onRestored(() => this.#onDoubt()));
      return broker.subscribe(presenceChannel, (text) => {
        const [userId = '', isOnline, atMs] = text.split(' ');
        if (/^\d+$/.test(userId)) {
          this.#onAttendance(BigInt(userId), isOnline === '1', Number(atMs ?? 0));
        }
      });
    });
    stays.onSaidAgain(() => this.#onDoubt());
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.end();
    for (const unlisten of this.#unlisten) unlisten();
    return Promise.resolve();
  }

  /** Whether what happens on other nodes is heard at once. */
  get isHeard(): boolean {
    return this.#deps.brokers.every(({ isUp }) => isUp);
  }

  /** @param onDoubt told where changes, and ends of memberships, may have been missed. */
  listen(onAttendance: OnAttendance, onDoubt: () => void): void {
    this.#onAttendance = onAttendance;
    this.#onDoubt = onDoubt;
  }

  /** What is here; Redis is told again where it does not hear it. */
  setUser(userId: bigint, isOnline: boolean, atMs: number): void {
    this.#set(attendanceOf(userId), isOnline, atMs);
  }

  setSession(sessionId: bigint, isOnline: boolean, atMs: number): void {
    this.#set(seatOf(sessionId), isOnline, atMs);
  }

  /** Which of them are online anywhere. Rejects where Redis does not answer. */
  async onlineUsers(userIds: readonly bigint[]): Promise<ReadonlySet<bigint>> {
    const found = await this.#deps.stays.anywhere(userIds.map(attendanceOf));
    return new Set(userIds.filter((userId) => found.has(attendanceOf(userId))));
  }

  async isSessionOnline(sessionId: bigint): Promise<boolean> {
    return (await this.#deps.stays.anywhere([seatOf(sessionId)])).size > 0;
  }

  #set(stay: Stay, isHere: boolean, atMs: number): void {
    this.#deps.stays.set(stay, isHere, atMs).catch(() => undefined);
  }
}
