import { Fault } from '../../lib/fault.ts';
import { limits } from '../../limits.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import { checkPageSize, noSuchConversation } from '../conversation/conversation.ts';
import type { Membership } from '../conversation/conversation.ts';
import { columnsOf, messageColumns, messageOf } from '../timeline/timeline.ts';
import type { MessageRow } from '../timeline/timeline.ts';
import type { ChangesPage } from './shapes.ts';

type ChangeRow = { readonly headChangeSeq: number } & (
  MessageRow | { readonly [Column in keyof MessageRow]: null }
);

// The log is read in a table of its own, so that a row with the head's changeSeq comes back where
// there is nothing else, and entries that a later change has overtaken do not count towards LIMIT.
// MariaDB stops there only because nothing is sorted outside of it.
const text = `SELECT c.changeSeq AS headChangeSeq, ${columnsOf('g', messageColumns)}
  FROM Member m JOIN Conversation c ON c.id = m.conversationId
  LEFT JOIN (SELECT x.conversationId, x.seq FROM Member v
    JOIN MessageChange x ON x.conversationId = v.conversationId AND x.changeSeq > ? AND x.changeSeq <= ?
    JOIN Message l ON l.conversationId = x.conversationId AND l.seq = x.seq AND l.changeSeq = x.changeSeq
    WHERE v.conversationId = ? AND v.userId = ? AND v.isListed = 1 AND x.seq >= v.joinedSeq
    ORDER BY x.changeSeq LIMIT ?) p ON 1 = 1
  LEFT JOIN Message g ON g.conversationId = p.conversationId AND g.seq = p.seq
  WHERE m.conversationId = ? AND m.userId = ? AND m.isListed = 1`;

/**
 * One statement, so `endChangeSeq` is never newer than the messages. A page looks through a bounded
 * part of the log: where nearly all of it is overtaken or not for the viewer, a page may hold less
 * than asked for, and there is more.
 * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND where the viewer has left since they entered.
 */
export async function changesAfter(
  shards: ShardMap,
  membership: Membership,
  after: number,
  first: number,
): Promise<ChangesPage> {
  checkPageSize('first', first);
  if (!Number.isSafeInteger(after) || after < 0) throw beyond();
  const { id } = membership.head;
  const lookedThrough = after + limits.pageChangesScannedMax;
  const viewer = [id, membership.viewerId];
  const rows = await shards
    .of(id)
    .sql.query<ChangeRow>(text, [after, lookedThrough, ...viewer, first + 1, ...viewer]);
  const [head] = rows;
  if (!head) throw noSuchConversation();
  if (after > head.headChangeSeq) throw beyond();
  const found = rows
    .filter((row) => row.seq !== null)
    .map(messageOf)
    .sort((a, b) => a.changeSeq - b.changeSeq);
  const messages = found.slice(0, first);
  if (found.length > first) {
    return { messages, endChangeSeq: messages.at(-1)?.changeSeq ?? after, hasMore: true };
  }
  return {
    messages,
    endChangeSeq: Math.min(lookedThrough, head.headChangeSeq),
    hasMore: lookedThrough < head.headChangeSeq,
  };
}

function beyond(): Fault {
  return new Fault('INVALID_ARGUMENT', 'after must be 0 to changeSeq');
}
