import type { Clock } from '../lib/clock.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { PrismaClient } from './generated/mysql/client.ts';
import type { Sql } from './sql.ts';

/** Where the shards are. */
export type ShardsConfig =
  | {
      readonly kind: 'sqlite';
      /** The folder of the database; created for its owner alone where it is missing. */
      readonly dataDir: string;
    }
  | {
      readonly kind: 'mysql';
      /** One database each, `mysql://user:password@host:port/database`; a shard's index is its place here. */
      readonly urls: readonly string[];
      /** `0-511=0,512-1023=1`: which slots belong to which shard. Without it: equal ranges, in order. */
      readonly slotMap?: string;
      /** Whether one process alone may use the shards (an embedded fan-out): refuses a second at start. */
      readonly singleNode: boolean;
    };

/** One database with the full set of tables. */
export interface Shard {
  readonly index: number;
  readonly sql: Sql;
  /** One type for both engines; keep to what both know (no `skipDuplicates`, no modes). */
  readonly prisma: PrismaClient;
}

export interface ShardsDeps {
  readonly clock: Clock;
  /** Told once when a shard cannot be used any more (a worker died, the single-node lock was lost): stop the node. */
  readonly onLost: (reason: Error) => void;
}

/** Which shard an id lives on, and the way to it. */
export declare class Shards implements Lifecycle {
  constructor(config: ShardsConfig, deps: ShardsDeps);
  readonly all: readonly Shard[];
  of(id: bigint): Shard;
  ofSlot(slot: number): Shard;
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
}
