import { second } from './units.ts';

/** Of what waits for a shard's transactions, money's aside. */
export const writingLimits = {
  /** Drafts that one transaction of the group-commit writer takes. */
  writerBatchDraftsMax: 128,
  /** Drafts that may wait for a shard's writer; one more is UNAVAILABLE. */
  writerQueueDraftsMax: 4_096,
  /** A queue where drafts wait longer for so long stands; one that would wait for more than half of it there is UNAVAILABLE. */
  writerWaitMaxMs: second / 2,
  /** How long a draft may be put off because another node holds its conversation, before it is UNAVAILABLE. */
  writerDeferMaxMs: 5 * second,
  /** Calls that may wait for the thread that owns an SQLite file; one more is UNAVAILABLE. */
  sqliteQueueCallsMax: 8_192,
  /** Reads (markRead) that may wait for a shard's next transaction; one more is UNAVAILABLE. */
  readsQueueMax: 4_096,
  /** Reads that one transaction takes. */
  readsBatchMax: 256,
};
