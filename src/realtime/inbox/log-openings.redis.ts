import { randomBytes } from 'node:crypto';
import type { Cursor } from '../../domain/inbox/inbox.ts';
import { present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Gathered } from '../../lib/gathered.ts';
import type { RedisBuckets } from '../../storage/redis-buckets.ts';
import type { RedisBucket } from '../../storage/redis.ts';
import { decodeEntry } from './entry-text.ts';
import type { Resumed } from './inbox-log.ts';
import { openLogs } from './inbox-scripts.redis.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogHead } from './log-head.ts';

export interface LogOpeningsDeps {
  readonly buckets: RedisBuckets;
  readonly clock: Clock;
  /** How long a log lives without a sign that anybody reads it. */
  readonly livesMs: number;
  readonly limits: {
    readonly inboxTouchMs: number;
    readonly redisOpeningsMax: number;
    readonly gatheredReadsAsksMax: number;
  };
}

type After = Pick<Cursor, 'epoch' | 'offset'> | null;

interface Opening {
  readonly userId: bigint;
  readonly after: After;
}

/**
 * Opens logs, one call for all who ask while another is under way: when a gate dies, thousands come at once, and a call for
 * each costs more than what it does.
 */
export class LogOpenings {
  readonly #deps: LogOpeningsDeps;
  readonly #byBucket = new Map<RedisBucket, Gathered<Opening, Resumed>>();

  constructor(deps: LogOpeningsDeps) {
    this.#deps = deps;
  }

  /** As `InboxLog.resume`; null: no entries are wanted. @throws {Fault} UNAVAILABLE */
  open(userId: bigint, after: After): Promise<Resumed> {
    return this.#of(this.#deps.buckets.of(userId)).ask({ userId, after });
  }

  #of(bucket: RedisBucket): Gathered<Opening, Resumed> {
    const known = this.#byBucket.get(bucket);
    if (known) return known;
    const { limits } = this.#deps;
    const openings = new Gathered<Opening, Resumed>({
      answer: (asks) => this.#openAll(bucket, asks),
      weightOf: () => 1,
      weightMax: limits.redisOpeningsMax,
      apartMs: 0,
      asksMax: limits.gatheredReadsAsksMax,
    });
    this.#byBucket.set(bucket, openings);
    return openings;
  }

  async #openAll(bucket: RedisBucket, asks: readonly Opening[]): Promise<Resumed[]> {
    const { clock, livesMs, limits } = this.#deps;
    const names = randomBytes(8 * asks.length);
    const { answer } = await bucket.runInEpoch(openLogs, [
      ...([clock.now(), livesMs, limits.inboxTouchMs, limits.redisOpeningsMax] as const),
      ...asks.flatMap(({ userId, after }, index) => [
        ...[String(userId), String(names.readBigUInt64BE(8 * index) >> 1n)],
        ...(after ? [String(after.epoch), String(after.offset + 1n)] : ['', '1']),
      ]),
    ]);
    const opened = answer as readonly (readonly [...string[], readonly StreamEntry[]])[];
    return asks.map(({ userId }, index) => {
      const fields = present(opened[index], 'each is answered');
      const entries = fields.at(-1) as readonly StreamEntry[];
      const head = present(headOf(userId, fields), 'an opened log has a head');
      return { head, entries: entries.map(entryOf) };
    });
  }
}

/** An entry of a stream as Redis gives it. */
export type StreamEntry = readonly [id: string, fields: readonly [name: string, text: string]];

export function entryOf([id, [, text]]: StreamEntry): LogEntry {
  return { ...decodeEntry(text), lastOffset: BigInt(id.slice(0, id.indexOf('-'))) };
}

/** From epoch, last offset, trimmed offset, last seen. */
export function headOf(userId: bigint, fields: unknown): LogHead | undefined {
  const [epoch, lastOffset, trimmedOffset, lastSeenAtMs] = fields as readonly (string | null)[];
  if (epoch == null) return undefined;
  return {
    userId,
    epoch: BigInt(epoch),
    lastOffset: BigInt(lastOffset ?? 0),
    trimmedOffset: BigInt(trimmedOffset ?? 0),
    lastSeenAtMs: BigInt(lastSeenAtMs ?? 0),
  };
}
