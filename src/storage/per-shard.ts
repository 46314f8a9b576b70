import type { Shard, Shards } from './shards.ts';

/** The way to shards by id: what most readers need of `Shards`. */
export type ShardMap = Pick<Shards, 'all' | 'of'>;

/**
 * Calls `read` once for each shard that has any of the items, with these, all at once.
 * @returns what the calls answered, in no order that means anything.
 */
export function readPerShard<Item, Answer>(
  shards: ShardMap,
  items: readonly Item[],
  idOf: (item: Item) => bigint,
  read: (shard: Shard, items: readonly Item[]) => Promise<Answer>,
): Promise<Answer[]> {
  const byShard = new Map<Shard, Item[]>();
  for (const item of items) {
    const shard = shards.of(idOf(item));
    const ofShard = byShard.get(shard);
    if (ofShard) ofShard.push(item);
    else byShard.set(shard, [item]);
  }
  return Promise.all([...byShard].map(([shard, ofShard]) => read(shard, ofShard)));
}

/** SQLite takes at most 500 terms in a compound SELECT. */
export const keyTableRowsMax = 400;

/**
 * A derived table of given values, to be joined with: `(SELECT ? AS a, ? AS b UNION ALL SELECT ?,
 * ?) k`. None of the values may be NULL. What is selected from it reads as number or bigint, by
 * engine.
 */
export function keyTable(alias: string, columns: readonly string[], rows: number): string {
  const first = `SELECT ${columns.map((column) => `? AS ${column}`).join(', ')}`;
  const next = ` UNION ALL SELECT ${columns.map(() => '?').join(', ')}`;
  return `(${first}${next.repeat(rows - 1)}) ${alias}`;
}
