import type { Lifecycle } from '../lib/lifecycle.ts';
import { plainScript } from '../storage/lua.ts';
import type { RedisBuckets } from '../storage/redis-buckets.ts';
import type { Shards } from '../storage/shards.ts';
import { RedisInboxLog } from './inbox/inbox-log.redis.ts';
import { SharedOutbox } from './outbox/shared-outbox.ts';
import type { Way, WayDeps } from './way.ts';

/** A second node would do no harm, only work. */
export const takeRelay = plainScript(
  'take-relay',
  {
    does: "Says who relays a shard's outbox: one node at a time, as long as it says so.",
    keys: ['the lease'],
    argv: ['the node', 'the lease in ms'],
    returns: "1 where it is this node's, else 0.",
  },
  `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`,
);

/** How many polls a relay may miss before another one takes over. */
const pollsPerLease = 3;

/**
 * The way where several nodes share it: by logs in Redis, and from there to the gates of whoever is online.
 * @param node this node's name in this life.
 */
export function wayOfNodes(deps: WayDeps, buckets: RedisBuckets, node: string): Way {
  const inboxLog = new RedisInboxLog({ ...deps, buckets });
  const leaseMs = deps.limits.relayPollMs * pollsPerLease;
  const outbox = new SharedOutbox({
    ...deps,
    inboxLog,
    epoch: () => buckets.epoch,
    isRelay: async (shardIndex) => {
      const [first] = buckets.all;
      if (!first?.isUp) return true;
      const key = `fim:relay:${shardIndex}`;
      return (await first.run(takeRelay, [key], [node, leaseMs])) === 1;
    },
  });
  for (const bucket of buckets.all) {
    bucket.onUp((isNewEpoch) => {
      if (isNewEpoch) outbox.epochChanged();
    });
  }
  return {
    inboxLog,
    outbox,
    areMembersTold: (place, id) => outbox.areMembersTold(place, id),
    parts: [new TableLogs(deps.shards), inboxLog, outbox],
  };
}

/** Logs that one node alone kept in the tables: from here on they have holes, so nobody may go on with them. */
class TableLogs implements Lifecycle {
  readonly #shards: Shards;

  constructor(shards: Shards) {
    this.#shards = shards;
  }

  async start(): Promise<void> {
    await Promise.all(
      this.#shards.all.map(async ({ sql }) => {
        for (const table of ['InboxHead', 'InboxEntry']) {
          const some = await sql.query(`SELECT userId FROM ${table} LIMIT 1`);
          if (some.length > 0) await sql.execute(`DELETE FROM ${table}`);
        }
      }),
    );
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
