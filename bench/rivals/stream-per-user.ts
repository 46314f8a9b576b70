import type { Redis } from 'ioredis';

/**
 * How inboxes in Redis are mostly written: for each recipient an entry at the end of their stream, and, where they are
 * connected, a message on a channel of their own; all of a batch in one pipeline. It keeps no count, puts nothing in
 * order, and does not notice what it is told twice. Frozen.
 */
export class StreamPerUser {
  readonly #client: Redis;
  readonly #kept: number;

  constructor(client: Redis, kept: number) {
    this.#client = client;
    this.#kept = kept;
  }

  async append(
    rows: readonly { readonly text: string; readonly recipients: readonly bigint[] }[],
    isOnline: boolean,
  ): Promise<void> {
    const pipeline = this.#client.pipeline();
    for (const { text, recipients } of rows) {
      for (const userId of recipients) {
        pipeline.xadd(`inbox:${userId}`, 'MAXLEN', '~', this.#kept, '*', 'v', text);
        if (isOnline) pipeline.publish(`user:${userId}`, text);
      }
    }
    const answers = await pipeline.exec();
    for (const [error] of answers ?? []) if (error) throw error;
  }
}
