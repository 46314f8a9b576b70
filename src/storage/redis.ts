import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { present } from '../lib/assert.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import { connect, redisClient } from './connect.redis.ts';
import { claim, identify, isAsBefore, type RedisIdentity } from './epoch.redis.ts';
import { evaluated } from './evaluate.redis.ts';
import { epochKey } from './lua.ts';
import type { ArgsOf, EpochScript, KeysOf, LuaScript, LuaValue, Names } from './lua.ts';
import { isElsewhere, isForNow, isOtherEpoch, refusalOf, unavailable } from './redis-refusals.ts';

/** What a Redis may be told: a command and its arguments. Rejects with a Fault UNAVAILABLE where it does not answer. */
export interface RedisLink {
  call(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
}

/** An answer, and the epoch in which it was given. */
export interface InEpoch<Answer> {
  readonly epoch: bigint;
  readonly answer: Answer;
}

export interface RedisDeps {
  readonly index: number;
  /** What it has the logs of, as a text. One that had those of another begins a new epoch. */
  readonly place: () => Promise<string>;
  readonly log: Logger;
  readonly limits: {
    /** How long Redis may take to answer. */
    readonly redisAnswerMs: number;
    /** How often the epoch is asked for. */
    readonly redisEpochPollMs: number;
  };
}

type ScriptArgs = readonly LuaValue[];

const retryMinMs = 50;
const retryMaxMs = 500;
/** Of so many that have ended it is known that they have. */
const endedMax = 100;

/**
 * One Redis, and the epoch of what it holds: a random name, so that it never comes again.
 *
 * Everything goes over one connection at a time, in the order of the calls. Before anything else is sent on a new one it is
 * asked what it is; one that is not what the epoch was given to makes a new epoch (a restart, a replica that was
 * promoted), and so does an epoch that is gone (FLUSHALL), or that had ended here already (an old primary that came back).
 * What was on its way when a connection broke is not sent again.
 */
export class RedisBucket implements Lifecycle, RedisLink {
  readonly index: number;
  readonly #url: string;
  readonly #deps: RedisDeps;
  readonly #onEpoch: ((link: RedisLink, epoch: bigint) => Promise<void>)[] = [];
  readonly #onUp: ((isNewEpoch: boolean) => void)[] = [];
  #client: Redis | null = null;
  #isUp = false;
  #epoch: bigint | null = null;
  #identity: RedisIdentity | null = null;
  /** Epochs that were left, the latest ones. */
  readonly #ended = new Set<bigint>();
  #connecting: Promise<void> | null = null;
  /** While it finds out which epoch holds now: what is asked meanwhile waits. */
  #renewing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isStopped = false;

  constructor(url: string, deps: RedisDeps) {
    this.#url = url;
    this.index = deps.index;
    this.#deps = deps;
  }

  /** Whether calls go out. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** The epoch last known; null: none yet. */
  get epoch(): bigint | null {
    return this.#epoch;
  }

