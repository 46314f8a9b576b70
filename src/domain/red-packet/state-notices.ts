import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
import { UntoldRounds } from '../../storage/untold-rounds.ts';
import type { TimelineWriter } from '../timeline/timeline.ts';

export interface StateNoticesDeps {
  readonly shards: Pick<Shards, 'all'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timelines: TimelineWriter;
  readonly coalesceMs: number;
}

interface UntoldRow {
  readonly redPacketId: bigint;
  readonly conversationId: bigint;
  readonly seq: number;
  readonly version: number;
  readonly toldVersion: number;
  readonly toldAtMs: bigint;
}

/**
 * Tells the states of packets, as changes of their messages: at most once a second for each, and always the last one, whatever
 * the number of nodes. What is still to be told are rows of the conversation's shard. A node takes one upon itself by its time
 * before it tells it, and nobody else does within that second; the commit that tells it says which state that was; and a second
 * later the row is deleted, where nothing came since.
 */
export class StateNotices implements Lifecycle {
  readonly #deps: StateNoticesDeps;
  readonly #rounds: UntoldRounds<UntoldRow>;

  constructor(deps: StateNoticesDeps) {
    this.#deps = deps;
    this.#rounds = new UntoldRounds({
      shards: deps.shards,
      clock: deps.clock,
      log: deps.log,
      failure: 'red_packet.tell_failed',
      rowsMax: limits.redPacketNoticesBatchMax,
      read: untoldAfter,
      tell: (shard, rows) => this.#tellAll(shard, rows),
      apartMs: deps.coalesceMs,
      againMs: deps.coalesceMs,
      pollMs: limits.moneyNoticesPollMs,
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Says that states of a shard's packets were committed. */
  wake(shardIndex: number): void {
    this.#rounds.wake(shardIndex);
  }

  /** What is told now is forgotten a second later, so every row asks for another round. */
  async #tellAll(shard: Shard, rows: readonly UntoldRow[]): Promise<boolean> {
    const nowMs = this.#deps.clock.now();
    const due = rows.filter(({ toldAtMs }) => this.#isOver(Number(toldAtMs), nowMs));
    const isTold = ({ version, toldVersion }: UntoldRow): boolean => version <= toldVersion;
    const untold = due.filter((row) => !isTold(row));
    const taken = await this.#take(shard, untold, nowMs);
    const outcomes = await Promise.allSettled(taken.map((row) => this.#tell(row)));
    await forget(shard, due.filter(isTold));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return true;
  }

  /** Whether the second after somebody told is over; a time to come was another clock's, and counts for nothing. */
  #isOver(toldAtMs: number, nowMs: number): boolean {
    return toldAtMs <= nowMs - this.#deps.coalesceMs || toldAtMs > nowMs;
  }

  /** @returns those that no other node has taken meanwhile. */
  async #take(
    { sql }: Shard,
    rows: readonly UntoldRow[],
    nowMs: number,
  ): Promise<readonly UntoldRow[]> {
    if (rows.length === 0) return rows;
    const text = 'UPDATE UntoldRedPacket SET toldAtMs = ? WHERE redPacketId = ? AND toldAtMs = ?';
    const results = await sql.transaction((tx) =>
      tx.finish(
        rows.map(({ redPacketId, toldAtMs }) => ({ text, params: [nowMs, redPacketId, toldAtMs] })),
      ),
    );
    return rows.filter((_row, index) => results[index]?.affectedRows === 1);
  }

  async #tell({ redPacketId, conversationId, seq, version }: UntoldRow): Promise<void> {
    await this.#deps.timelines.submit({
      kind: 'tellRedPacket',
      conversationId,
      seq,
      redPacketId,
      beside: [
        {
          text: 'UPDATE UntoldRedPacket SET toldVersion = ? WHERE redPacketId = ? AND toldVersion < ?',
          params: [version, redPacketId, version],
        },
      ],
    });
  }
}

/** Forgets what was told, where nothing came since. */
async function forget({ sql }: Shard, rows: readonly UntoldRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.execute(
    'DELETE FROM UntoldRedPacket WHERE version <= toldVersion' +
      ` AND redPacketId IN (${marks(rows.length)})`,
    rows.map(({ redPacketId }) => redPacketId),
  );
}

function untoldAfter(
  { sql }: Shard,
  after: UntoldRow | null,
  rowsMax: number,
): Promise<UntoldRow[]> {
  return sql.query<UntoldRow>(
    'SELECT redPacketId, conversationId, seq, version, toldVersion, toldAtMs FROM UntoldRedPacket' +
      ' WHERE redPacketId > ? ORDER BY redPacketId LIMIT ?',
    [after?.redPacketId ?? 0n, rowsMax],
  );
}
