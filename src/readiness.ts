import type { RedisRates } from './storage/rates.redis.ts';
import type { RedisBuckets } from './storage/redis-buckets.ts';
import type { RedisBucket } from './storage/redis.ts';
import type { Shards } from './storage/shards.ts';

/** What a node says of whether it may be given traffic. */
export type Readiness =
  | { readonly status: 'ready' | 'not ready' }
  /** It serves, but for what needs a Redis that is away: by their places in REDIS_URLS. */
  | { readonly status: 'degraded'; readonly redisAway: readonly number[] };

/** How long a shard may take to answer, and how long an answer counts. */
const patienceMs = 1_000;
const freshMs = 500;

/**
 * Whether all shards answer. However often it is asked, each shard is asked at most once in `freshMs`.
 * @returns what to call; it never throws.
 */
function shardsAnswer(shards: Pick<Shards, 'all'>): () => Promise<boolean> {
  let last: { atMs: number; answer: Promise<boolean> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (!last || nowMs - last.atMs > freshMs) last = { atMs: nowMs, answer: askAll(shards) };
    return last.answer;
  };
}

async function askAll(shards: Pick<Shards, 'all'>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  const all = async (): Promise<boolean> => {
    await Promise.all(shards.all.map(({ sql }) => sql.query('SELECT 1 AS one')));
    return true;
  };
  const answer = await Promise.race([all().catch(() => false), tooLate]);
  clearTimeout(timer);
  return answer;
}

/**
 * Whether a node may be given traffic. It may while a Redis is away: that is away for every node, and a balancer that
 * took them all out would end what goes on.
 * @param deps `isServing`: it has started, and neither stops nor drains.
 * @returns what to call; it never throws.
 */
export function readinessOf(deps: {
  readonly isServing: () => boolean;
  readonly shards: Pick<Shards, 'all'>;
  /** What joins it with other nodes; the rates have connections of their own, without which nobody may sign in. */
  readonly shared: {
    readonly buckets: Pick<RedisBuckets, 'all'>;
    readonly rates: Pick<RedisRates, 'isUp'>;
  } | null;
}): () => Promise<Readiness> {
  const answer = shardsAnswer(deps.shards);
  return async () => {
    if (!deps.isServing() || !(await answer())) return { status: 'not ready' };
    const isAway = ({ isUp, index }: Pick<RedisBucket, 'isUp' | 'index'>): boolean =>
      !isUp || !deps.shared?.rates.isUp(index);
    const away = (deps.shared?.buckets.all ?? []).filter(isAway);
    if (away.length === 0) return { status: 'ready' };
    return { status: 'degraded', redisAway: away.map(({ index }) => index) };
  };
}
