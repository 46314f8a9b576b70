import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { Rounds } from '../../lib/rounds.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
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
  readonly #rounds: Rounds<number>;

  constructor(deps: StateNoticesDeps) {
    this.#deps = deps;
    this.#rounds = new Rounds({
      keys: () => deps.shards.all.map(({ index }) => index),
      run: (index) => this.#tellAll(index),
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

  async #tellAll(index: number): Promise<boolean> {
    const shard = this.#deps.shards.all[index];
    if (!shard) return false;
    const rowsMax = limits.redPacketNoticesBatchMax;
    let isLeft = false;
    try {
      let afterId = 0n;
      while (!this.#rounds.isStopped) {
        const rows = await untoldAfter(shard, afterId, rowsMax);
        isLeft ||= rows.length > 0;
        const nowMs = this.#deps.clock.now();
        const due = rows.filter(({ toldAtMs }) => this.#isOver(Number(toldAtMs), nowMs));
        const taken = await this.#take(
          shard,
          due.filter(({ version, toldVersion }) => version > toldVersion),
          nowMs,
        );
        const told = await Promise.allSettled(taken.map((row) => this.#tell(row)));
        for (const one of told) {
          if (one.status === 'fulfilled') continue;
          this.#deps.log.warn({ err: one.reason as unknown }, 'red_packet.tell_failed');
        }
        await forget(
          shard,
          due.filter(({ version, toldVersion }) => version <= toldVersion),
        );
        const last = rows.at(-1);
        if (!last || rows.length < rowsMax) break;
        afterId = last.redPacketId;
      }
      return isLeft;
    } catch (error) {
      this.#deps.log.warn({ err: error, shard: index }, 'red_packet.tell_failed');
      return true;
    }
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

function untoldAfter({ sql }: Shard, afterId: bigint, rowsMax: number): Promise<UntoldRow[]> {
  return sql.query<UntoldRow>(
    'SELECT redPacketId, conversationId, seq, version, toldVersion, toldAtMs FROM UntoldRedPacket' +
      ' WHERE redPacketId > ? ORDER BY redPacketId LIMIT ?',
    [afterId, rowsMax],
  );
}
