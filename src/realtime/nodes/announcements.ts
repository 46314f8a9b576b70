import type { EndReason, SessionEnd } from '../../domain/session/session.ts';
import { present } from '../../lib/assert.ts';
import { slotOf } from '../../lib/id.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { chunks } from '../../storage/per-shard.ts';
import type { Broker, Subscription } from './broker.ts';

export interface AnnouncementsDeps {
  readonly gate: string;
  /** Each carries what is about some users and conversations. */
  readonly brokers: readonly Broker[];
  readonly isAlone: boolean;
  readonly log: Logger;
}

type OnEnded = (end: SessionEnd, endedAtMs: number) => void;
type OnRemoved = (conversationId: bigint, userIds: readonly bigint[]) => void;

type Written =
  | readonly ['ended', gate: string, session: string, user: string, EndReason, atMs: number]
  | readonly ['removed', gate: string, conversation: string, users: readonly string[]];

const channel = 'cluster';
const usersPerText = 1_000;

/**
 * What every node is told at once, on `cluster`: sessions that end, members that are removed. For speed alone: what is lost
 * each node finds in the shards.
 */
export class Announcements implements Lifecycle {
  readonly #deps: AnnouncementsDeps;
  readonly #onEnded: OnEnded[] = [];
  readonly #onRemoved: OnRemoved[] = [];
  #subscriptions: readonly Subscription[] = [];

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
    for (const subscription of this.#subscriptions) subscription.end();
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

  ended({ sessionId, userId, reason }: SessionEnd, endedAtMs: number): void {
    const { gate } = this.#deps;
    this.#say(userId, ['ended', gate, String(sessionId), String(userId), reason, endedAtMs]);
  }

  removed(conversationId: bigint, userIds: readonly bigint[]): void {
    for (const some of chunks(userIds, usersPerText)) {
      const userIds = some.map(String);
      this.#say(conversationId, ['removed', this.#deps.gate, String(conversationId), userIds]);
    }
  }

  /** @param id what it is about: all of that goes one way, in its order. */
  #say(id: bigint, written: Written): void {
    const { brokers, isAlone } = this.#deps;
    if (isAlone) return;
    const broker = present(brokers[slotOf(id) % brokers.length], 'there is a broker');
    broker.publish(channel, JSON.stringify(written)).catch((err: unknown) => {
      this.#deps.log.debug({ err }, 'announcements.unsaid');
    });
  }

  #hear(text: string): void {
    try {
      const written = JSON.parse(text) as Written;
      if (written[1] === this.#deps.gate) return;
      if (written[0] === 'ended') {
        const [, , session, user, reason, atMs] = written;
        const end = { sessionId: BigInt(session), userId: BigInt(user), reason };
        for (const listener of this.#onEnded) listener(end, atMs);
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
