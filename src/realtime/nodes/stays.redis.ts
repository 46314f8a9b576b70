import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { chunks } from '../../lib/chunks.ts';
import type { RedisBuckets } from '../../storage/redis-buckets.ts';
import type { RedisBucket } from '../../storage/redis.ts';
import { gatesKey, leaseScript, moveScript, staysKey, sweepScript } from './stays.lua.ts';
import { idOf, type Stay } from './stays.ts';

export interface StaysDeps {
  readonly buckets: RedisBuckets;
  /** This gate's name, in this life. */
  readonly gate: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: { readonly gateLeaseMs: number; readonly gateReportMs: number };
}

const staysPerCall = 250;
const keys = [staysKey, gatesKey] as const;

/**
 * Who is at which gate, on the Redis of each bucket of users: this gate says who is here, under a lease, and may ask who is
 * anywhere. Where Redis forgot it, or this gate's lease had ended, it says all again; the stays of a gate whose lease has
 * ended any other one forgets.
 */
export class Stays implements Lifecycle {
  readonly #deps: StaysDeps;
  readonly #byBucket: ReadonlyMap<RedisBucket, BucketStays>;
  readonly #onSaidAgain = new Set<(bucket: RedisBucket) => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: StaysDeps) {
    this.#deps = deps;
    this.#byBucket = new Map(
      deps.buckets.all.map((bucket) => {
        const tell = (): void => {
          for (const listener of this.#onSaidAgain) listener(bucket);
        };
        return [bucket, new BucketStays(bucket, deps, tell)];
      }),
    );
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#report(), this.#deps.limits.gateReportMs);
    await Promise.all([...this.#byBucket.values()].map((stays) => stays.report()));
  }

  /** What is here stays known until the lease ends: who comes to another gate meanwhile was never gone. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#byBucket.values()].map((stays) => stays.stop()));
  }

  /**
   * Says that somebody is here, or not any more. Resolves when Redis knows; what rejects is said again by itself.
   * @param atMs when it was.
   */
  set(stay: Stay, isHere: boolean, atMs: number): Promise<void> {
    return this.#of(stay).set(stay, isHere, atMs);
  }

  /** Which of them are at any gate. Rejects with a Fault UNAVAILABLE where Redis does not answer. */
  async anywhere(stays: readonly Stay[]): Promise<ReadonlySet<Stay>> {
    const byBucket = new Map<RedisBucket, Stay[]>();
    for (const stay of stays) {
      const bucket = this.#deps.buckets.of(idOf(stay));
      byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), stay]);
    }
    const found = await Promise.all(
      [...byBucket].map(async ([bucket, asked]) => {
        const answer = (await bucket.call('HMGET', staysKey, ...asked)) as readonly unknown[];
        return asked.filter((_, index) => answer[index] != null);
      }),
    );
    return new Set(found.flat());
  }

  /** Told when all that is here was said again, since it may have been forgotten: what happened meanwhile nobody was told. */
  onSaidAgain(listener: (bucket: RedisBucket) => void): void {
    this.#onSaidAgain.add(listener);
  }

  #of(stay: Stay): BucketStays {
    const bucket = this.#deps.buckets.of(idOf(stay));
    const stays = this.#byBucket.get(bucket);
    if (!stays) throw new Error('a bucket has stays');
    return stays;
  }

  #report(): void {
    for (const stays of this.#byBucket.values()) void stays.report();
  }
}

interface Said {
  readonly isHere: boolean;
  readonly atMs: number;
}

/** What is here of one bucket, and what of it Redis does not know yet. One call at a time, so that the last word counts. */
class BucketStays {
  readonly #bucket: RedisBucket;
  readonly #deps: StaysDeps;
  readonly #onSaidAgain: () => void;
  readonly #here = new Map<Stay, number>();
  #unsaid = new Map<Stay, Said>();
  #next: Promise<void> | null = null;
  #saying: Promise<void> = Promise.resolve();
  #owesAll = false;
  #reporting: Promise<void> | null = null;
  #isStopped = false;

  constructor(bucket: RedisBucket, deps: StaysDeps, onSaidAgain: () => void) {
    this.#bucket = bucket;
    this.#deps = deps;
    this.#onSaidAgain = onSaidAgain;
    bucket.onUp(() => {
      this.#owesAll = true;
      void this.report();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reporting;
    await this.#saying.catch(() => undefined);
  }

  set(stay: Stay, isHere: boolean, atMs: number): Promise<void> {
    if (isHere) this.#here.set(stay, atMs);
    else this.#here.delete(stay);
    this.#unsaid.set(stay, { isHere, atMs });
    return this.#say();
  }

  /** Renews the lease, says what is still unsaid, and sweeps the gates that are dead. Never rejects. */
  report(): Promise<void> {
    this.#reporting ??= this.#tryReport()
      .catch((err: unknown) => {
        if (this.#bucket.isUp) this.#deps.log.warn({ err }, 'stays.report_failed');
      })
      .finally(() => {
        this.#reporting = null;
      });
    return this.#reporting;
  }

  async #tryReport(): Promise<void> {
    if (this.#isStopped || !this.#bucket.isUp) return;
    const { gate, limits } = this.#deps;
    const answer = await this.#bucket.run(leaseScript, keys, [gate, limits.gateLeaseMs]);
    const [wasKnown, dead] = answer as readonly [number, readonly string[]];
    if (wasKnown === 0) this.#owesAll = true;
    if (this.#owesAll) {
      this.#owesAll = false;
      for (const [stay, atMs] of this.#here) this.#unsaid.set(stay, { isHere: true, atMs });
      await this.#say().catch((error: unknown) => {
        this.#owesAll = true;
        throw error;
      });
      this.#onSaidAgain();
    } else if (this.#unsaid.size > 0) {
      await this.#say();
    }
    for (const name of dead) if (name !== gate) await this.#sweep(name);
  }

  async #sweep(gate: string): Promise<void> {
    let taken = staysPerCall;
    while (taken === staysPerCall && !this.#isStopped) {
      taken = Number(await this.#bucket.run(sweepScript, keys, [gate, staysPerCall]));
    }
    this.#deps.log.info({ gate }, 'stays.swept');
  }

  /** Those who ask while a call is under way share the next one. */
  #say(): Promise<void> {
    this.#next ??= this.#saying
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        this.#saying = this.#sayAll();
        return this.#saying;
      });
    return this.#next;
  }

  async #sayAll(): Promise<void> {
    const unsaid = this.#unsaid;
    this.#unsaid = new Map();
    try {
      for (const part of chunks([...unsaid], staysPerCall)) {
        const args = part.flatMap(([stay, { isHere, atMs }]) => [stay, isHere ? '1' : '0', atMs]);
        await this.#bucket.run(moveScript, keys, [this.#deps.gate, ...args]);
        for (const [stay] of part) unsaid.delete(stay);
      }
    } catch (error) {
      // What was said later counts.
      this.#unsaid = new Map([...unsaid, ...this.#unsaid]);
      throw error;
    }
  }
}
