import { createHash } from 'node:crypto';
import { present } from '../lib/assert.ts';
import { slotOf } from '../lib/id.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import { RedisBucket, type RedisDeps } from './redis.ts';

interface RedisBucketsDeps extends Omit<RedisDeps, 'index' | 'place'> {
  /**
   * As what the shards were restored whose logs these are; asked once, when the shards are started. Where it is another than
   * it was, the logs are ahead of the shards, and a new epoch begins.
   */
  readonly restorations?: () => Promise<string>;
}

/** All that keep something: each user has one, by the slot of their id. */
export class RedisBuckets implements Lifecycle {
  readonly all: readonly RedisBucket[];

  /** @param urls as configured: their order and number say whose is which. */
  constructor(urls: readonly string[], { restorations, ...deps }: RedisBucketsDeps) {
    let known: string | undefined;
    const restored = async (): Promise<string> => (known ??= (await restorations?.()) ?? '');
    this.all = urls.map((url, index) => {
      // Users of other places, and those of shards as they were before, would find logs here that ended long ago.
      const place = async (): Promise<string> =>
        `${index}/${urls.length} ${await restored()}`.trim();
      return new RedisBucket(url, { ...deps, index, place });
    });
  }

  of(userId: bigint): RedisBucket {
    return present(this.all[slotOf(userId) % this.all.length], 'a slot has a bucket');
  }

  get isUp(): boolean {
    return this.all.every((bucket) => bucket.isUp);
  }

  /**
   * The epochs of all as one: another wherever one of them is another, or was not heard of yet. Null while none was.
   */
  get epoch(): bigint | null {
    const epochs = this.all.map(({ epoch }) => epoch);
    if (epochs.every((epoch) => epoch === null)) return null;
    const [only] = epochs;
    if (epochs.length === 1 && only != null) return only;
    const hash = createHash('sha256').update(epochs.join(' ')).digest();
    return hash.readBigUInt64BE() >> 1n;
  }

  async start(): Promise<void> {
    await Promise.all(this.all.map((bucket) => bucket.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((bucket) => bucket.stop()));
  }
}
