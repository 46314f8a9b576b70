import type { Clock } from '../lib/clock.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import { chunks } from '../storage/per-shard.ts';
import type { RedisBucket, RedisBuckets } from '../storage/redis.ts';
import { gatesKey, leaseScript, moveScript, placesKey, sweepScript } from './places.lua.ts';
import { idOf, type Place } from './places.ts';

export interface PlacesDeps {
  readonly buckets: RedisBuckets;
  /** This gate's name, in this life. */
  readonly gate: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: { readonly gateLeaseMs: number; readonly gateReportMs: number };
}

const placesPerCall = 250;
const keys = [placesKey, gatesKey];

/**
 * Who is at which gate, on the Redis of each bucket of users: this gate says who is here, under a lease, and may ask who is
 * anywhere. Where Redis forgot it, or this gate's lease had ended, it says all again; the places of a gate whose lease has
 * ended any other one forgets.
 */
export class Places implements Lifecycle {
  readonly #deps: PlacesDeps;
  readonly #byBucket: ReadonlyMap<RedisBucket, BucketPlaces>;
  readonly #onSaidAgain = new Set<(bucket: RedisBucket) => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: PlacesDeps) {
    this.#deps = deps;
    this.#byBucket = new Map(
      deps.buckets.all.map((bucket) => {
        const tell = (): void => {
          for (const listener of this.#onSaidAgain) listener(bucket);
        };
        return [bucket, new BucketPlaces(bucket, deps, tell)];
      }),
    );
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#report(), this.#deps.limits.gateReportMs);
    await Promise.all([...this.#byBucket.values()].map((places) => places.report()));
  }

  /** What is here stays known until the lease ends: who comes to another gate meanwhile was never gone. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#byBucket.values()].map((places) => places.stop()));
  }

  /**
   * Says that somebody is here, or not any more. Resolves when Redis knows; what rejects is said again by itself.
   * @param atMs when it was.
   */
  set(place: Place, isHere: boolean, atMs: number): Promise<void> {
    return this.#of(place).set(place, isHere, atMs);
  }

  /** Which of them are at any gate. Rejects with a Fault UNAVAILABLE where Redis does not answer. */
  async anywhere(places: readonly Place[]): Promise<ReadonlySet<Place>> {
    const byBucket = new Map<RedisBucket, Place[]>();
    for (const place of places) {
      const bucket = this.#deps.buckets.of(idOf(place));
      byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), place]);
    }
    const found = await Promise.all(
      [...byBucket].map(async ([bucket, asked]) => {
        const answer = (await bucket.call('HMGET', placesKey, ...asked)) as readonly unknown[];
        return asked.filter((_, index) => answer[index] != null);
      }),
    );
    return new Set(found.flat());
  }

  /** Told when all that is here was said again, since it may have been forgotten: what happened meanwhile nobody was told. */
  onSaidAgain(listener: (bucket: RedisBucket) => void): void {
    this.#onSaidAgain.add(listener);
  }

  #of(place: Place): BucketPlaces {
    const bucket = this.#deps.buckets.of(idOf(place));
    const places = this.#byBucket.get(bucket);
    if (!places) throw new Error('a bucket has places');
    return places;
  }

  #report(): void {
    for (const places of this.#byBucket.values()) void places.report();
  }
}

interface Said {
  readonly isHere: boolean;
  readonly atMs: number;
}

/** What is here of one bucket, and what of it Redis does not know yet. One call at a time, so that the last word counts. */
class BucketPlaces {
  readonly #bucket: RedisBucket;
  readonly #deps: PlacesDeps;
  readonly #onSaidAgain: () => void;
  readonly #here = new Map<Place, number>();
  #unsaid = new Map<Place, Said>();
  #next: Promise<void> | null = null;
  #saying: Promise<void> = Promise.resolve();
  #owesAll = false;
  #reporting: Promise<void> | null = null;
  #isStopped = false;

  constructor(bucket: RedisBucket, deps: PlacesDeps, onSaidAgain: () => void) {
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

  set(place: Place, isHere: boolean, atMs: number): Promise<void> {
    if (isHere) this.#here.set(place, atMs);
    else this.#here.delete(place);
    this.#unsaid.set(place, { isHere, atMs });
    return this.#say();
  }

  /** Renews the lease, says what is still unsaid, and sweeps the gates that are dead. Never rejects. */
  report(): Promise<void> {
    this.#reporting ??= this.#tryReport()
      .catch((err: unknown) => {
        if (this.#bucket.isUp) this.#deps.log.warn({ err }, 'places.report_failed');
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
      for (const [place, atMs] of this.#here) this.#unsaid.set(place, { isHere: true, atMs });
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
    let taken = placesPerCall;
    while (taken === placesPerCall && !this.#isStopped) {
      taken = Number(await this.#bucket.run(sweepScript, keys, [gate, placesPerCall]));
    }
    this.#deps.log.info({ gate }, 'places.swept');
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
      for (const part of chunks([...unsaid], placesPerCall)) {
        const args = part.flatMap(([place, { isHere, atMs }]) => [place, isHere ? '1' : '0', atMs]);
        await this.#bucket.run(moveScript, keys, [this.#deps.gate, ...args]);
        for (const [place] of part) unsaid.delete(place);
      }
    } catch (error) {
      // What was said later counts.
      this.#unsaid = new Map([...unsaid, ...this.#unsaid]);
      throw error;
    }
  }
}
