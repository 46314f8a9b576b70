import { Redis, type RedisOptions } from 'ioredis';
import { assert } from '../lib/assert.ts';
import { redisAddressOf } from '../lib/redis-address.ts';

/** How long a connection that is given up may take to close. */
const closeMs = 200;

/** What differs from one use of a Redis to another. */
export interface RedisUse {
  /** How long an answer may take. */
  readonly answerMs: number;
  /** Whether a connection that broke comes back by itself. */
  readonly comesBack: boolean;
  readonly more?: RedisOptions;
}

/**
 * A client of a Redis, not connected yet. It queues nothing while Redis is away, and what was on its way when a connection
 * broke it never sends again.
 *
 * By sentinels it finds the primary whenever it connects, and lets go of one that they say is none any more.
 */
export function redisClient(address: string, { answerMs, comesBack, more }: RedisUse): Redis {
  const again = (attempt: number): number => Math.min(50 * attempt, 500);
  const options: RedisOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: answerMs,
    connectTimeout: answerMs,
    disconnectTimeout: closeMs,
    keepAlive: 10_000,
    retryStrategy: comesBack ? again : null,
    ...more,
  };
  const at = redisAddressOf(address);
  assert(at, 'the configuration has checked the address');
  if (at.kind === 'url') return new Redis(at.url, options);
  return new Redis({
    ...options,
    sentinels: [...at.sentinels],
    name: at.name,
    role: 'master',
    db: at.db,
    ...(at.username !== null && { username: at.username }),
    ...(at.password !== null && { password: at.password }),
    ...(at.sentinelPassword !== null && { sentinelPassword: at.sentinelPassword }),
    ...(at.isTls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: answerMs,
    sentinelRetryStrategy: comesBack ? again : () => null,
    failoverDetector: true,
  });
}

/** Connects. @throws what went wrong, of which ioredis itself only says that the connection is closed. */
export async function connect(client: Redis): Promise<void> {
  let reason: Error | undefined;
  const note = (error: Error): void => void (reason = error);
  client.on('error', note);
  try {
    await client.connect();
  } catch (error) {
    throw reason ?? error;
  } finally {
    client.off('error', note);
  }
}

/** Connects, and waits no longer than that: a client that comes back by itself goes on trying. */
export async function connectWithin(client: Redis, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis did not answer within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([connect(client), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
