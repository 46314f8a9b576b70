import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { AppendJob, Telling } from './append-job.ts';
import type { InboxLog, LogPlace } from './inbox-log.ts';
import type { ListedMember } from '../outbox/member-lists.ts';
import { readAudienceOf } from './read-audience.ts';

export interface ReadNoticesDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly inboxLog: InboxLog;
  /** Whether all that changed the members of a conversation has come to the logs of a place. */
  readonly areMembersTold: (place: LogPlace, conversationId: bigint) => Promise<boolean>;
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

/** A read shows no message. */
const nothingShown: Telling = { messages: new Map(), regimes: new Map() };

type ReadJob = Extract<AppendJob, { kind: 'read' }>;

/** When a shard's untold positions are told. */
interface Round {
  timer: NodeJS.Timeout | null;
  running: Promise<void> | null;
  lastMs: number;
  /** Something may be untold. */
  isDue: boolean;
}

/**
 * Tells read positions: at most once a second for each member and conversation, and always the last one. The
 * positions still to be told are rows of the conversation's shard, deleted only where they are still what was told.
 */
export class ReadNotices implements Lifecycle {
  readonly #deps: ReadNoticesDeps;
  readonly #rounds = new Map<number, Round>();
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
    const rounds = [...this.#rounds.values()];
    for (const { timer } of rounds) if (timer) clearTimeout(timer);
    await Promise.all(rounds.flatMap(({ running }) => running ?? []));
  }

  /**
   * Says that reads of a shard were committed. They are told at once where nothing was told within the last second, else
   * when that is over: so two positions of one member are never closer than that.
   */
  wake(shardIndex: number): void {
    const known = this.#rounds.get(shardIndex);
    const round = known ?? { timer: null, running: null, lastMs: -Infinity, isDue: true };
    this.#rounds.set(shardIndex, round);
    round.isDue = true;
    this.#plan(shardIndex, round);
  }

  #plan(shardIndex: number, round: Round): void {
    if (this.#isStopped || !round.isDue || round.timer || round.running) return;
    const { clock, limits } = this.#deps;
    const waitMs = Math.min(
      limits.readCoalesceMs,
      round.lastMs + limits.readCoalesceMs - clock.now(),
    );
    round.timer = setTimeout(
      () => {
        round.timer = null;
        round.isDue = false;
        round.lastMs = clock.now();
        round.running = this.#tellAll(shardIndex, round.lastMs).then((isMoreLeft) => {
          round.running = null;
          round.isDue ||= isMoreLeft;
          this.#plan(shardIndex, round);
        });
      },
      // A timer may be early by what is left of a millisecond.
      Math.max(0, waitMs + 1),
    );
  }

  /** @returns whether some must be told in another round. */
  async #tellAll(shardIndex: number, atMs: number): Promise<boolean> {
    const { shards, failpoints, limits, log } = this.#deps;
    const source = shards.all[shardIndex];
    if (!source) return false;
    const rowsMax = limits.readNoticesBatchMax;
    const failures: unknown[] = [];
    let isMoreLeft = false;
    try {
      let after: Pick<UntoldRead, 'conversationId' | 'userId'> = { conversationId: 0n, userId: 0n };
      for (;;) {
        const rows = await untoldAfter(source, after, rowsMax);
        if (rows.length > 0) failpoints.reach('before-read-told');
        const told = (await Promise.all(rows.map((row) => this.#tell(row, atMs, failures)))).filter(
          (row) => row !== null,
        );
        if (told.length > 0) failpoints.reach('before-read-forgotten');
        await forget(source, told);
        isMoreLeft ||= told.length < rows.length;
        const last = rows.at(-1);
        if (!last || rows.length < rowsMax || this.#isStopped) break;
        after = last;
      }
    } catch (error) {
      failures.push(error);
    }
    const [err] = failures;
    if (err !== undefined) log.warn({ err, shard: shardIndex }, 'reads.tell_failed');
    return isMoreLeft || err !== undefined;
  }

  /** Null where it must be told again later; those whom it could be told to have heard it then. */
  async #tell(read: UntoldRead, atMs: number, failures: unknown[]): Promise<UntoldRead | null> {
    const { inboxLog, receiptGroupMembers, shards } = this.#deps;
    const shard = shards.of(read.conversationId);
    const audience = await readAudienceOf(shard, read, receiptGroupMembers);
    if (!audience) return read;
    const byPlace = new Map<LogPlace, ListedMember[]>();
    for (const recipient of audience.recipients) {
      const place = inboxLog.placeOf(recipient.userId);
      const known = byPlace.get(place);
      if (known) known.push(recipient);
      else byPlace.set(place, [recipient]);
    }
    const outcomes = await Promise.all(
      [...byPlace].map(([place, there]) =>
        this.#append(place, read, there, audience.membersEventNo, atMs).catch((error: unknown) => {
          failures.push(error);
          return false;
        }),
      ),
    );
    return outcomes.every((isDone) => isDone) ? read : null;
  }

  async #append(
    place: LogPlace,
    { conversationId, userId, readSeq }: UntoldRead,
    recipients: readonly ListedMember[],
    membersEventNo: number,
    atMs: number,
  ): Promise<boolean> {
    const job: ReadJob = {
      kind: 'read',
      event: { kind: 'read', conversationId, userId, readSeq },
      membersEventNo,
      atMs,
      recipients,
      telling: nothingShown,
    };
    const { inboxLog, areMembersTold } = this.#deps;
    const first = await inboxLog.append(place, job);
    if (first.behind.size === 0) return !first.isStale;
    // Nothing there guards that conversation yet, or not any more.
    if (!(await areMembersTold(place, conversationId))) return false;
    const whole = { ...job, isWhole: true, onlyIn: first.epoch };
    const { behind, isStale } = await inboxLog.append(place, whole);
    return !isStale && behind.size === 0;
  }
}

/** Positions still to be told, in the order of their keys. */
function untoldAfter(
  source: Shard,
  after: Pick<UntoldRead, 'conversationId' | 'userId'>,
  rowsMax: number,
): Promise<UntoldRead[]> {
  return source.sql.query<UntoldRead>(
    'SELECT conversationId, userId, readSeq FROM UntoldRead' +
      ' WHERE conversationId > ? OR (conversationId = ? AND userId > ?)' +
      ' ORDER BY conversationId, userId LIMIT ?',
    [after.conversationId, after.conversationId, after.userId, rowsMax],
  );
}

/** Forgets positions that were told, where they are still the newest. */
async function forget(source: Shard, told: readonly UntoldRead[]): Promise<void> {
  if (told.length === 0) return;
  const text = 'DELETE FROM UntoldRead WHERE conversationId = ? AND userId = ? AND readSeq = ?';
  await source.sql.transaction((tx) =>
    tx.finish(
      told.map(({ conversationId, userId, readSeq }) => ({
        text,
        params: [conversationId, userId, readSeq],
      })),
    ),
  );
}
