import type { Clock } from '../../lib/clock.ts';
import { present } from '../../lib/assert.ts';
import { limits } from '../../limits.ts';
import { GroupCommit, type Settled } from '../../storage/group-commit.ts';
import { keyTable, type ShardMap } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';
import { rowMarks, type SqlReader, type SqlTransaction } from '../../storage/sql.ts';
import { noSuchConversation } from '../conversation/conversation.ts';
import { columnsOf, memberColumns, memberOf } from '../timeline/timeline.ts';
import type { Member, MemberRow } from '../timeline/timeline.ts';

/** Somebody has seen everything up to a seq. */
export interface Read {
  readonly conversationId: bigint;
  readonly userId: bigint;
  readonly seq: number;
}

export interface ReadWriterDeps {
  readonly shards: ShardMap;
  readonly clock: Clock;
  readonly onReadsCommitted: (shardIndex: number) => void;
}

interface Present {
  readonly member: Member;
  readonly lastSeq: number;
}

/** A member row whose readSeq is to rise. */
interface Rise {
  readonly member: Member;
  readonly readSeq: number;
}

/**
 * Raises read positions, all that arrive together in one transaction of their shard. No head is
 * locked: reads have no order beside what happens in a conversation. A position only rises, and a
 * row is only ever updated, so a member who was removed meanwhile does not come back. What truly
 * rose stands in `UntoldRead` by the same commit.
 */
export class ReadWriter {
  readonly #deps: ReadWriterDeps;
  readonly #byShard = new Map<number, GroupCommit<Read, Member>>();

  constructor(deps: ReadWriterDeps) {
    this.#deps = deps;
  }

  /**
   * @returns the member as they are after the commit.
   * @throws {Fault} NOT_FOUND; UNAVAILABLE
   */
  submit(read: Read): Promise<Member> {
    const shard = this.#deps.shards.of(read.conversationId);
    let writer = this.#byShard.get(shard.index);
    if (!writer) {
      writer = new GroupCommit<Read, Member>({
        run: (reads) => this.#run(shard, reads),
        keyOf,
        batchMax: limits.readsBatchMax,
        queueMax: limits.readsQueueMax,
        deferMaxMs: 0,
      });
      this.#byShard.set(shard.index, writer);
    }
    return writer.submit(read);
  }

  /** Waits for what is queued, at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#byShard.values()].map((writer) => writer.stop(graceMs)));
  }

  async #run(shard: Shard, reads: readonly Read[]): Promise<Settled<Member>[]> {
    const furthest = furthestOf(reads);
    const before = await presentMembers(shard.sql, [...furthest.values()]);
    const rises = [...furthest].flatMap(([key, { seq }]): Rise[] => {
      const found = before.get(key);
      if (!found) return [];
      const readSeq = Math.min(seq, found.lastSeq);
      return readSeq > found.member.readSeq ? [{ member: found.member, readSeq }] : [];
    });
    const after = new Map([...before].map(([key, { member }]) => [key, member]));
    if (rises.length > 0) {
      const nowMs = this.#deps.clock.now();
      const risen = await shard.sql.transaction((tx) => raise(shard, tx, rises, nowMs));
      for (const [key, member] of risen.members) {
        if (member) after.set(key, member);
        else after.delete(key);
      }
      if (risen.count > 0) this.#deps.onReadsCommitted(shard.index);
    }
    return reads.map((read): Settled<Member> => {
      const member = after.get(keyOf(read));
      return member
        ? { kind: 'done', result: member }
        : { kind: 'refused', fault: noSuchConversation() };
    });
  }
}

/**
 * Of several reads of one member only the furthest counts; in the order of keys, so that batches
 * seldom deadlock.
 */
function furthestOf(reads: readonly Read[]): Map<string, Read> {
  const furthest = new Map<string, Read>();
  for (const read of reads) {
    const other = furthest.get(keyOf(read));
    if (!other || other.seq < read.seq) furthest.set(keyOf(read), read);
  }
  return new Map(
    [...furthest].sort(
      ([, a], [, b]) => compare(a.conversationId, b.conversationId) || compare(a.userId, b.userId),
    ),
  );
}

async function presentMembers(
  sql: SqlReader,
  reads: readonly Pick<Read, 'conversationId' | 'userId'>[],
): Promise<Map<string, Present>> {
  const rows = await sql.query<MemberRow & { headLastSeq: number }>(
    `SELECT ${columnsOf('m', memberColumns)}, c.lastSeq AS headLastSeq
     FROM ${keyTable('k', ['conversationId', 'userId'], reads.length)}
     JOIN Member m ON m.conversationId = k.conversationId AND m.userId = k.userId AND m.isListed = 1
     JOIN Conversation c ON c.id = k.conversationId`,
    reads.flatMap((read) => [read.conversationId, read.userId]),
  );
  return new Map(
    rows.map((row) => [keyOf(row), { member: memberOf(row), lastSeq: row.headLastSeq }]),
  );
}

/**
 * Updates what is still lower, notes what rose, and reads again what did not: raised further,
 * removed, or back anew.
 */
async function raise(
  shard: Shard,
  tx: SqlTransaction,
  rises: readonly Rise[],
  nowMs: number,
): Promise<{ members: Map<string, Member | null>; count: number }> {
  // Of one who came back anew meanwhile the position is that before their joining, and so no lower.
  const results = await tx.pipeline(
    rises.map(({ member, readSeq }) => ({
      text: 'UPDATE Member SET readSeq = ? WHERE conversationId = ? AND userId = ? AND readSeq < ?',
      params: [readSeq, member.conversationId, member.userId, readSeq],
    })),
  );
  const hasRisen = rises.map(
    (_, index) => present(results[index], 'a result a statement').affectedRows > 0,
  );
  const risen = rises.filter((_, index) => hasRisen[index]);
  const others = rises.filter((_, index) => !hasRisen[index]).map(({ member }) => member);
  const members = new Map<string, Member | null>(
    risen.map(({ member, readSeq }) => [keyOf(member), { ...member, readSeq }]),
  );
  const [, now] = await Promise.all([
    risen.length > 0 ? noteUntold(shard, tx, risen, nowMs) : null,
    others.length > 0 ? presentMembers(tx, others) : new Map<string, Present>(),
  ]);
  for (const other of others) members.set(keyOf(other), now.get(keyOf(other))?.member ?? null);
  return { members, count: risen.length };
}

async function noteUntold(
  { sql: { dialect } }: Shard,
  tx: SqlTransaction,
  risen: readonly Rise[],
  nowMs: number,
): Promise<void> {
  const newest = dialect.greatest('UntoldRead.readSeq', dialect.incoming('readSeq'));
  await tx.execute(
    `INSERT INTO UntoldRead (conversationId, userId, readSeq, atMs) VALUES ${rowMarks(risen.length, 4)}${dialect.upsert(
      ['conversationId', 'userId'],
      `readSeq = ${newest}, atMs = ${dialect.incoming('atMs')}`,
    )}`,
    risen.flatMap(({ member, readSeq }) => [member.conversationId, member.userId, readSeq, nowMs]),
  );
}

function keyOf({ conversationId, userId }: { conversationId: bigint; userId: bigint }): string {
  return `${conversationId} ${userId}`;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
