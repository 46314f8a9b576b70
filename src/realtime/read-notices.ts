import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import { readPerShard } from '../storage/per-shard.ts';
import type { Shard, Shards } from '../storage/shards.ts';
import { happeningsOf } from './happenings.ts';
import type { AppendJob, Recipient } from './append-job.ts';
import type { InboxLog } from './inbox-log.ts';
import type { MemberLists } from './member-lists.ts';
import type { Router } from './router.ts';

export interface ReadNoticesDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly inboxLog: InboxLog;
  readonly memberLists: MemberLists;
  readonly router: Router;
  /** Up to how many members a group tells all of them who has read. */
  readonly receiptGroupMembers: number;
  readonly limits: {
    readonly readCoalesceMs: number;
    readonly readNoticesBatchMax: number;
    readonly readNoticesPollMs: number;
  };
}

interface UntoldRead {
  readonly conversationId: bigint;
  readonly userId: bigint;
  readonly readSeq: number;
}

type ReadJob = Extract<AppendJob, { kind: 'read' }>;

/**
 * Tells read positions: at most once a second for each member and conversation, and always the last one. The
 * positions still to be told are rows of the conversation's shard, deleted only where they are still what was told.
 */
export class ReadNotices implements Lifecycle {
  readonly #deps: ReadNoticesDeps;
  readonly #shards = new Map<number, { timer: NodeJS.Timeout | null; lastMs: number }>();
  readonly #running = new Map<number, Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(deps: ReadNoticesDeps) {
    this.#deps = deps;
  }

  /** Begins with what an earlier run left untold. */
  start(): Promise<void> {
    const wakeAll = (): void => {
      for (const { index } of this.#deps.shards.all) this.wake(index);
    };
    wakeAll();
    // A commit whose answer was lost wakes nobody.
    this.#timer = setInterval(wakeAll, this.#deps.limits.readNoticesPollMs);
    return Promise.resolve();
  }

  /** What is untold yet stays in the table for the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearInterval(this.#timer);
    for (const { timer } of this.#shards.values()) if (timer) clearTimeout(timer);
    await Promise.all(this.#running.values());
  }

  /**
   * Says that reads of a shard were committed. They are told at once where nothing was told within the last second, else
   * when that is over: so two positions of one member are never closer than that.
   */
  wake(shardIndex: number): void {
    if (this.#isStopped) return;
    const known = this.#shards.get(shardIndex) ?? { timer: null, lastMs: -Infinity };
    this.#shards.set(shardIndex, known);
    if (known.timer) return;
    const { clock, limits } = this.#deps;
    const waitMs = Math.min(
      limits.readCoalesceMs,
      known.lastMs + limits.readCoalesceMs - clock.now(),
    );
    known.timer = setTimeout(
      () => {
        known.lastMs = clock.now();
        this.#running.set(
          shardIndex,
          this.#tellAll(shardIndex).finally(() => {
            known.timer = null;
            this.#running.delete(shardIndex);
          }),
        );
      },
      Math.max(0, waitMs),
    );
  }

  async #tellAll(shardIndex: number): Promise<void> {
    const { shards, failpoints, limits, log } = this.#deps;
    const source = shards.all[shardIndex];
    if (!source) return;
    let isMoreLeft = false;
    try {
      const rows = await source.sql.query<UntoldRead>(
        'SELECT conversationId, userId, readSeq FROM UntoldRead ORDER BY atMs LIMIT ?',
        [limits.readNoticesBatchMax],
      );
      if (rows.length > 0) failpoints.reach('before-read-told');
      const told = (await Promise.all(rows.map((row) => this.#tell(row)))).flatMap(
        (row) => row ?? [],
      );
      if (told.length > 0) failpoints.reach('before-read-forgotten');
      await forget(source, told);
      isMoreLeft = told.length < rows.length || rows.length === limits.readNoticesBatchMax;
    } catch (error) {
      log.warn({ err: error, shard: shardIndex }, 'reads.tell_failed');
      isMoreLeft = true;
    }
    if (isMoreLeft) setImmediate(() => this.wake(shardIndex));
  }

  /** Null where it must be told again later. */
  async #tell(read: UntoldRead): Promise<UntoldRead | null> {
    const { shards, memberLists, receiptGroupMembers } = this.#deps;
    const list = await memberLists.read(read.conversationId);
    const isMember = list.members.some(({ userId }) => userId === read.userId);
    if (!isMember) return read;
    const recipients: readonly Recipient[] =
      list.memberCount <= receiptGroupMembers
        ? list.members
        : [{ userId: read.userId, joinedSeq: 0 }];
    const outcomes = await readPerShard(
      shards,
      recipients,
      ({ userId }) => userId,
      (target, ofShard) => this.#append(target, read, ofShard, list.membersEventNo),
    );
    return outcomes.every((isDone) => isDone) ? read : null;
  }

  async #append(
    target: Shard,
    { conversationId, userId, readSeq }: UntoldRead,
    recipients: readonly Recipient[],
    membersEventNo: number,
  ): Promise<boolean> {
    const job: ReadJob = {
      kind: 'read',
      event: { kind: 'read', conversationId, userId, readSeq },
      membersEventNo,
      atMs: this.#deps.clock.now(),
      recipients,
      deliver: (appended) => this.#deps.router.deliverAll(appended, happeningsOf(new Map(), [])),
    };
    const { isStale } = await this.#deps.inboxLog.append(target, job);
    return !isStale;
  }
}

/** Forgets positions that were told, where they are still the newest. */
async function forget(source: Shard, told: readonly UntoldRead[]): Promise<void> {
  if (told.length === 0) return;
  const text = 'DELETE FROM UntoldRead WHERE conversationId = ? AND userId = ? AND readSeq = ?';
  await source.sql.transaction((tx) =>
    tx.pipeline(
      told.map(({ conversationId, userId, readSeq }) => ({
        text,
        params: [conversationId, userId, readSeq],
      })),
    ),
  );
}
