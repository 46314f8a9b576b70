/**
 * What the inbox log keeps of something that happened: enough to find it again in the timelines. A run of messages takes
 * as many offsets as it has messages, anything else one.
 */
export type LogEvent =
  | {
      readonly kind: 'added';
      readonly conversationId: bigint;
      readonly firstSeq: number;
      readonly count: number;
    }
  | {
      readonly kind: 'changed';
      readonly conversationId: bigint;
      readonly changeSeq: number;
      readonly seq: number;
    }
  | {
      readonly kind: 'read';
      readonly conversationId: bigint;
      readonly userId: bigint;
      readonly readSeq: number;
    }
  | { readonly kind: 'conversation'; readonly conversationId: bigint }
  | { readonly kind: 'removed'; readonly conversationId: bigint }
  | { readonly kind: 'advanced'; readonly conversationId: bigint }
  /** The user's own wallet got that entry. */
  | { readonly kind: 'wallet'; readonly userId: bigint; readonly entryNo: number };

/** An event at its place in a user's log: it takes the offsets up to `lastOffset`. */
export interface LogEntry {
  readonly event: LogEvent;
  readonly lastOffset: bigint;
  readonly atMs: number;
}

/** How many offsets an event takes. */
export function offsetCount(event: LogEvent): number {
  return event.kind === 'added' ? event.count : 1;
}

export interface EntryRow {
  readonly userId: bigint;
  readonly lastOffset: bigint;
  /** Null: one. */
  readonly count: number | null;
  /** Null: a run of messages. */
  readonly kind: number | null;
  /** Of a wallet its user. */
  readonly conversationId: bigint;
  readonly position: number;
  readonly seq: number | null;
  readonly subjectId: bigint | null;
  readonly atMs: bigint;
}

export const entryColumns = [
  'userId',
  'lastOffset',
  'count',
  'kind',
  'conversationId',
  'position',
  'seq',
  'subjectId',
  'atMs',
] as const satisfies readonly (keyof EntryRow)[];

const kinds = [
  'added',
  'changed',
  'read',
  'conversation',
  'removed',
  'advanced',
  'wallet',
] as const;

/** The values of `entryColumns`. */
export function entryValues(
  userId: bigint,
  { event, lastOffset, atMs }: LogEntry,
): (bigint | number | null)[] {
  let position = 0;
  let seq: number | null = null;
  let subjectId: bigint | null = null;
  if (event.kind === 'added') position = event.firstSeq;
  else if (event.kind === 'changed') [position, seq] = [event.changeSeq, event.seq];
  else if (event.kind === 'read') [position, subjectId] = [event.readSeq, event.userId];
  else if (event.kind === 'wallet') position = event.entryNo;
  // One message is what most entries tell: what they all leave out is not written at all.
  const kind = event.kind === 'added' ? null : kinds.indexOf(event.kind);
  const offsets = offsetCount(event);
  const count = offsets === 1 ? null : offsets;
  const about = event.kind === 'wallet' ? event.userId : event.conversationId;
  return [userId, lastOffset, count, kind, about, position, seq, subjectId, atMs];
}

export function entryOf(row: EntryRow): LogEntry {
  return { event: eventOf(row), lastOffset: row.lastOffset, atMs: Number(row.atMs) };
}

function eventOf({ kind, conversationId, position, count, seq, subjectId }: EntryRow): LogEvent {
  const name = kinds[kind ?? 0];
  switch (name) {
    case 'added':
      return { kind: name, conversationId, firstSeq: position, count: count ?? 1 };
    case 'changed':
      return { kind: name, conversationId, changeSeq: position, seq: seq ?? 0 };
    case 'read':
      return { kind: name, conversationId, userId: subjectId ?? 0n, readSeq: position };
    case 'conversation':
    case 'removed':
    case 'advanced':
      return { kind: name, conversationId };
    case 'wallet':
      return { kind: name, userId: conversationId, entryNo: position };
    default:
      throw new Error(`an inbox entry of unknown kind ${String(kind)}`);
  }
}
