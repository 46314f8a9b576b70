import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Settled } from '../storage/group-commit.ts';
import { pairsCondition, pairsOf } from '../storage/pairs.ts';
import { chunks } from '../storage/per-shard.ts';
import type { Shard } from '../storage/shards.ts';
import { insertRows } from '../storage/inserts.ts';
import { marks } from '../storage/sql.ts';
import type { Sql, SqlTransaction, SqlValue, Statement } from '../storage/sql.ts';
import { clip, unseen } from './append-job.ts';
import type { AppendJob, Appended, ReadEvent, Recipient, Stretch, Telling } from './append-job.ts';
import { entryColumns, entryValues, offsetCount } from './log-entry.ts';
import type { LogEvent } from './log-entry.ts';

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

type ToldRow = Pick<ReadEvent, 'conversationId' | 'userId' | 'readSeq'>;

interface HeadRow {
  readonly userId: bigint;
  readonly epoch: bigint;
  lastOffset: bigint;
  trimmedOffset: bigint;
  readonly lastSeenAtMs: bigint;
}

/** Keys of one SELECT. */
const keysPerStatement = 500;

/** One transaction for many jobs, in their order. */
export async function appendJobs(
  shard: Shard,
  jobs: readonly AppendJob[],
  deps: AppendDeps,
): Promise<Settled<Decided>[]> {
  const outcomes = await shard.sql.transaction(async (tx) => {
    const append = new Append(shard.sql, jobs, deps);
    await append.load(tx);
    const decided = jobs.map((job) => append.decide(job));
    await tx.pipeline(append.statements());
    deps.failpoints.reach('during-fan-out');
    return decided;
  });
  deps.failpoints.reach('after-append');
  outcomes.forEach(({ appended }, index) => {
    const job = jobs[index];
    if (job) deps.deliver(appended, job.telling);
  });
  return outcomes.map((result) => ({ kind: 'done', result }));
}

