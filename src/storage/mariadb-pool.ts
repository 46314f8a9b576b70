import { EventEmitter } from 'node:events';
import { createPool, type Pool, type PoolConfig } from 'mariadb';
import { TurnSocket } from './turn-socket.ts';

/** A pool that keeps one idle connection ready, and outlives its database's absence. */
export function openPool(config: PoolConfig): Pool {
  const { host = 'localhost', port = 3306 } = config;
  const stream = (): TurnSocket => new TurnSocket().connect({ host, port });
  const pool = createPool({ minimumIdle: 1, idleTimeout: 60, stream, ...config });
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
