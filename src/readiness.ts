import type { Shards } from './storage/shards.ts';

/** How long a shard may take to answer, and how long an answer counts. */
const patienceMs = 1_000;
const freshMs = 500;

/**
 * Whether all shards answer. However often it is asked, each shard is asked at most once in `freshMs`.
 * @returns what to call; it never throws.
 */
export function shardsAnswer(shards: Pick<Shards, 'all'>): () => Promise<boolean> {
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
