import { entryOf, entryValues, offsetCount } from './log-entry.ts';
import type { LogEntry, LogEvent } from './log-entry.ts';

/** The numbers of an entry, but for its place in a log. */
export interface EntryFields {
  readonly kind: number;
  /** The conversation, or of a wallet its user. */
  readonly about: bigint;
  readonly position: number;
  readonly count: number;
  /** Empty where there is none; so is the subject. */
  readonly seq: number | '';
  readonly subject: string;
}

export function fieldsOf(event: LogEvent): EntryFields {
  const [, , , kind, about, position, seq, subject] = entryValues(0n, {
    event,
    lastOffset: 0n,
    atMs: 0,
  });
  return {
    kind: Number(kind ?? 0),
    about: BigInt(about ?? 0),
    position: Number(position),
    count: offsetCount(event),
    seq: seq == null ? '' : Number(seq),
    subject: subject == null ? '' : String(subject),
  };
}

/** Reads the text of an entry as the scripts write it: `kind,about,position,count,seq,subject,atMs`. */
export function decodeEntry(text: string): LogEntry {
  const [kind, about = '', position, count, seq, subject = '', atMs = ''] = text.split(',');
  return entryOf({
    userId: 0n,
    lastOffset: 0n,
    kind: Number(kind),
    conversationId: BigInt(about),
    position: Number(position),
    count: Number(count),
    seq: seq === '' ? null : Number(seq),
    subjectId: subject === '' ? null : BigInt(subject),
    atMs: BigInt(atMs),
  });
}
