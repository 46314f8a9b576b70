import type { Clock } from '../lib/clock.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import { Rounds } from '../lib/rounds.ts';
import type { Shard, Shards } from './shards.ts';

export interface UntoldRoundsDeps<Row> {
  readonly shards: Pick<Shards, 'all'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the log calls a round in which something could not be told. */
  readonly failure: string;
  readonly rowsMax: number;
  /** The next rows in the order of their keys. @param after the last row of the page before; null: from the first on. */
  readonly read: (shard: Shard, after: Row | null, rowsMax: number) => Promise<Row[]>;
  /**
   * Tells the rows of a page and deletes those that are told. Answers whether some must be told in another round; rejects
   * where some could not be told, once it is done with all that could.
   * @param beganMs when the round began, by the clock: what is told by it is as far apart as rounds are.
   */
  readonly tell: (shard: Shard, rows: readonly Row[], beganMs: number) => Promise<boolean>;
  /** How far apart the beginnings of two rounds of a shard are at least, in ms. */
  readonly apartMs: number;
  /** How long after a round that left something the next one begins, in ms. */
  readonly againMs: number;
  /** How often each shard is looked at by itself, in ms: a commit whose answer was lost wakes nobody. */
  readonly pollMs: number;
}

/**
 * Tells what the rows of a table say is still to be told, on each shard: page by page, a round at a time. What cannot be told stays for
 * another round, and holds up none of the pages behind it.
 */
export class UntoldRounds<Row> implements Lifecycle {
  readonly #deps: UntoldRoundsDeps<Row>;
  readonly #rounds: Rounds<number>;

  constructor(deps: UntoldRoundsDeps<Row>) {
    this.#deps = deps;
    this.#rounds = new Rounds({
      keys: () => deps.shards.all.map(({ index }) => index),
      run: (index) => this.#tellAll(index),
      apartMs: deps.apartMs,
      againMs: deps.againMs,
      pollMs: deps.pollMs,
    });
  }

  /** Begins with what an earlier run left untold. */
  start(): Promise<void> {
    return this.#rounds.start();
  }

  /** What is untold yet stays in its table for the next start. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Says that rows of a shard were committed. */
  wake(shardIndex: number): void {
    this.#rounds.wake(shardIndex);
  }

  async #tellAll(index: number): Promise<boolean> {
    const { shards, clock, rowsMax, read, tell, log, failure } = this.#deps;
    const shard = shards.all[index];
    if (!shard) return false;
    const beganMs = clock.now();
    const failures: unknown[] = [];
    let isMoreLeft = false;
    try {
      let after: Row | null = null;
      while (!this.#rounds.isStopped) {
        const rows: Row[] = await read(shard, after, rowsMax);
        if (rows.length === 0) break;
        try {
          isMoreLeft = (await tell(shard, rows, beganMs)) || isMoreLeft;
        } catch (error) {
          failures.push(error);
        }
        if (rows.length < rowsMax) break;
        after = rows.at(-1) ?? null;
      }
    } catch (error) {
      failures.push(error);
    }
    const [err] = failures;
    if (err !== undefined) log.warn({ err, shard: index }, failure);
    return isMoreLeft || failures.length > 0;
  }
}
