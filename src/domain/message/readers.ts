import type { Shard } from '../../storage/shards.ts';

/** A message of a known conversation, and whose it is. */
export interface SentSeq {
  readonly seq: number;
  /** Null for a system message. */
  readonly senderId: bigint | null;
}

/** So many members have read, of what was asked for, the messages from one seq to another. */
interface ReadersRow {
  /** 0: members who sent none of it, together. */
  readonly senderId: bigint;
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
  readonly members: bigint;
}

/**
 * In the order of what was asked: members at present who have read it and may see it, but for its sender. One statement,
 * which reads each member once, however much is asked; all counts are of the same moment.
 */
export async function readersOf(
  { sql }: Shard,
  conversationId: bigint,
  asked: readonly SentSeq[],
): Promise<number[]> {
  const seqs = [...new Set(asked.map(({ seq }) => seq))].sort((a, b) => a - b);
  const [first = 0] = seqs;
  const last = seqs.at(-1) ?? 0;
  const senders = new Set(asked.map(({ senderId }) => senderId ?? 0n));
  // Positions before the first and beyond the last seq are told alike, so a page gives few rows.
  const rows = await sql.query<ReadersRow>(
    `SELECT CASE WHEN userId IN (${[...senders].map(() => '?').join()}) THEN userId ELSE 0 END AS senderId,
       CASE WHEN joinedSeq < ? THEN ? ELSE joinedSeq END AS fromSeq,
       CASE WHEN readSeq > ? THEN ? ELSE readSeq END AS toSeq, COUNT(*) AS members
     FROM Member WHERE conversationId = ? AND readSeq >= ? AND joinedSeq <= ? AND readSeq >= joinedSeq
     GROUP BY senderId, fromSeq, toSeq`,
    [...senders, first, first, last, last, conversationId, first, last],
  );
  const stretches = rows.map(({ senderId, fromSeq, toSeq, members }) => ({
    ...{ senderId, fromSeq: Number(fromSeq), toSeq: Number(toSeq), members: Number(members) },
  }));
  const readers = readersBySeq(seqs, stretches);
  const ofSender = new Map(stretches.map((stretch) => [stretch.senderId, stretch]));
  return asked.map(({ seq, senderId }) => {
    const sender = senderId === null ? undefined : ofSender.get(senderId);
    const isAmong = sender && sender.fromSeq <= seq && seq <= sender.toSeq;
    return (readers.get(seq) ?? 0) - (isAmong ? 1 : 0);
  });
}

interface Stretch {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly members: number;
}

/** Members whose stretch holds each of the seqs, which are sorted. */
function readersBySeq(
  seqs: readonly number[],
  stretches: readonly Stretch[],
): ReadonlyMap<number, number> {
  const steps = new Map<number, number>();
  const step = (seq: number, by: number) => steps.set(seq, (steps.get(seq) ?? 0) + by);
  for (const { fromSeq, toSeq, members } of stretches) {
    step(fromSeq, members);
    step(toSeq + 1, -members);
  }
  const inOrder = [...steps].sort(([a], [b]) => a - b);
  let readers = 0;
  let at = 0;
  return new Map(
    seqs.map((seq) => {
      for (; at < inOrder.length && (inOrder[at]?.[0] ?? 0) <= seq; at += 1) {
        readers += inOrder[at]?.[1] ?? 0;
      }
      return [seq, readers];
    }),
  );
}
