import { EventEmitter } from 'node:events';
import { createPool, type Pool, type PoolConfig } from 'mariadb';

/** A pool that keeps one idle connection ready, and outlives its database's absence. */
export function openPool(config: PoolConfig): Pool {
  const pool = createPool({ minimumIdle: 1, idleTimeout: 60, ...config });
  // Whoever waits for a connection is told by rejection; unheard, the pool's own event would end
  // the process.
  const events: unknown = pool;
  if (events instanceof EventEmitter) events.on('error', () => undefined);
  return pool;
}
