import { Fault } from '../../lib/fault.ts';
import { limits } from '../../limits.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import { checkPageSize, noSuchConversation } from '../conversation/conversation.ts';
import type { Membership } from '../conversation/conversation.ts';
import { columnsOf, messageColumns, messageOf } from '../timeline/timeline.ts';
import type { MessageRow } from '../timeline/timeline.ts';
import type { ChangesPage } from './message.ts';

type ChangeRow = { readonly headChangeSeq: number } & (
  MessageRow | { readonly [Column in keyof MessageRow]: null }
);

// EXISTS and not a second join: entries that a later change has overtaken must not count towards LIMIT, and a row with the head's
// changeSeq must come back where there is nothing else.
const text = `SELECT c.changeSeq AS headChangeSeq, ${columnsOf('g', messageColumns)}
  FROM Member m JOIN Conversation c ON c.id = m.conversationId
  LEFT JOIN MessageChange x ON x.conversationId = m.conversationId AND x.changeSeq > ? AND x.changeSeq <= ?
    AND EXISTS (SELECT 1 FROM Message l WHERE l.conversationId = x.conversationId AND l.seq = x.seq
      AND l.changeSeq = x.changeSeq AND l.seq >= m.joinedSeq)
  LEFT JOIN Message g ON g.conversationId = x.conversationId AND g.seq = x.seq
  WHERE m.conversationId = ? AND m.userId = ? AND m.isListed = 1 ORDER BY x.changeSeq LIMIT ?`;

/**
 * One statement, so `endChangeSeq` is never newer than the messages. A page looks through a bounded part of the log: where
 * nearly all of it is overtaken or not for the viewer, a page may hold less than asked for, and there is more.
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
  const rows = await shards
    .of(id)
    .sql.query<ChangeRow>(text, [after, lookedThrough, id, membership.viewerId, first + 1]);
  const [head] = rows;
  if (!head) throw noSuchConversation();
  if (after > head.headChangeSeq) throw beyond();
  const found = rows.filter((row) => row.seq !== null).map(messageOf);
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
