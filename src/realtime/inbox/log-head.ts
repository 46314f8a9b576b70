/** The head of a user's log. */
export interface LogHead {
  readonly userId: bigint;
  /** The name of this log; a new one whenever it begins anew. */
  readonly epoch: bigint;
  /** The offset of the newest event; 0: none yet. */
  readonly lastOffset: bigint;
  /** Events up to this offset are gone. */
  readonly trimmedOffset: bigint;
  /** When somebody last read it, or said that they still do. */
  readonly lastSeenAtMs: bigint;
}

/** Selects LogHeads from InboxHead. Where a log ends its newest entry says: an append writes no head. */
export const headColumns =
  'userId, epoch, trimmedOffset, lastSeenAtMs, COALESCE(' +
  '(SELECT MAX(e.lastOffset) FROM InboxEntry e WHERE e.userId = InboxHead.userId), 0) AS lastOffset';