/** The state of one append transaction: heads and guards as loaded, moved on in memory, written at the end. */
class Append {
  readonly #sql: Sql;
  readonly #jobs: readonly AppendJob[];
  readonly #deps: AppendDeps;
  readonly #heads = new Map<bigint, HeadRow>();
  readonly #dormant = new Set<bigint>();
  readonly #watermarks = new Map<bigint, { next: number; members: number }>();
  readonly #told = new Map<string, number>();
  readonly #touched = {
    heads: new Set<HeadRow>(),
    watermarks: new Set<bigint>(),
    told: new Set<ReadEvent>(),
  };
  readonly #entries: SqlValue[][] = [];

  constructor(sql: Sql, jobs: readonly AppendJob[], deps: AppendDeps) {
    this.#sql = sql;
    this.#jobs = jobs;
    this.#deps = deps;
  }

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
      this.#loadWatermarks(tx, [...conversationIds]),
      this.#loadTold(tx, reads),
      this.#loadHeads(tx, [...userIds]),
    ]);
  }

  decide(job: AppendJob): Decided {
    if (job.kind === 'read') return this.#decideRead(job);
    const appended: Appended[] = [];
    for (const stretch of job.stretches) this.#decideStretch(stretch, appended);
    return { appended, isStale: false };
  }

  statements(): Statement[] {
    const { dialect } = this.#sql;
    const heads = [...this.#touched.heads];
    const deletions = this.#deletions(heads);
    const headSet = ['lastOffset', 'trimmedOffset'].map(
      (column) => `${column} = ${dialect.incoming(column)}`,
    );
    const watermarks = [...this.#touched.watermarks].map((id) => {
      const mark = this.#watermarks.get(id);
      return [id, mark?.next ?? 0, mark?.members ?? 0];
    });
    const watermarkSet = ['nextEventNo', 'membersEventNo'].map(
      (column) => `${column} = ${dialect.incoming(column)}`,
    );
    const told = [...this.#touched.told].map((event) => [
      event.conversationId,
      event.userId,
      event.readSeq,
    ]);
    return [
      ...insertRows('InboxEntry', entryColumns, this.#entries),
      ...insertRows(
        'InboxHead',
        ['userId', 'epoch', 'lastOffset', 'trimmedOffset', 'lastSeenAtMs'],
        heads.map((head) => [
          head.userId,
          head.epoch,
          head.lastOffset,
          head.trimmedOffset,
          head.lastSeenAtMs,
        ]),
        dialect.upsert(['userId'], headSet.join(', ')),
      ),
      ...insertRows(
        'Watermark',
        ['conversationId', 'nextEventNo', 'membersEventNo'],
        watermarks,
        dialect.upsert(['conversationId'], watermarkSet.join(', ')),
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
      ...deletions,
    ];
  }

  #decideStretch(stretch: Stretch, appended: Appended[]): void {
    const { conversationId, nextEventNo, atMs } = stretch;
    const mark = this.#watermarks.get(conversationId) ?? { next: 0, members: 0 };
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
      this.#watermarks.set(conversationId, { next: nextEventNo, members });
      this.#touched.watermarks.add(conversationId);
    }
  }

  #decideRead(job: Extract<AppendJob, { kind: 'read' }>): Decided {
    const { event } = job;
    const appended: Appended[] = [];
    // Somebody whom this list names may have been told that they are no member any more: nothing may follow that.
    const mark = this.#watermarks.get(event.conversationId);
    if (mark && mark.members > job.membersEventNo) return { appended, isStale: true };
    const key = toldKey(event);
    if ((this.#told.get(key) ?? -1) >= event.readSeq) return { appended, isStale: false };
    for (const recipient of job.recipients) {
      // Whose joining is not told yet will be shown the read with it.
      const isTheirs = recipient.joinedEventNo < (mark?.next ?? 0);
      if (isTheirs) this.#put(recipient, event, job.atMs, appended);
    }
    this.#told.set(key, event.readSeq);
    this.#touched.told.add(event);
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
    head.lastOffset += BigInt(offsetCount(event));
    const entry = { event, lastOffset: head.lastOffset, atMs };
    this.#entries.push(entryValues(userId, entry));
    this.#touched.heads.add(head);
    appended.push({ userId, joinedSeq, epoch: head.epoch, entry });
  }

  /** Trims logs that have grown a quarter beyond what is kept, and drops those that nobody reads any more. */
  #deletions(heads: readonly HeadRow[]): Statement[] {
    const kept = BigInt(this.#deps.limits.inboxLogEventsKept);
    const statements: Statement[] = [];
    for (const head of heads) {
      if (head.lastOffset - head.trimmedOffset <= kept + kept / 4n) continue;
      head.trimmedOffset = head.lastOffset - kept;
      statements.push({
        text: 'DELETE FROM InboxEntry WHERE userId = ? AND lastOffset <= ?',
        params: [head.userId, head.trimmedOffset],
      });
    }
    for (const table of this.#dormant.size > 0 ? ['InboxEntry', 'InboxHead'] : []) {
      for (const page of chunks([...this.#dormant], keysPerStatement)) {
        const text = `DELETE FROM ${table} WHERE userId IN (${marks(page.length)})`;
        statements.push({ text, params: page });
      }
    }
    return statements;
  }

  async #loadHeads(tx: SqlTransaction, userIds: readonly bigint[]): Promise<void> {
    const { inboxLogAgeMaxMs, inboxTouchMs } = this.#deps.limits;
    // Who reads says so now and then: the cursor they keep may be that much younger than what they said last.
    const dormantBefore = BigInt(this.#deps.clock.now() - inboxLogAgeMaxMs - 2 * inboxTouchMs);
    const ordered = [...userIds].sort((a, b) => (a < b ? -1 : 1));
    for (const page of chunks(ordered, keysPerStatement)) {
      const rows = await tx.query<HeadRow>(
        'SELECT userId, epoch, lastOffset, trimmedOffset, lastSeenAtMs FROM InboxHead' +
          ` WHERE userId IN (${marks(page.length)}) ORDER BY userId${this.#sql.dialect.forUpdate}`,
        page,
      );
      for (const row of rows) {
        if (row.lastSeenAtMs < dormantBefore) this.#dormant.add(row.userId);
        else this.#heads.set(row.userId, { ...row });
      }
    }
  }

  async #loadWatermarks(tx: SqlTransaction, ids: readonly bigint[]): Promise<void> {
    for (const page of chunks(ids, keysPerStatement)) {
      const rows = await tx.query<{ id: bigint; next: number; members: number }>(
        'SELECT conversationId AS id, nextEventNo AS next, membersEventNo AS members FROM Watermark' +
          ` WHERE conversationId IN (${marks(page.length)})`,
        page,
      );
      for (const { id, next, members } of rows) this.#watermarks.set(id, { next, members });
    }
  }

  async #loadTold(tx: SqlTransaction, reads: readonly ReadEvent[]): Promise<void> {
    for (const page of chunks(reads, keysPerStatement)) {
      const pairs = pairsOf(page, (event) => [event.conversationId, event.userId]);
      const { text, params } = pairsCondition(['conversationId', 'userId'], pairs);
      const rows = await tx.query<ToldRow>(
        `SELECT conversationId, userId, readSeq FROM ToldRead WHERE ${text}`,
        params,
      );
      for (const row of rows) this.#told.set(toldKey(row), row.readSeq);
    }
  }
}

function toldKey({ conversationId, userId }: { conversationId: bigint; userId: bigint }): string {
  return `${conversationId} ${userId}`;
}
