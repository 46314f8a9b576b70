import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { openCode } from './packet-rows.ts';

export interface ExpiryDeps {
  readonly shards: Pick<Shards, 'all'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Closes a packet whose time is over, once, whoever asks. */
  readonly expire: (redPacketId: bigint) => Promise<void>;
  readonly pollMs: number;
}

/** Looks for packets whose time is over; several nodes may do so at once. */
export class Expiry implements Lifecycle {
  readonly #deps: ExpiryDeps;
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> | null = null;
  #isStopped = false;

  constructor(deps: ExpiryDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    this.#sweep();
    this.#timer = setInterval(() => this.#sweep(), this.#deps.pollMs);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#sweeping;
  }

  #sweep(): void {
    this.#sweeping ??= Promise.all(this.#deps.shards.all.map((shard) => this.#sweepShard(shard)))
      .then(() => undefined)
      .finally(() => {
        this.#sweeping = null;
      });
  }

  async #sweepShard(shard: Shard): Promise<void> {
    const { clock, log, expire } = this.#deps;
    try {
      for (let found = limits.expiriesPageMax; found === limits.expiriesPageMax;) {
        if (this.#isStopped) return;
        const due = await shard.sql.query<{ id: bigint }>(
          'SELECT id FROM RedPacket WHERE state = ? AND expiresAtMs <= ? ORDER BY expiresAtMs LIMIT ?',
          [openCode, clock.now(), limits.expiriesPageMax],
        );
        await Promise.all(due.map(({ id }) => expire(id)));
        found = due.length;
      }
    } catch (error) {
      log.warn({ err: error, shard: shard.index }, 'red_packet.expiry_failed');
    }
  }
}
