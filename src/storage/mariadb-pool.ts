import { EventEmitter } from 'node:events';
import { createPool, type Pool, type PoolConfig } from 'mariadb';
import { connectGathering } from './gathering-socket.ts';

/** Connections that stand ready: as many as one operation asks a shard at once. */
const minimumIdle = 4;
/** One that was used within this is taken to be there, in ms; it is less than what ends idle ones. */
const provenForMs = 30_000;

/**
 * A pool that keeps idle connections ready, and outlives its database's absence.
 *
 * What a node asks by itself, once a second, keeps its readers proven. The driver would ask a connection that was idle for half
 * a second whether it is there before each use, which is one more round trip for the first who
 * comes to a quiet server; a connection that ends is out of the pool at once in any case.
 */
export function openPool(config: PoolConfig): Pool {
  const { socketPath, ...rest } = config;
  const { host = 'localhost', port = 3306 } = config;
  const place = socketPath === undefined ? { host, port } : { path: socketPath };
  const pool = createPool({
    minimumIdle,
    idleTimeout: 60,
    minDelayValidation: provenForMs,
    stream: () => connectGathering(place),
    ...rest,
  });
  // Whoever waits for a connection is told by rejection; unheard, the pool's own event would end
  // the process.
  const events: unknown = pool;
  if (events instanceof EventEmitter) events.on('error', () => undefined);
  return pool;
}

/**
 * Whether a rejection is one that the driver leaves unheard by itself: when a connection breaks while its session is being set up,
 * it rejects what waited for the connection, and a promise of its own that nobody can get at.
 */
export function isUnheardSetupFailure(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === 'ER_INITIAL_SQL_ERROR';
}
