import { assert, present } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { slotOf } from '../lib/id.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { OpenShards, Shard } from './shard.ts';
import { openMysqlShards } from './shards.mysql.ts';
import { openSqliteShard } from './shards.sqlite.ts';
import { evenSlotMap, shardOfSlots, slotMapText, type SlotRange } from './slot-map.ts';

export type { Shard } from './shard.ts';

/** Where the shards are. */
export type ShardsConfig =
  | {
      readonly kind: 'sqlite';
      /** The folder of the database; created for its owner alone where it is missing. */
      readonly dataDir: string;
    }
  | {
      readonly kind: 'mysql';
      /**
       * One database each, `mysql://user:password@host:port/database`; a shard's index is its place
       * here.
       */
      readonly urls: readonly string[];
      /** Which slots belong to which shard. Without it: equal ranges, in order. */
      readonly slotMap?: readonly SlotRange[];
      /**
       * What joins the nodes that share the shards, the same text for all of them; null: one process alone may use
       * them. Whoever does not fit to those that use them is refused at start.
       */
      readonly joinedBy: string | null;
    };

export interface ShardsDeps {
  readonly clock: Clock;
  /**
   * Told once when a shard cannot be used any more (a thread died, the single-node lock was lost):
   * stop the node.
   */
  readonly onLost: (reason: Error) => void;
  /** Calls that may wait for a shard before one more is UNAVAILABLE. */
  readonly callsMax?: number;
}

const callsMaxDefault = 8_192;

/**
 * Which shard an id lives on, and the way to it.
 *
 * `start` brings the tables up to date and lets the shards prove that they are the ones that this
 * configuration means. It throws a StartupRefusal, with a message for the operator, where they are
 * not, or where another process has them.
 */
export class Shards implements Lifecycle {
  readonly #config: ShardsConfig;
  readonly #deps: ShardsDeps;
  #open: OpenShards | null = null;
  #owners: readonly number[] = [];
  #isLost = false;

  constructor(config: ShardsConfig, deps: ShardsDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** By index. */
  get all(): readonly Shard[] {
    return present(this.#open, 'the shards are started').all;
  }

  /** The shard on which the row of this id lives. */
  of(id: bigint): Shard {
    return this.ofSlot(slotOf(id));
  }

  ofSlot(slot: number): Shard {
    return present(
      this.all[present(this.#owners[slot], 'a slot is 0 to 1,023')],
      'a slot has a shard',
    );
  }

  /** @throws {StartupRefusal} */
  async start(): Promise<void> {
    assert(!this.#open, 'the shards are started once');
    const config = this.#config;
    const shards = config.kind === 'sqlite' ? 1 : config.urls.length;
    const map = config.kind === 'sqlite' ? undefined : config.slotMap;
    this.#owners = shardOfSlots(map ?? evenSlotMap(shards), shards);
    const options = {
      map: slotMapText(this.#owners),
      clock: this.#deps.clock,
      callsMax: this.#deps.callsMax ?? callsMaxDefault,
      onLost: (reason: Error) => this.#lose(reason),
    };
    this.#open =
      config.kind === 'sqlite'
        ? await openSqliteShard(config.dataDir, options)
        : await openMysqlShards(config.urls, config.joinedBy, options);
  }

  async stop(graceMs: number): Promise<void> {
    this.#isLost = true;
    const open = this.#open;
    this.#open = null;
    await open?.stop(graceMs);
  }

  #lose(reason: Error): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#deps.onLost(reason);
  }
}
