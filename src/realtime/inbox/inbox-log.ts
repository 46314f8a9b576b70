import type { Cursor } from '../../domain/inbox/inbox.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { AppendJob, AppendOutcome } from './append-job.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogHead } from './log-head.ts';

/** Where the logs of some users are, appended to as one. */
export interface LogPlace {
  readonly index: number;
}

/**
 * The inbox logs of all users.
 *
 * Per user: an epoch, and offsets 1, 2, 3, … A user without a head is passed over; a head is made when somebody begins to
 * read. What a place is told twice it appends once, and what is told of one conversation in its order or not at all;
 * each user's offsets are told in order.
 */
export interface InboxLog extends Lifecycle {
  /** Once it is started. */
  readonly places: readonly LogPlace[];
  placeOf(userId: bigint): LogPlace;
  /**
   * Appends what happened to the logs of those of its recipients who have them at this place, in one atomic step with the
   * watermarks: what was appended before is passed over, so repeating a job does no harm. Whoever it is told to hears
   * of it by the log's own way.
   * @throws {Fault} UNAVAILABLE where it is unknown whether it was appended.
   */
  append(place: LogPlace, job: AppendJob): Promise<AppendOutcome>;
  /**
   * The head of a user's log, made where it is missing, and a sign that they are still there: a log that nobody
   * reads for as long as it reaches back is dropped.
   */
  open(userId: bigint): Promise<LogHead>;
  /**
   * As `open`, step by step: what is read once `taken` resolves is as new as that head; whoever is told the head waits
   * for `opened`, so that the log is kept for them. Where the head is there, `taken` is one round trip.
   */
  opening(userId: bigint): { taken: Promise<LogHead>; opened: Promise<LogHead> };
  /**
   * As `open`, and with it what `read` gives as of then: fewer entries, where many ask at one time; none says nothing.
   */
  resume(
    userId: bigint,
    after: Pick<Cursor, 'epoch' | 'offset'>,
    entriesMax: number,
  ): Promise<Resumed>;
  /** The heads that are there. */
  heads(userIds: readonly bigint[]): Promise<ReadonlyMap<bigint, LogHead>>;
  /**
   * Tells each user's head, or that there is none, as the places answer: one that does not holds up nobody else's.
   * Rejects where one did not.
   */
  tellHeads(
    userIds: readonly bigint[],
    tell: (userId: bigint, head: LogHead | undefined) => void,
  ): Promise<void>;
  /** A sign that these users are still there, where they have a log. */
  touch(userIds: readonly bigint[]): Promise<void>;
  /**
   * Entries that reach beyond an offset of that log, in order; the first may begin before it. None where another log has
   * taken its place.
   */
  read(
    userId: bigint,
    after: Pick<Cursor, 'epoch' | 'offset'>,
    entriesMax: number,
  ): Promise<LogEntry[]>;
}

/** The head of a log, and what follows a cursor there: all of it, or the first of it. */
export interface Resumed {
  readonly head: LogHead;
  readonly entries: readonly LogEntry[];
}

/** Whether a log goes on from a cursor without a hole. */
export function reachesBack(
  head: Pick<LogHead, 'epoch' | 'lastOffset' | 'trimmedOffset'>,
  after: Cursor,
  oldestMs: number,
): boolean {
  return (
    after.epoch === head.epoch &&
    after.offset <= head.lastOffset &&
    after.offset >= head.trimmedOffset &&
    after.atMs >= oldestMs
  );
}
