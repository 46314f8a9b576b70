import type { Lifecycle } from '../../lib/lifecycle.ts';

/** Told of each text on a channel. Must not throw, and must not keep the caller waiting. */
export type Listener = (text: string) => void;

/** One listener's place on a channel. */
export interface Subscription {
  /** Resolves when nothing is missed that is published from then on; while the broker is away that lasts. Never rejects. */
  readonly ready: Promise<void>;
  /** No text comes after it. Idempotent. */
  end(): void;
}

/**
 * Carries texts from node to node, on channels, at most once.
 *
 * - What one broker publishes on one channel comes in that order; what several publish, in one order for all
 *   subscribers of that channel. It comes to the publisher's own subscribers, too.
 * - From `ready` on a subscriber misses nothing while the connection stands. Where it broke, or did not come about at the start,
 *   what was published meanwhile is lost; `onRestored` says that it stands, after every subscription does: read what you follow.
 * - It is for speed alone. Whoever must not miss a thing reads the store after `ready`, after `onRestored`, and now and then.
 */
export interface Broker extends Lifecycle {
  /** Whether what is published now is likely to arrive. */
  readonly isUp: boolean;
  subscribe(channel: string, listener: Listener): Subscription;
  /** Resolves when it is on its way to all subscribers. Rejects where that is unknown; nothing is published later. */
  publish(channel: string, text: string): Promise<void>;
  /**
   * On which of these channels others than this broker listen. Whoever subscribes after the answer was made does not
   * hear of what was committed before: they read it.
   */
  heardElsewhere(channels: readonly string[]): Promise<ReadonlySet<string>>;
  /** @returns what ends the telling. */
  onRestored(listener: () => void): () => void;
}
