import { messageColumns, messageOf } from '../../domain/timeline/timeline.ts';
import type { Message, MessageRow } from '../../domain/timeline/timeline.ts';
import type { Shards } from '../../storage/shards.ts';
import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import { readPerShard } from '../../storage/per-shard.ts';

export interface MessageKey {
  readonly conversationId: bigint;
  readonly seq: number;
}

export function messageKey({ conversationId, seq }: MessageKey): string {
  return `${conversationId} ${seq}`;
}

/**
 * Messages as they are now, without asking for whom: for fan-out alone, where the order in the log is the right to see them.
 */
export async function readMessages(
  shards: Shards,
  keys: readonly MessageKey[],
): Promise<ReadonlyMap<string, Message>> {
  const rows = await readPerShard(
    shards,
    keys,
    ({ conversationId }) => conversationId,
    ({ sql }, ofShard) => {
      const pairs = pairsOf(ofShard, ({ conversationId, seq }) => [conversationId, seq]);
      const { text, params } = pairsCondition(['conversationId', 'seq'], pairs);
      return sql.query<MessageRow>(
        `SELECT ${messageColumns.join(', ')} FROM Message WHERE ${text}`,
        params,
      );
    },
  );
  return new Map(rows.flat().map((row) => [messageKey(row), messageOf(row)]));
}
