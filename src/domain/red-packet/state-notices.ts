import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { Rounds } from '../../lib/rounds.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { TimelineWriter } from '../timeline/timeline.ts';

export interface StateNoticesDeps {
  readonly shards: Pick<Shards, 'all'>;
  readonly log: Logger;
  readonly timelines: TimelineWriter;
  readonly coalesceMs: number;
}

interface UntoldRow {
  readonly redPacketId: bigint;
  readonly conversationId: bigint;
  readonly seq: number;
  readonly version: number;
}

/**
 * Tells the states of packets, as changes of their messages: at most once a second for each, and always the last one. What is
 * still to be told are rows of the conversation's shard; the commit that tells one deletes it, where nothing came since.
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
        const told = await Promise.allSettled(rows.map((row) => this.#tell(row)));
        for (const one of told) {
          if (one.status === 'fulfilled') continue;
          isLeft = true;
          this.#deps.log.warn({ err: one.reason as unknown }, 'red_packet.tell_failed');
        }
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

  async #tell({ redPacketId, conversationId, seq, version }: UntoldRow): Promise<void> {
    await this.#deps.timelines.submit({
      kind: 'tellRedPacket',
      conversationId,
      seq,
      redPacketId,
      beside: [
        {
          text: 'DELETE FROM UntoldRedPacket WHERE redPacketId = ? AND version <= ?',
          params: [redPacketId, version],
        },
      ],
    });
  }
}

function untoldAfter({ sql }: Shard, afterId: bigint, rowsMax: number): Promise<UntoldRow[]> {
  return sql.query<UntoldRow>(
    'SELECT redPacketId, conversationId, seq, version FROM UntoldRedPacket' +
      ' WHERE redPacketId > ? ORDER BY redPacketId LIMIT ?',
    [afterId, rowsMax],
  );
}
