import { chunks } from '../../lib/chunks.ts';
import { keyTable, keyTableRowsMax, readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import type { Viewer } from '../session/session.ts';
import { columnsOf, messageColumns, messageOf } from '../timeline/timeline.ts';
import type { Message, MessageRow } from '../timeline/timeline.ts';
import type { MessageKey } from './shapes.ts';

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

function textOfKey({ conversationId, seq }: MessageKey): string {
  return `${conversationId} ${seq}`;
}
