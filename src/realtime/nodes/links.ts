import { randomBytes } from 'node:crypto';
import type { Config } from '../../config.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import type { limits as allLimits } from '../../limits.ts';
import { MemoryBroker } from './broker.memory.ts';
import { RedisBroker } from './broker.redis.ts';
import type { Broker } from './broker.ts';
import { Stays } from './stays.redis.ts';
import { RedisRates } from '../../storage/rates.redis.ts';
import { RedisBuckets } from '../../storage/redis-buckets.ts';
import { restorationsOf } from '../../storage/shard-facts.ts';
import type { Shards } from '../../storage/shards.ts';

/** What joins a node with the others. */
export interface Links {
  /** This gate's name, in this life: `node.life`. */
  readonly gate: string;
  /** Its name in all its lives. */
  readonly node: string;
  /** By bucket of users; of a node that is alone, one that reaches nobody. */
  readonly brokers: readonly Broker[];
  /** Null: it is alone. */
  readonly shared: {
    readonly buckets: RedisBuckets;
    readonly stays: Stays;
    readonly rates: RedisRates;
  } | null;
  /** In the order in which they start. */
  readonly parts: readonly Lifecycle[];
}

interface LinksDeps {
  readonly shards: Pick<Shards, 'all'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: typeof allLimits;
}

/** Links as the configuration has them. */
export function linksOf({ cluster }: Config, deps: LinksDeps): Links {
  const life = randomBytes(6).toString('hex');
  if (!cluster) {
    const broker = new MemoryBroker();
    return {
      gate: `alone.${life}`,
      node: 'gate-1',
      brokers: [broker],
      shared: null,
      parts: [broker],
    };
  }
  const node = cluster.nodeId ?? `node-${life.slice(0, 6)}`;
  const gate = `${node}.${life}`;
  const brokers = cluster.redisUrls.map((url) => new RedisBroker({ ...deps, url }));
  const restorations = (): Promise<string> => restorationsOf(deps.shards.all);
  const buckets = new RedisBuckets(cluster.redisUrls, { ...deps, restorations });
  const stays = new Stays({ ...deps, buckets, gate });
  const rates = new RedisRates({ ...deps, urls: cluster.redisUrls });
  const parts = [...brokers, buckets, stays, rates];
  return { gate, node, brokers, shared: { buckets, stays, rates }, parts };
}
