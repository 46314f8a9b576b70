import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Settled } from '../../storage/group-commit.ts';
import type { Shard } from '../../storage/shards.ts';
import { insertRows } from '../../storage/inserts.ts';
import { marks } from '../../storage/sql.ts';
import type { Sql, SqlTransaction, SqlValue, Statement } from '../../storage/sql.ts';
import { clip, unseen } from './append-job.ts';
import { loadHeads, loadMarks, loadTold } from './append-load.ts';
import type { AppendMemory, Mark } from './append-memory.ts';
import type { AppendJob, Appended, ReadEvent, Recipient, Stretch, Telling } from './append-job.ts';
import { entryColumns, entryValues, offsetCount } from './log-entry.ts';
import type { LogEvent } from './log-entry.ts';
import type { LogHead } from './log-head.ts';

export interface AppendDeps {
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly deliver: (appended: readonly Appended[], telling: Telling) => void;
  readonly limits: {
    readonly inboxLogEventsKept: number;
    readonly inboxLogAgeMaxMs: number;
    readonly inboxTouchMs: number;
  };
}

/** What a job put into which logs. */
export interface Decided {
  readonly appended: readonly Appended[];
  readonly isStale: boolean;
}

/** Users of one DELETE. */
const usersPerStatement = 500;
const noMark: Mark = { next: 0, members: 0 };

/** One transaction for many jobs, in their order. */
export async function appendJobs(
  shard: Shard,
  memory: AppendMemory,
  jobs: readonly AppendJob[],
  deps: AppendDeps,
): Promise<Settled<Decided>[]> {
  const append = new Append(shard.sql, memory, jobs, deps);
  const outcomes = await shard.sql
    .transaction(async (tx) => {
      await append.load(tx);
      const decided = jobs.map((job) => append.decide(job));
      deps.failpoints.reach('during-fan-out');
      await tx.finish(append.statements());
      return decided;
    })
    .catch((error: unknown) => {
      memory.forgetAll();
      throw error;
    });
  append.remember();
  deps.failpoints.reach('after-append');
  outcomes.forEach(({ appended }, index) => {
    const job = jobs[index];
    if (job) deps.deliver(appended, job.telling);
  });
  return outcomes.map((result) => ({ kind: 'done', result }));
}

