import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { Redis } from 'ioredis';
import type { Logger } from '../../lib/log.ts';
import { connectWithin, redisClient } from '../../storage/connect.redis.ts';
import { startPulse } from '../../storage/pulse.redis.ts';
import type { Broker, Listener, Subscription } from './broker.ts';
import { ResubscribingClient } from './resubscribing-client.redis.ts';

export interface RedisBrokerDeps {
  /** As `redisAddressOf` reads it. */
  readonly url: string;
  readonly log: Logger;
  readonly limits: {
    /** How long an answer of Redis may take. */
    readonly redisAnswerMs: number;
    /** How often a quiet connection is asked whether it lives. */
    readonly redisPingMs: number;
  };
}

interface Seat {
  readonly listeners: Set<Listener>;
  readonly ready: Promise<void>;
  end(): void;
}

/**
 * Carries texts over one Redis' publish/subscribe. It subscribes on a connection of its own, which comes back by itself, and
 * publishes on another, which queues nothing while Redis is away.
 */
export class RedisBroker implements Broker {
  readonly #log: Logger;
  readonly #publisher: Redis;
  readonly #subscriber: ResubscribingClient;
  readonly #pubsub: RedisPubSub;
  readonly #seats = new Map<string, Seat>();
  readonly #limits: RedisBrokerDeps['limits'];
  #endPulse: () => void = () => undefined;
  #isStopped = false;

  constructor({ url, log, limits }: RedisBrokerDeps) {
    this.#log = log;
    this.#limits = limits;
    const answerMs = limits.redisAnswerMs;
    const use = { answerMs, comesBack: true, more: { autoResubscribe: false } };
    this.#publisher = redisClient(url, use);
    this.#subscriber = new ResubscribingClient(redisClient(url, use), {
      log,
      answerMs,
      pingMs: limits.redisPingMs,
    });
    // Whoever waits for an answer hears of it; without a listener the client writes to the console.
    this.#publisher.on('error', () => undefined);
    this.#pubsub = new RedisPubSub({
      publisher: this.#publisher,
      subscriber: this.#subscriber.asRedis,
      serializer: (text: string) => text,
      deserializer: (text) => String(text),
    });
  }

  get isUp(): boolean {
    return this.#subscriber.isUp && this.#publisher.status === 'ready';
  }

  /** Does not wait for Redis longer than it may take to answer: the node can do without. */
  async start(): Promise<void> {
    const { redisAnswerMs, redisPingMs } = this.#limits;
    this.#endPulse = startPulse(this.#publisher, redisPingMs);
    const publisher = connectWithin(this.#publisher, redisAnswerMs).catch((err: unknown) => {
      this.#log.warn({ err }, 'broker.unreachable');
    });
    await Promise.all([publisher, this.#subscriber.start()]);
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    this.#subscriber.stop();
    this.#endPulse();
    this.#publisher.disconnect();
    this.#seats.clear();
    return Promise.resolve();
  }

  subscribe(channel: string, listener: Listener): Subscription {
    const seat = this.#seats.get(channel) ?? this.#open(channel);
    // One function may listen twice.
    const own: Listener = (text) => listener(text);
    seat.listeners.add(own);
    return {
      ready: seat.ready,
      end: () => {
        if (!seat.listeners.delete(own) || seat.listeners.size > 0) return;
        if (this.#seats.get(channel) === seat) this.#seats.delete(channel);
        seat.end();
      },
    };
  }

  publish(channel: string, text: string): Promise<void> {
    return this.#pubsub.publish(channel, text);
  }

  async heardElsewhere(channels: readonly string[]): Promise<ReadonlySet<string>> {
    if (channels.length === 0) return new Set();
    const counts = await this.#publisher.pubsub('NUMSUB', ...channels);
    // Channel, count, channel, count, …
    return new Set(channels.filter((_, index) => Number(counts[2 * index + 1]) > 0));
  }

  onRestored(listener: () => void): () => void {
    return this.#subscriber.onRestored(listener);
  }

  #open(channel: string): Seat {
    const listeners = new Set<Listener>();
    const tell = (text: string): void => {
      // The connection may still bring what it had.
      if (this.#isStopped) return;
      for (const listener of [...listeners]) if (listeners.has(listener)) listener(text);
    };
    const subscribed = this.#pubsub.subscribe<string>(channel, tell);
    const seat: Seat = {
      listeners,
      ready: subscribed.then(() => undefined),
      end: () => {
        void subscribed.then((id) => {
          if (!this.#isStopped) this.#pubsub.unsubscribe(id);
        });
      },
    };
    this.#seats.set(channel, seat);
    return seat;
  }
}