  /** Waits for the first try alone: a node that finds no Redis goes on without it. */
  start(): Promise<void> {
    return this.#connect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#drop();
    clearTimeout(this.#timer);
    await Promise.all([this.#connecting, this.#renewing]);
    this.#drop();
  }

  /** Told of each epoch before anything else is sent in it; what it rejects with breaks the connection off. */
  onEpoch(listener: (link: RedisLink, epoch: bigint) => Promise<void>): void {
    this.#onEpoch.push(listener);
  }

  /** Told whenever calls go out again. Must not throw. */
  onUp(listener: (isNewEpoch: boolean) => void): void {
    this.#onUp.push(listener);
  }

  async call(command: string, ...args: ScriptArgs): Promise<unknown> {
    await this.#renewing;
    return this.#send(this.#ready(), (client) => client.call(command, ...args));
  }

  /** Runs a script that holds in any epoch. */
  async run<Keys extends Names, Argv extends Names, Each extends Names>(
    script: LuaScript<Keys, Argv, Each>,
    keys: KeysOf<Keys>,
    args: ArgsOf<Argv, Each>,
  ): Promise<unknown> {
    await this.#renewing;
    return this.#send(this.#ready(), (client) => evaluated(client, script, keys, args));
  }

  /**
   * Runs an `epochScript` in the epoch that holds; where that has changed, in the new one.
   * @param only in this epoch and no other, as the arguments say what holds in it alone.
   */
  async runInEpoch<Argv extends Names, Each extends Names>(
    script: EpochScript<Argv, Each>,
    args: ArgsOf<Argv, Each>,
    only?: bigint,
  ): Promise<InEpoch<unknown>> {
    await this.#renewing;
    try {
      return await this.#tryInEpoch(script, args, only);
    } catch (error) {
      if (!isOtherEpoch(error)) throw error;
    }
    await this.#renew();
    return this.#tryInEpoch(script, args, only);
  }

  async #tryInEpoch(script: LuaScript, args: ScriptArgs, only?: bigint): Promise<InEpoch<unknown>> {
    const client = this.#ready();
    const epoch = present(this.#epoch, 'a bucket that is up has an epoch');
    if (only !== undefined && only !== epoch) throw unavailable();
    const given = [String(epoch), ...args];
    const answer = await this.#send(client, (to) => evaluated(to, script, [epochKey], given));
    return { epoch, answer };
  }

  #ready(): Redis {
    if (!this.#client || !this.#isUp) throw unavailable();
    return this.#client;
  }

  /** What Redis refuses is thrown as it is; where it does not answer, nothing more goes over that connection. */
  async #send<T>(client: Redis, call: (client: Redis) => Promise<T>): Promise<T> {
    try {
      return await call(client);
    } catch (error) {
      const refusal = refusalOf(error);
      if (isForNow(refusal)) throw unavailable(error);
      if (refusal !== '' && !isElsewhere(refusal)) throw error;
      this.#broken(client, error);
      throw unavailable(error);
    }
  }

  #broken(client: Redis, error: unknown): void {
    if (this.#client !== client) return;
    if (!this.#isStopped) this.#deps.log.warn({ err: error, redis: this.index }, 'redis.lost');
    this.#drop();
    this.#later();
  }

  #drop(): void {
    this.#client?.disconnect();
    this.#client = null;
    this.#isUp = false;
  }

  #later(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    const pauseMs = Math.min(retryMinMs * 2 ** Math.min(this.#failures, 6), retryMaxMs);
    this.#timer = setTimeout(() => void this.#connect(), pauseMs);
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#tryConnect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #tryConnect(): Promise<void> {
    if (this.#isStopped || this.#client) return;
    const { redisAnswerMs } = this.#deps.limits;
    const client = redisClient(this.#url, {
      answerMs: redisAnswerMs,
      // Each connection is a client of its own: nothing of an old one is ever sent on a new one.
      comesBack: false,
      more: { enableReadyCheck: false },
    });
    client.on('error', () => undefined);
    client.on('close', () => this.#broken(client, new Error('the connection closed')));
    this.#client = client;
    try {
      await connect(client);
      await this.#claim(client);
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1) {
        this.#deps.log.warn({ err: error, redis: this.index }, 'redis.unreachable');
      }
      client.disconnect();
      if (this.#client === client) this.#client = null;
      this.#isUp = false;
      this.#later();
    }
  }

  /** From here on what is sent on this connection is sent in an epoch that is known. */
  async #claim(client: Redis): Promise<void> {
    const identity = await identify(client);
    if (identity.evictsBy) this.#deps.log.error({ redis: this.index, ...identity }, 'redis.evicts');
    const fresh = randomBytes(8).readBigUInt64BE() >> 1n;
    const place = await this.#deps.place();
    const epoch = await claim(client, identity, place, fresh, this.#ended);
    const isNew = epoch !== this.#epoch;
    if (isNew) {
      const link: RedisLink = { call: (command, ...args) => client.call(command, ...args) };
      for (const listener of this.#onEpoch) await listener(link, epoch);
      this.#deps.log.info({ redis: this.index, epoch: String(epoch) }, 'redis.epoch');
    }
    if (this.#isStopped || this.#client !== client) throw new Error('the connection is gone');
    if (isNew) this.#leave(this.#epoch);
    this.#epoch = epoch;
    this.#identity = identity;
    this.#isUp = true;
    for (const listener of this.#onUp) listener(isNew);
    this.#watch(client);
  }

  #leave(epoch: bigint | null): void {
    if (epoch === null) return;
    this.#ended.add(epoch);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= endedMax) break;
      this.#ended.delete(oldest);
    }
  }

  /** The epoch is another: what comes next waits for it. */
  async #renew(): Promise<void> {
    const client = this.#client;
    if (this.#isUp && client) {
      this.#isUp = false;
      this.#renewing = this.#claim(client)
        .catch((error: unknown) => this.#broken(client, error))
        .finally(() => {
          this.#renewing = null;
        });
    }
    await (this.#renewing ?? this.#connecting);
    if (!this.#isUp) throw unavailable();
  }

  /** Asks now and then for the epoch: a connection that is dead shows, and a Redis that was emptied while nothing was sent. */
  #watch(client: Redis): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#look(client);
    }, this.#deps.limits.redisEpochPollMs);
  }

  async #look(client: Redis): Promise<void> {
    try {
      const identity = present(this.#identity, 'a bucket that is up is known');
      const epoch = present(this.#epoch, 'a bucket that is up has an epoch');
      const isSame = await this.#send(client, (to) => isAsBefore(to, identity, epoch));
      if (this.#client !== client || !this.#isUp) return;
      // Another epoch may have begun since it was asked.
      if (isSame || this.#epoch !== epoch) this.#watch(client);
      else await this.#renew();
    } catch {
      // What broke is mended elsewhere; what Redis refused may pass.
      if (this.#client === client && this.#isUp) this.#watch(client);
    }
  }
}