/** The state of one append transaction: heads and guards as known, moved on in memory, written at the end. */
class Append {
  readonly #sql: Sql;
  readonly #memory: AppendMemory;
  readonly #turn: number;
  readonly #jobs: readonly AppendJob[];
  readonly #deps: AppendDeps;
  readonly #heads = new Map<bigint, LogHead | null>();
  readonly #marks = new Map<bigint, Mark>();
  readonly #told = new Map<string, number>();
  readonly #dormant = new Set<bigint>();
  readonly #moved = {
    heads: new Set<bigint>(),
    marks: new Set<bigint>(),
    told: new Set<ReadEvent>(),
  };
  readonly #entries: SqlValue[][] = [];

  constructor(sql: Sql, memory: AppendMemory, jobs: readonly AppendJob[], deps: AppendDeps) {
    this.#sql = sql;
    this.#memory = memory;
    this.#turn = memory.begin();
    this.#jobs = jobs;
    this.#deps = deps;
  }

  /** What memory does not hold is read, all at once. */
  async load(tx: SqlTransaction): Promise<void> {
    const userIds = new Set<bigint>();
    const conversationIds = new Set<bigint>();
    const reads: ReadEvent[] = [];
    const name = (recipients: readonly { userId: bigint }[]): void => {
      for (const { userId } of recipients) userIds.add(userId);
    };
    for (const job of this.#jobs) {
      if (job.kind === 'read') {
        name(job.recipients);
        conversationIds.add(job.event.conversationId);
        reads.push(job.event);
        continue;
      }
      for (const { conversationId, events } of job.stretches) {
        conversationIds.add(conversationId);
        for (const { recipients } of events) name(recipients);
      }
    }
    await Promise.all([
      this.#loadMarks(tx, conversationIds),
      this.#loadTold(tx, reads),
      this.#loadHeads(tx, userIds),
    ]);
  }

  /** To be called when the transaction is committed. */
  remember(): void {
    this.#memory.keep(this.#turn, this.#heads, this.#marks);
  }

  decide(job: AppendJob): Decided {
    if (job.kind === 'read') return this.#decideRead(job);
    const appended: Appended[] = [];
    for (const stretch of job.stretches) this.#decideStretch(stretch, appended);
    return { appended, isStale: false };
  }

  statements(): Statement[] {
    const { dialect } = this.#sql;
    const marks = [...this.#moved.marks].map((id) => {
      const mark = this.#marks.get(id);
      return [id, mark?.next ?? 0, mark?.members ?? 0];
    });
    const markSet = ['nextEventNo', 'membersEventNo'].map(
      (column) => `${column} = ${dialect.incoming(column)}`,
    );
    const told = [...this.#moved.told].map((event) => [
      event.conversationId,
      event.userId,
      event.readSeq,
    ]);
    return [
      ...insertRows('InboxEntry', entryColumns, this.#entries),
      ...insertRows(
        'Watermark',
        ['conversationId', 'nextEventNo', 'membersEventNo'],
        marks,
        dialect.upsert(['conversationId'], markSet.join(', ')),
      ),
      ...insertRows(
        'ToldRead',
        ['conversationId', 'userId', 'readSeq'],
        told,
        dialect.upsert(
          ['conversationId', 'userId'],
          `readSeq = ${dialect.greatest('ToldRead.readSeq', dialect.incoming('readSeq'))}`,
        ),
      ),
      ...this.#trims(),
      ...this.#removals(),
    ];
  }

  #decideStretch(stretch: Stretch, appended: Appended[]): void {
    const { conversationId, nextEventNo, atMs } = stretch;
    const mark = this.#marks.get(conversationId) ?? noMark;
    for (const { event, eventNo, recipients } of stretch.events) {
      const fresh = unseen(event, eventNo, mark.next);
      if (!fresh) continue;
      for (const recipient of recipients) {
        const visible = clip(fresh, recipient);
        if (visible) this.#put(recipient, visible, atMs, appended);
      }
    }
    if (nextEventNo > mark.next) {
      const members = Math.max(mark.members, stretch.membersEventNo);
      this.#marks.set(conversationId, { next: nextEventNo, members });
      this.#moved.marks.add(conversationId);
    }
  }

  #decideRead(job: Extract<AppendJob, { kind: 'read' }>): Decided {
    const { event } = job;
    const appended: Appended[] = [];
    // Somebody whom this list names may have been told that they are no member any more: nothing may follow that.
    const mark = this.#marks.get(event.conversationId) ?? noMark;
    if (mark.members > job.membersEventNo) return { appended, isStale: true };
    const key = toldKey(event);
    if ((this.#told.get(key) ?? -1) >= event.readSeq) return { appended, isStale: false };
    for (const recipient of job.recipients) {
      // Whose joining is not told yet will be shown the read with it.
      const isTheirs = recipient.joinedEventNo < mark.next;
      if (isTheirs) this.#put(recipient, event, job.atMs, appended);
    }
    this.#told.set(key, event.readSeq);
    this.#moved.told.add(event);
    return { appended, isStale: false };
  }

  #put(
    { userId, joinedSeq }: Recipient,
    event: LogEvent,
    atMs: number,
    appended: Appended[],
  ): void {
    const head = this.#heads.get(userId);
    if (!head) return;
    const lastOffset = head.lastOffset + BigInt(offsetCount(event));
    const entry = { event, lastOffset, atMs };
    const { epoch, trimmedOffset, lastSeenAtMs } = head;
    this.#heads.set(userId, { userId, epoch, lastOffset, trimmedOffset, lastSeenAtMs });
    this.#moved.heads.add(userId);
    this.#entries.push(entryValues(userId, entry));
    appended.push({ userId, joinedSeq, epoch, entry });
  }

  /** Cuts off logs that have grown a quarter beyond what is kept. */
  #trims(): Statement[] {
    const kept = BigInt(this.#deps.limits.inboxLogEventsKept);
    const statements: Statement[] = [];
    for (const userId of this.#moved.heads) {
      const head = this.#heads.get(userId);
      if (!head || head.lastOffset - head.trimmedOffset <= kept + kept / 4n) continue;
      const trimmedOffset = head.lastOffset - kept;
      this.#heads.set(userId, { ...head, trimmedOffset });
      statements.push(
        {
          text: 'DELETE FROM InboxEntry WHERE userId = ? AND lastOffset <= ?',
          params: [userId, trimmedOffset],
        },
        {
          text: 'UPDATE InboxHead SET trimmedOffset = ? WHERE userId = ?',
          params: [trimmedOffset, userId],
        },
      );
    }
    return statements;
  }

  /** Drops logs that nobody reads any more. */
  #removals(): Statement[] {
    return ['InboxEntry', 'InboxHead'].flatMap((table) =>
      chunks([...this.#dormant], usersPerStatement).map((page) => ({
        text: `DELETE FROM ${table} WHERE userId IN (${marks(page.length)})`,
        params: page,
      })),
    );
  }

  async #loadHeads(tx: SqlTransaction, userIds: ReadonlySet<bigint>): Promise<void> {
    const { inboxLogAgeMaxMs, inboxTouchMs } = this.#deps.limits;
    // Who reads says so now and then: the cursor they keep may be that much younger than what they said last.
    const dormantBefore = BigInt(this.#deps.clock.now() - inboxLogAgeMaxMs - 2 * inboxTouchMs);
    const unknown: bigint[] = [];
    for (const userId of userIds) {
      const head = this.#memory.head(userId);
      const isDoubtful = head === undefined || (head && head.lastSeenAtMs < dormantBefore);
      if (isDoubtful) unknown.push(userId);
      else this.#heads.set(userId, head);
    }
    for (const userId of unknown) this.#heads.set(userId, null);
    for (const head of await loadHeads(tx, this.#sql, unknown)) {
      if (head.lastSeenAtMs < dormantBefore) this.#dormant.add(head.userId);
      else this.#heads.set(head.userId, head);
    }
  }

  async #loadMarks(tx: SqlTransaction, ids: ReadonlySet<bigint>): Promise<void> {
    const unknown: bigint[] = [];
    for (const id of ids) {
      const mark = this.#memory.mark(id);
      if (mark) this.#marks.set(id, mark);
      else unknown.push(id);
    }
    for (const { conversationId, next, members } of await loadMarks(tx, unknown)) {
      this.#marks.set(conversationId, { next, members });
    }
  }

  async #loadTold(tx: SqlTransaction, reads: readonly ReadEvent[]): Promise<void> {
    for (const row of await loadTold(tx, reads)) this.#told.set(toldKey(row), row.readSeq);
  }
}

function toldKey({ conversationId, userId }: { conversationId: bigint; userId: bigint }): string {
  return `${conversationId} ${userId}`;
}
