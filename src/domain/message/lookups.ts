/**
 * What loaders ask for many messages at once: one statement a shard, the right in the same
 * statement.
 */
import { present } from '../../lib/assert.ts';
import {
  chunks,
  keyTable,
  keyTableRowsMax,
  readPerShard,
  type ShardMap,
} from '../../storage/per-shard.ts';
import type { Viewer } from '../session/session.ts';
import { columnsOf, messageColumns, messageOf } from '../timeline/timeline.ts';
import type { Message, MessageRow } from '../timeline/timeline.ts';
import type { MessageKey, SentMessageKey } from './shapes.ts';

const member =
  'JOIN Member m ON m.conversationId = k.conversationId AND m.userId = ? AND m.isListed = 1';

/** In the order of the keys; null where there is no such message, or the viewer may not see it. */
export async function messagesBySeqs(
  shards: ShardMap,
  viewer: Viewer,
  keys: readonly MessageKey[],
): Promise<(Message | null)[]> {
  const unique = new Map(keys.map((key) => [textOfKey(key), key]));
  const perShard = await readPerShard(
    shards,
    [...unique.values()],
    (key) => key.conversationId,
    (shard, ofShard) =>
      Promise.all(
        chunks(ofShard, keyTableRowsMax).map((part) =>
          shard.sql.query<MessageRow>(
            `SELECT ${columnsOf('g', messageColumns)}
             FROM ${keyTable('k', ['conversationId', 'seq'], part.length)} ${member}
             JOIN Message g ON g.conversationId = k.conversationId AND g.seq = k.seq AND g.seq >= m.joinedSeq`,
            [...part.flatMap((key) => [key.conversationId, key.seq]), viewer.userId],
          ),
        ),
      ),
  );
  const found = new Map(perShard.flat(2).map((row) => [textOfKey(row), messageOf(row)]));
  return keys.map((key) => found.get(textOfKey(key)) ?? null);
}

/**
 * In the order of the keys: members at present who have read it and may see it, but for its sender.
 */
export async function readCountsOf(
  shards: ShardMap,
  viewer: Viewer,
  keys: readonly SentMessageKey[],
): Promise<number[]> {
  const counts = keys.map(() => 0);
  await readPerShard(
    shards,
    keys.map((key, ordinal) => ({ ...key, ordinal })),
    (key) => key.conversationId,
    (shard, ofShard) =>
      Promise.all(
        chunks(ofShard, keyTableRowsMax).map(async (part) => {
          const rows = await shard.sql.query<{ ordinal: number | bigint; readers: bigint }>(
            `SELECT k.ordinal AS ordinal, COUNT(*) AS readers
             FROM ${keyTable('k', ['ordinal', 'conversationId', 'seq', 'senderId'], part.length)} ${member}
             JOIN Member o ON o.conversationId = k.conversationId AND o.userId <> k.senderId
               AND o.readSeq >= k.seq AND o.joinedSeq <= k.seq
             WHERE k.seq >= m.joinedSeq GROUP BY k.ordinal`,
            // A system message has no sender, and no user the id 0.
            [
              ...part.flatMap((key) => [
                key.ordinal,
                key.conversationId,
                key.seq,
                key.senderId ?? 0n,
              ]),
              viewer.userId,
            ],
          );
          for (const row of rows) {
            const ordinal = Number(row.ordinal);
            present(counts[ordinal], 'a count that nobody asked for');
            counts[ordinal] = Number(row.readers);
          }
        }),
      ),
  );
  return counts;
}

function textOfKey({ conversationId, seq }: MessageKey): string {
  return `${conversationId} ${seq}`;
}
