import { messageColumns, messageOf } from '../../domain/timeline/timeline.ts';
import type { Message, MessageRow } from '../../domain/timeline/timeline.ts';
import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';

export interface MessageKey {
  readonly conversationId: bigint;
  readonly seq: number;
}

export function messageKey({ conversationId, seq }: MessageKey): string {
  return `${conversationId} ${seq}`;
}

/**
 * Messages as they are now, without asking for whom: for fan-out, where the order in the log is the right to see them, and
 * for whoever asks for rights afterwards.
 */
export async function readMessages(
  shards: ShardMap,
  keys: readonly MessageKey[],
): Promise<ReadonlyMap<string, Message>> {
  const found = await readPerShard(
    shards,
    keys,
    ({ conversationId }) => conversationId,
    (shard, ofShard) => messagesOf(shard, ofShard),
  );
  return new Map(found.flatMap((messages) => [...messages]));
}

/** The same of one shard, in one statement. */
export async function messagesOf(
  { sql }: Shard,
  keys: readonly MessageKey[],
): Promise<ReadonlyMap<string, Message>> {
  if (keys.length === 0) return new Map();
  const pairs = pairsOf(keys, ({ conversationId, seq }) => [conversationId, seq]);
  const { text, params } = pairsCondition(['conversationId', 'seq'], pairs);
  const rows = await sql.query<MessageRow>(
    `SELECT ${messageColumns.join(', ')} FROM Message WHERE ${text}`,
    params,
  );
  return new Map(rows.map((row) => [messageKey(row), messageOf(row)]));
}
