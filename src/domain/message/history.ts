import { Fault } from '../../lib/fault.ts';
import { limits } from '../../limits.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import type { Dialect } from '../../storage/dialect.ts';
import { checkPageSize } from '../conversation/conversation.ts';
import { columnsOf, messageColumns, messageOf } from '../timeline/timeline.ts';
import type { MessageRow } from '../timeline/timeline.ts';
import type { HistoryPage, HistoryPageInput } from './shapes.ts';

/** The greatest seq that there can be: what a column and GraphQL's Int hold. */
const seqMax = 2 ** 31 - 1;

/**
 * A stretch of a timeline that was asked for: what lies between two seqs, and how much of it from
 * which end.
 */
export interface Stretch {
  /** Exclusive. */
  readonly afterSeq: number;
  /** Exclusive. */
  readonly beforeSeq: number;
  readonly size: number;
  readonly isFromEnd: boolean;
}

/** @throws {Fault} INVALID_ARGUMENT */
export function stretchOf({ first, after, last, before }: HistoryPageInput): Stretch {
  if (first !== null && last !== null) {
    throw new Fault('INVALID_ARGUMENT', 'first and last cannot be given both');
  }
  const isFromEnd = first === null;
  return {
    afterSeq: after === null ? 0 : seqOfCursor('after', after),
    beforeSeq: before === null ? seqMax + 1 : seqOfCursor('before', before),
    size: isFromEnd
      ? checkPageSize('last', last ?? limits.pageDefaultMessages)
      : checkPageSize('first', first),
    isFromEnd,
  };
}

function seqOfCursor(name: string, cursor: string): number {
  const seq = /^(?:0|[1-9]\d{0,9})$/.test(cursor) ? Number(cursor) : NaN;
  if (!(seq <= seqMax)) throw new Fault('INVALID_ARGUMENT', `${name} is no seq`);
  return seq;
}

interface Edges {
  readonly headLastSeq: number;
  readonly viewerJoinedSeq: number;
}
type PageRow = Edges & (MessageRow | { readonly [Column in keyof MessageRow]: null });

/**
 * One statement: the right, the edges of what the viewer may see, and the messages, all of one
 * moment. Since seqs have no gap, the page is a range of the primary key.
 * @returns null where the viewer may not read the conversation, or there is none.
 * @throws {Fault} INVALID_ARGUMENT, before anything is read.
 */
export async function historyPage(
  shards: ShardMap,
  viewerId: bigint,
  conversationId: bigint,
  input: HistoryPageInput,
): Promise<HistoryPage | null> {
  const stretch = stretchOf(input);
  const { sql } = shards.of(conversationId);
  const text = stretch.isFromEnd ? fromEndText(sql.dialect) : fromStartText(sql.dialect);
  const rows = await sql.query<PageRow>(text, [...boundsOf(stretch), conversationId, viewerId]);
  const [edges] = rows;
  if (!edges) return null;
  // Sorted here: MariaDB would copy the contents to a table on disk for an ORDER BY.
  const messages = rows
    .filter((row) => row.seq !== null)
    .map(messageOf)
    .sort((a, b) => a.seq - b.seq);
  return { messages, ...neighboursOf(stretch, messages, edges) };
}

// One lower and one upper bound, so that SQLite, which uses one of each, uses the tight ones.
function fromStartText(dialect: Dialect): string {
  const start = dialect.greatest('m.joinedSeq', '?');
  return pageText(start, dialect.least('?', `${start} + ?`));
}

function fromEndText(dialect: Dialect): string {
  const end = dialect.least('?', 'c.lastSeq');
  return pageText(dialect.greatest('m.joinedSeq', '?', `${end} - ?`), end);
}

function pageText(from: string, to: string): string {
  return `SELECT c.lastSeq AS headLastSeq, m.joinedSeq AS viewerJoinedSeq, ${columnsOf('g', messageColumns)}
    FROM Member m JOIN Conversation c ON c.id = m.conversationId
    LEFT JOIN Message g ON g.conversationId = m.conversationId AND g.seq >= ${from} AND g.seq <= ${to}
    WHERE m.conversationId = ? AND m.userId = ? AND m.isListed = 1`;
}

function boundsOf({ afterSeq, beforeSeq, size, isFromEnd }: Stretch): number[] {
  const [from, to] = [afterSeq + 1, beforeSeq - 1];
  return isFromEnd ? [from, to, size - 1, to] : [from, to, from, size - 1];
}

/**
 * Whether the viewer may see anything before and after the page. An empty page stands where it
 * would begin, or, asked from the end, where it would end.
 */
function neighboursOf(
  stretch: Stretch,
  messages: HistoryPage['messages'],
  { headLastSeq, viewerJoinedSeq }: Edges,
): Pick<HistoryPage, 'hasNextPage' | 'hasPreviousPage'> {
  const emptyAt = stretch.isFromEnd
    ? Math.min(stretch.beforeSeq, headLastSeq + 1)
    : Math.max(stretch.afterSeq + 1, viewerJoinedSeq);
  const from = messages[0]?.seq ?? emptyAt;
  const next = (messages.at(-1)?.seq ?? emptyAt - 1) + 1;
  return {
    hasNextPage: Math.max(next, viewerJoinedSeq) <= headLastSeq,
    hasPreviousPage: viewerJoinedSeq <= Math.min(from - 1, headLastSeq),
  };
}
