import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { Statement } from '../../storage/sql.ts';
import { arrivals, underway, type Transfer } from '../transfer/transfer.ts';

export interface RelayDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  /**
   * Takes a transfer to where it goes, as often as it is asked: the second time changes nothing. Answers what is to be noted at its
   * source.
   */
  readonly deliver: (transfer: Transfer) => Promise<readonly Statement[]>;
  readonly limits?: Partial<
    Pick<typeof limits, 'arrivalsFlushMs' | 'transfersPollMs' | 'relayAgeMs'>
  >;
}

/** What is to be noted of a shard's transfers. */
interface Arrived {
  ids: bigint[];
  statements: Statement[];
}

/**
 * Sees to transfers until they have arrived: at once to those that this node has sent, and now and then to those that nobody seems to see
 * to, an earlier run's before all. What has arrived is noted in one transaction for many; where that is lost, it is delivered again,
 * which changes nothing.
 */
export class Relay implements Lifecycle {
  readonly #deps: RelayDeps;
  readonly #limits: Pick<typeof limits, 'arrivalsFlushMs' | 'transfersPollMs' | 'relayAgeMs'>;
  /** Those that are being seen to, or have arrived and are to be noted. */
  readonly #underway = new Map<bigint, Promise<void>>();
  readonly #arrived = new Map<Shard, Arrived>();
  #timers: NodeJS.Timeout[] = [];
  #polling: Promise<void> | null = null;
  #flushing: Promise<void> | null = null;
  #isStopped = false;

  constructor(deps: RelayDeps) {
    this.#deps = deps;
    this.#limits = { ...limits, ...deps.limits };
  }

  /** Begins with what an earlier run left. */
  start(): Promise<void> {
    this.#poll(0);
    const poll = (): void => this.#poll(this.#limits.relayAgeMs);
    this.#timers = [
      setInterval(poll, this.#limits.transfersPollMs),
      setInterval(() => void this.#flush(), this.#limits.arrivalsFlushMs),
    ];
    return Promise.resolve();
  }

  /** What has not arrived yet stays in its table for the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#polling;
    await Promise.allSettled(this.#underway.values());
    await this.#flush();
  }

  /**
   * Ends when the transfer has arrived. Rejects where that did not work: it is tried again by itself.
   * @param deliver by whom it is being delivered already.
   */
  seeTo(
    transfer: Transfer,
    deliver: () => Promise<readonly Statement[]> = () => this.#deps.deliver(transfer),
  ): Promise<void> {
    const known = this.#underway.get(transfer.id);
    if (known) return known;
    if (this.#isStopped || this.#underway.size >= limits.transfersUnderwayMax) {
      return Promise.reject(new Fault('UNAVAILABLE', 'Too much money is on its way.'));
    }
    const seeing = this.#deliver(transfer, deliver);
    this.#underway.set(transfer.id, seeing);
    seeing.catch((error: unknown) => {
      this.#underway.delete(transfer.id);
      this.#deps.log.warn({ err: error, transferId: String(transfer.id) }, 'transfer.late');
    });
    return seeing;
  }

  /** As `seeTo`, of one that this node is seeing to; else undefined. */
  arrivalOf(id: bigint): Promise<void> | undefined {
    return this.#underway.get(id);
  }

  async #deliver(transfer: Transfer, deliver: () => Promise<readonly Statement[]>): Promise<void> {
    const statements = await deliver();
    const shard = this.#deps.shards.of(transfer.id);
    const arrived = this.#arrived.get(shard) ?? { ids: [], statements: [] };
    arrived.ids.push(transfer.id);
    arrived.statements.push(...statements);
    this.#arrived.set(shard, arrived);
  }

  /** Sees to those that were sent so long ago that whoever sent them cannot be about it any more. */
  #poll(ageMs: number): void {
    this.#polling ??= Promise.all(this.#deps.shards.all.map((shard) => this.#find(shard, ageMs)))
      .then(() => undefined)
      .finally(() => {
        this.#polling = null;
      });
  }

  async #find(shard: Shard, ageMs: number): Promise<void> {
    const { clock, log } = this.#deps;
    const nowMs = clock.now();
    const rowsMax = limits.transfersPageMax;
    try {
      let afterId = 0n;
      while (!this.#isStopped) {
        const found = await underway(shard.sql, { afterId, nowMs, ageMs, rowsMax });
        // What one place does not take must not hold up what goes to others.
        await Promise.allSettled(found.map((transfer) => this.seeTo(transfer)));
        const last = found.at(-1);
        if (!last || found.length < rowsMax) break;
        afterId = last.id;
      }
    } catch (error) {
      log.warn({ err: error, shard: shard.index }, 'transfers.poll_failed');
    }
  }

  #flush(): Promise<void> {
    this.#flushing ??= this.#note().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #note(): Promise<void> {
    const { failpoints, log } = this.#deps;
    const notes = [...this.#arrived];
    this.#arrived.clear();
    const noting = notes.map(async ([shard, { ids, statements }]) => {
      try {
        failpoints.reach('before-arrival-noted');
        await shard.sql.transaction((tx) => tx.finish([...statements, ...arrivals(ids)]));
      } catch (error) {
        log.warn({ err: error, shard: shard.index }, 'transfers.note_failed');
      }
      // From here on it is not known here; where the note failed, it is found and delivered again.
      for (const id of ids) this.#underway.delete(id);
    });
    await Promise.all(noting);
  }
}
