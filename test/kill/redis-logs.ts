import { noFailpoints } from '../../src/lib/failpoint.ts';
import { createLogger } from '../../src/lib/log.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { limits } from '../../src/limits.ts';
import { RedisInboxLog } from '../../src/realtime/inbox/inbox-log.redis.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import type { StoredLog } from '../support/history.ts';

/** Reads the inbox logs in a Redis beside the nodes that keep them. */
export class RedisLogs {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Of each user the offset at which their log ends. */
  heads(userIds: readonly bigint[]): Promise<ReadonlyMap<string, number>> {
    return this.#with(async (log) => {
      const heads = await log.heads(userIds);
      return new Map(
        [...heads.values()].map(({ userId, lastOffset }) => [String(userId), Number(lastOffset)]),
      );
    });
  }

  logs(userIds: readonly bigint[]): Promise<StoredLog[]> {
    return this.#with(async (log) => {
      const heads = await log.heads(userIds);
      return Promise.all(
        [...heads.values()].map(async ({ userId, epoch, trimmedOffset }) => {
          const entries = await log.read(userId, { epoch, offset: 0n }, 100_000);
          return {
            user: String(userId),
            isWhole: trimmedOffset === 0n,
            runs: entries.flatMap(({ event }) =>
              event.kind === 'added'
                ? [
                    {
                      conversation: String(event.conversationId),
                      firstSeq: event.firstSeq,
                      count: event.count,
                    },
                  ]
                : [],
            ),
          };
        }),
      );
    });
  }

  async #with<T>(work: (log: RedisInboxLog) => Promise<T>): Promise<T> {
    const deps = { log: createLogger({ level: 'silent' }), limits };
    const buckets = new RedisBuckets([this.#url], deps);
    await buckets.start();
    try {
      return await work(
        new RedisInboxLog({ buckets, clock: systemClock, failpoints: noFailpoints, limits }),
      );
    } finally {
      await buckets.stop();
    }
  }
}
