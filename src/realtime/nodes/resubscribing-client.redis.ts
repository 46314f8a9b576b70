import type { Redis } from 'ioredis';
import type { Logger } from '../../lib/log.ts';
import { connectWithin } from '../../storage/connect.redis.ts';
import { startPulse } from '../../storage/pulse.redis.ts';

type Done = (error: null) => void;

/** Channels that one command subscribes to after a connection came back. */
const channelsPerCommand = 500;
const retryMs = 500;

/**
 * A Redis connection that subscribes, as RedisPubSub needs one: there a subscription that fails rejects a promise that nobody
 * holds, and would end the process. Here none ever fails: it lasts until Redis is there and has it. When the connection
 * comes back, it subscribes to all of them again before it says so.
 */
export class ResubscribingClient {
  readonly #client: Redis;
  readonly #log: Logger;
  readonly #answerMs: number;
  readonly #pingMs: number;
  /** By channel: whom to tell when it is subscribed to. */
  readonly #wanted = new Map<string, Done[]>();
  readonly #onRestored = new Set<() => void>();
  #isUp = false;
  /** Whether something may be missed before it is up the next time. */
  #isBehind = false;
  #isStopped = false;
  #endPulse: () => void = () => undefined;
  #retrying: NodeJS.Timeout | undefined;

  constructor(
    client: Redis,
    deps: { readonly log: Logger; readonly answerMs: number; readonly pingMs: number },
  ) {
    this.#client = client;
    this.#log = deps.log;
    this.#answerMs = deps.answerMs;
    this.#pingMs = deps.pingMs;
    client.on('ready', () => void this.#restore());
    client.on('close', () => {
      if (this.#isUp) this.#log.warn('broker.lost');
      this.#isUp = false;
      this.#isBehind = true;
    });
    client.on('error', () => undefined);
  }

  /** Whether all that is wanted is subscribed to. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** The client, but for what must not fail. */
  get asRedis(): Redis {
    const own: Readonly<Record<string | symbol, unknown>> = {
      subscribe: (channel: string, done: Done) => this.#subscribe(channel, done),
      unsubscribe: (channel: string) => this.#unsubscribe(channel),
      // Nothing here subscribes to patterns.
      punsubscribe: () => undefined,
    };
    return new Proxy(this.#client, {
      get(target, name) {
        if (Object.hasOwn(own, name)) return own[name];
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  async start(): Promise<void> {
    this.#endPulse = startPulse(this.#client, this.#pingMs);
    await connectWithin(this.#client, this.#answerMs).catch((err: unknown) => {
      this.#log.warn({ err }, 'broker.unreachable');
      this.#isBehind = true;
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#isUp = false;
    this.#endPulse();
    clearTimeout(this.#retrying);
    this.#client.disconnect();
    this.#wanted.clear();
    this.#onRestored.clear();
  }

  onRestored(listener: () => void): () => void {
    this.#onRestored.add(listener);
    return () => this.#onRestored.delete(listener);
  }

  #subscribe(channel: string, done: Done): void {
    this.#wanted.set(channel, [...(this.#wanted.get(channel) ?? []), done]);
    if (!this.#isUp) return;
    this.#client.subscribe(channel).then(
      () => this.#tell(channel),
      (error: unknown) => this.#failed(error),
    );
  }

  #unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
    // Else the restoring does what is needed: in between it may be wanted again.
    if (!this.#isUp) return;
    this.#client.unsubscribe(channel).catch(() => undefined);
  }

  async #restore(): Promise<void> {
    const before = [...this.#wanted.keys()];
    try {
      for (let at = 0; at < before.length; at += channelsPerCommand) {
        await this.#client.subscribe(...before.slice(at, at + channelsPerCommand));
      }
    } catch (error) {
      this.#failed(error);
      return;
    }
    // Those that ended or began meanwhile.
    const known = new Set(before);
    for (const channel of before) {
      if (this.#wanted.has(channel)) this.#tell(channel);
      else this.#client.unsubscribe(channel).catch(() => undefined);
    }
    this.#isUp = this.#client.status === 'ready';
    for (const [channel, waiting] of this.#wanted) {
      if (!known.has(channel) && this.#isUp) {
        this.#wanted.set(channel, []);
        for (const done of waiting) this.#subscribe(channel, done);
      }
    }
    if (!this.#isUp || !this.#isBehind) return;
    this.#isBehind = false;
    this.#log.info('broker.restored');
    for (const listener of [...this.#onRestored]) listener();
  }

  #tell(channel: string): void {
    const waiting = this.#wanted.get(channel);
    if (!waiting || waiting.length === 0) return;
    this.#wanted.set(channel, []);
    for (const done of waiting) done(null);
  }

  /** A connection that broke comes back by itself; one that stands has refused: it is asked again. */
  #failed(error: unknown): void {
    if (this.#isStopped || this.#client.status !== 'ready') return;
    this.#log.warn({ err: error }, 'broker.subscribe_failed');
    this.#isUp = false;
    this.#isBehind = true;
    this.#retrying ??= setTimeout(() => {
      this.#retrying = undefined;
      if (!this.#isStopped && this.#client.status === 'ready') void this.#restore();
    }, retryMs);
  }
}
