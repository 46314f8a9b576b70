import type { EndReason, SessionEnd } from '../../domain/session/session.ts';
import { present } from '../../lib/assert.ts';
import { slotOf } from '../../lib/id.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Broker, Subscription } from './broker.ts';

export interface AnnouncementsDeps {
  readonly gate: string;
  /** Each carries what is about some users and conversations. */
  readonly brokers: readonly Broker[];
  readonly isAlone: boolean;
  readonly log: Logger;
  readonly limits: {
    /** What waits to be said while the way is broken; beyond it the oldest is let go. */
    readonly announcementsUnsaidMax: number;
    readonly announcementsRetryMs: number;
  };
}

type OnEnded = (end: SessionEnd) => void;
type OnRemoved = (conversationId: bigint, userIds: readonly bigint[]) => void;
type OnProfile = (userId: bigint) => void;

type Written =
  | readonly ['ended', gate: string, session: string, user: string, EndReason]
  | readonly ['removed', gate: string, conversation: string, users: readonly string[]]
  | readonly ['profile', gate: string, user: string];

interface Unsaid {
  readonly broker: Broker;
  readonly text: string;
}

const channel = 'cluster';
const usersPerText = 1_000;

/**
 * What every node is told at once, on `cluster`: sessions that end, members that are removed, profiles that change. For
 * speed alone: what is lost each node finds in the shards, or does not rely on for long. What could not be said is said again,
 * for it may come twice and in any order; who relies on having heard it all looks again when a broker is restored.
 */
export class Announcements implements Lifecycle {
  readonly #deps: AnnouncementsDeps;
  readonly #onEnded: OnEnded[] = [];
  readonly #onRemoved: OnRemoved[] = [];
  readonly #onProfile: OnProfile[] = [];
  #subscriptions: readonly Subscription[] = [];
  #unsaid: Unsaid[] = [];
  #again: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(deps: AnnouncementsDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    if (!this.#deps.isAlone) {
      const { brokers } = this.#deps;
      this.#subscriptions = brokers.map((broker) =>
        broker.subscribe(channel, (text) => this.#hear(text)),
      );
    }
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    for (const subscription of this.#subscriptions) subscription.end();
    clearTimeout(this.#again);
    return Promise.resolve();
  }

  /** Told of sessions that ended on other nodes. Must not throw. */
  onEnded(listener: OnEnded): void {
    this.#onEnded.push(listener);
  }

  /** Told of members that other nodes have removed. Must not throw. */
  onRemoved(listener: OnRemoved): void {
    this.#onRemoved.push(listener);
  }

  /** Told of users whose profiles other nodes have changed. Must not throw. */
  onProfileChanged(listener: OnProfile): void {
    this.#onProfile.push(listener);
  }

  ended({ sessionId, userId, reason }: SessionEnd): void {
    const { gate } = this.#deps;
    this.#say(userId, ['ended', gate, String(sessionId), String(userId), reason]);
  }

  removed(conversationId: bigint, userIds: readonly bigint[]): void {
    for (const some of chunks(userIds, usersPerText)) {
      const userIds = some.map(String);
      this.#say(conversationId, ['removed', this.#deps.gate, String(conversationId), userIds]);
    }
  }

  profileChanged(userId: bigint): void {
    this.#say(userId, ['profile', this.#deps.gate, String(userId)]);
  }

  /** @param id what it is about: all of that goes one way. */
  #say(id: bigint, written: Written): void {
    const { brokers, isAlone } = this.#deps;
    if (isAlone) return;
    const broker = present(brokers[slotOf(id) % brokers.length], 'there is a broker');
    this.#publish({ broker, text: JSON.stringify(written) });
  }

  #publish(said: Unsaid): void {
    said.broker.publish(channel, said.text).catch((err: unknown) => {
      const { limits, log } = this.#deps;
      log.debug({ err }, 'announcements.unsaid');
      if (this.#isStopped) return;
      this.#unsaid.push(said);
      if (this.#unsaid.length > limits.announcementsUnsaidMax) this.#unsaid.shift();
      this.#again ??= setTimeout(() => this.#sayAgain(), limits.announcementsRetryMs);
    });
  }

  #sayAgain(): void {
    this.#again = undefined;
    const unsaid = this.#unsaid;
    this.#unsaid = [];
    for (const said of unsaid) this.#publish(said);
  }

  #hear(text: string): void {
    try {
      const written = JSON.parse(text) as Written;
      if (written[1] === this.#deps.gate) return;
      if (written[0] === 'ended') {
        const [, , session, user, reason] = written;
        const end = { sessionId: BigInt(session), userId: BigInt(user), reason };
        for (const listener of this.#onEnded) listener(end);
      } else if (written[0] === 'profile') {
        for (const listener of this.#onProfile) listener(BigInt(written[2]));
      } else {
        const [, , conversation, users] = written;
        const userIds = users.map(BigInt);
        for (const listener of this.#onRemoved) listener(BigInt(conversation), userIds);
      }
    } catch (err) {
      this.#deps.log.error({ err }, 'announcements.unreadable');
    }
  }
}
