import { checkCalls } from './checker-calls.ts';
import { checkEnded } from './checker-ended.ts';
import { checkStore } from './checker-store.ts';
import { checkViews } from './checker-views.ts';
import type { History } from './history.ts';

/** A promise that was broken. Names as in jepsen.tests.kafka where it has one for it. */
export interface Anomaly {
  readonly name: AnomalyName;
  readonly detail: string;
}

export type AnomalyName =
  /** An acknowledged message is not stored where it was said to be. */
  | 'lost-write'
  /** An acknowledged edit, recall or read is not stored. */
  | 'lost-change'
  | 'lost-read'
  /** One (sender, clientMessageId) is stored twice. */
  | 'duplicate'
  /** One seq names two messages, or one message has two seqs. */
  | 'inconsistent-offsets'
  /** What was refused is stored. */
  | 'aborted-read'
  /** Stored or shown, but nobody sent it. */
  | 'phantom'
  /** The seqs of a stored timeline have a gap. */
  | 'seq-gap'
  /** Of one client, a later message got a smaller seq. */
  | 'nonmonotonic-send'
  /** A view passed over a message, or a change. */
  | 'poll-skip'
  /** A view showed an older message after a newer one, or one twice. */
  | 'nonmonotonic-poll'
  /** A member's view never showed a stored message. */
  | 'unseen'
  /** The cursors of a view went back. */
  | 'nonmonotonic-cursor'
  /** The log began anew without need. */
  | 'unexpected-reset'
  /** Two views saw messages and changes of a conversation in different orders. */
  | 'inconsistent-order'
  /** A view shows a message otherwise than it is stored. */
  | 'stale-view'
  /**
   * A view was told of a conversation before it was told that it is a member, or after it ceased to be; somebody went on who
   * had been removed; a session heard on that had been ended.
   */
  | 'leak'
  /** A read position fell, or was told twice. */
  | 'nonmonotonic-read'
  /** What a view takes for a read position is not what is stored. */
  | 'read-mismatch'
  | 'unread-mismatch'
  /** A member's log lacks a message, or has it twice. */
  | 'log-mismatch'
  /** Committed work was not done. */
  | 'outbox-left';

/**
 * Every promise that a history breaks; none: it holds. A result that is unknown (`info`) counts neither as done nor as not done.
 *
 * Promised are: an acknowledged message is stored for ever at its seq, once, however often it was sent; a conversation's
 * seqs are contiguous, and all see its messages and changes in one order; every member's view shows each of them
 * exactly once over all reconnects, and ends equal to what is stored; cursors and read positions never go back;
 * inbox logs and outbox agree with the timelines; who was removed can neither write nor read on, and a session that was ended
 * hears nothing more once its end has reached all nodes.
 */
export function check(history: History): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const found: Report = (name, detail) => anomalies.push({ name, detail });
  checkStore(history, found);
  checkCalls(history, found);
  checkViews(history, found);
  checkEnded(history, found);
  return anomalies;
}

export type Report = (name: AnomalyName, detail: string) => unknown;
