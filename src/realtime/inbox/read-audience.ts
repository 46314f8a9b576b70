import type { ListedMember } from '../outbox/member-lists.ts';
import type { Shard } from '../../storage/shards.ts';

/** Who is told of a read. */
export interface ReadAudience {
  /** Of the last change of members that it knows. */
  readonly membersEventNo: number;
  readonly recipients: readonly ListedMember[];
}

type WideRow = { readonly userId: bigint } & Readonly<
  Record<'membersEventNo' | 'joinedSeq' | 'joinedEventNo', number | bigint>
>;

const columns = 'c.membersEventNo, m.userId, m.joinedSeq, m.joinedEventNo';

/**
 * All members where they are few, else the reader alone, in one statement that reads no more than these.
 * @returns null where the reader is no member any more.
 */
export async function readAudienceOf(
  { sql }: Shard,
  { conversationId, userId }: { readonly conversationId: bigint; readonly userId: bigint },
  receiptGroupMembers: number,
): Promise<ReadAudience | null> {
  const joined = 'FROM Conversation c JOIN Member m ON m.conversationId = c.id WHERE c.id = ?';
  const wide = await sql.query<WideRow>(
    `SELECT ${columns} ${joined} AND m.userId = ? AND m.isListed
     UNION ALL
     SELECT ${columns} ${joined} AND m.userId <> ? AND m.isListed
       AND NOT c.isLarge AND c.memberCount <= ?`,
    [conversationId, userId, conversationId, userId, receiptGroupMembers],
  );
  // What comes of a union is wider there than the columns that it was made of.
  const rows = wide.map((row) => ({
    userId: row.userId,
    membersEventNo: Number(row.membersEventNo),
    joinedSeq: Number(row.joinedSeq),
    joinedEventNo: Number(row.joinedEventNo),
  }));
  const [first] = rows;
  const isHere = rows.some((row) => row.userId === userId);
  return first && isHere ? { membersEventNo: first.membersEventNo, recipients: rows } : null;
}
