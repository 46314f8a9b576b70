import type { Message } from '../../domain/timeline/timeline.ts';
import type { WalletEntry } from '../../domain/wallet/wallet.ts';
import type { LogEntry, LogEvent } from './log-entry.ts';
import type { Regime } from '../conversation/regimes.ts';

/** An event and whom it concerns. */
export interface Addressed {
  readonly eventNo: number;
  readonly event: LogEvent;
  readonly recipients: readonly Recipient[];
}

/** A user, and the first message that they may see. */
export interface Recipient {
  readonly userId: bigint;
  readonly joinedSeq: number;
}

/** A stretch of a conversation's events, guarded by its watermark. */
export interface Stretch {
  readonly conversationId: bigint;
  /** From here on, whether or not the first events concern anybody. */
  readonly firstEventNo: number;
  /** The eventNo after the last of them. */
  readonly nextEventNo: number;
  readonly membersEventNo: number;
  readonly atMs: number;
  readonly events: readonly Addressed[];
  /** Whatever came before them is done, as far as it concerns anybody there. */
  readonly isWhole?: boolean;
}

export type ReadEvent = Extract<LogEvent, { kind: 'read' }>;

/** What entries of a log tell, to whom they are told at once. */
export interface Telling {
  /** By `messageKey`. */
  readonly messages: ReadonlyMap<string, Message>;
  readonly regimes: ReadonlyMap<bigint, Regime>;
  /** Entries of wallets, by `walletKey`. Other nodes read theirs. */
  readonly wallets?: ReadonlyMap<string, WalletEntry>;
}

export function walletKey(entry: { readonly userId: bigint; readonly entryNo: number }): string {
  return `${entry.userId} ${entry.entryNo}`;
}

/**
 * Something to append, whole or not at all: stretches of events in the order of their commits; or a read position, guarded
 * by the one last told.
 */
export type AppendJob = {
  readonly telling: Telling;
  /** Where it says what is whole: in which epoch that is so, as an outcome named it. In another it fails. */
  readonly onlyIn?: bigint;
} & (
  | { readonly kind: 'events'; readonly stretches: readonly Stretch[] }
  | {
      readonly kind: 'read';
      readonly event: ReadEvent;
      /** How new the list of members is that the recipients were taken from. */
      readonly membersEventNo: number;
      /** All that changed the members until then was told. */
      readonly isWhole?: boolean;
      readonly atMs: number;
      /** With the eventNo of their joining: before that was appended, a read would be of a conversation unknown to them. */
      readonly recipients: readonly (Recipient & { readonly joinedEventNo: number })[];
    }
);

/** What a user's log got; of one user, in the order of their offsets. */
export interface Appended {
  readonly userId: bigint;
  readonly joinedSeq: number;
  readonly epoch: bigint;
  readonly entry: LogEntry;
}

/** What became of a job. */
export interface AppendOutcome {
  /** A read was not told, since the members changed after its recipients were listed. */
  readonly isStale: boolean;
  /**
   * Conversations of which something may be missing before what the job has of them: of these nothing was appended, but
   * perhaps what came before the gap. Asked again with `isWhole`, what is missing does not count.
   */
  readonly behind: ReadonlySet<bigint>;
  /** Where the logs may be lost as a whole: in which epoch of them this was done; 0n where they cannot. */
  readonly epoch: bigint;
}

/** What of an event was not appended before: of a run perhaps only its end. */
export function unseen(event: LogEvent, eventNo: number, nextEventNo: number): LogEvent | null {
  if (eventNo >= nextEventNo) return event;
  const done = nextEventNo - eventNo;
  if (event.kind !== 'added' || done >= event.count) return null;
  return { ...event, firstSeq: event.firstSeq + done, count: event.count - done };
}

/** What of an event a recipient may see: of a run what came since they joined. */
export function clip(event: LogEvent, { joinedSeq }: Recipient): LogEvent | null {
  if (event.kind === 'changed') return event.seq >= joinedSeq ? event : null;
  if (event.kind !== 'added' || event.firstSeq >= joinedSeq) return event;
  const hidden = joinedSeq - event.firstSeq;
  if (hidden >= event.count) return null;
  return { ...event, firstSeq: joinedSeq, count: event.count - hidden };
}
