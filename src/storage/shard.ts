import type { Clock } from '../lib/clock.ts';
import type { PrismaClient } from './generated/mysql/client.ts';
import type { Sql } from './sql.ts';

/** One database with the full set of tables. */
export interface Shard {
  readonly index: number;
  readonly sql: Sql;
  /**
   * One type for both engines; keep to what both know (no `skipDuplicates`, no isolation levels).
   */
  readonly prisma: PrismaClient;
}

/** What an engine is told when it opens its shards. */
export interface OpenOptions {
  /** The slot map as text, to be proved. */
  readonly map: string;
  readonly clock: Clock;
  readonly callsMax: number;
  readonly onLost: (reason: Error) => void;
}

/** What an engine has opened, and closes again. */
export interface OpenShards {
  readonly all: readonly Shard[];
  stop(graceMs: number): Promise<void>;
}
