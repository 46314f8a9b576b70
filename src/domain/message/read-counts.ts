import { present } from '../../lib/assert.ts';
import { chunks } from '../../lib/chunks.ts';
import { Gathered } from '../../lib/gathered.ts';
import { limits } from '../../limits.ts';
import { keyTable, keyTableRowsMax, readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import type { Shard } from '../../storage/shards.ts';
import type { Viewer } from '../session/session.ts';
import { readersOf, type SentSeq } from './readers.ts';
import type { SentMessageKey } from './shapes.ts';

type Numbered = SentMessageKey & { readonly ordinal: number };

interface CountRow {
  readonly ordinal: number | bigint;
  readonly memberCount: number;
  /** Null in a large group. */
  readonly readers: bigint | null;
}

/** A large group whose readers are being counted. */
interface LargeGroup {
  readonly counting: Gathered<readonly SentSeq[], readonly number[]>;
  memberCount: number;
}

/** Looks at so many members are as far apart as other shared reads; at more, so many times as far. */
const fewMembers = 10_000;

/**
 * How many have read messages. Of small groups the statement that looks for the right counts as well. In a large one all
 * who ask meanwhile share a look at its members, whatever messages they ask for, and these looks are apart: so what they
 * cost does not rise with messages or requests. Nothing is kept between them, so a count is what it is when it is read,
 * whichever nodes the reads came to.
 */
export class ReadCounts {
  readonly #shards: ShardMap;
  /** Those that somebody asked for a moment ago. */
  readonly #largeGroups = new Map<bigint, LargeGroup>();
  #isStopped = false;

  constructor(shards: ShardMap) {
    this.#shards = shards;
  }

  /**
   * In the order of the keys: members at present who have read it and may see it, but for its sender; 0 where the viewer
   * may not see it.
   * @throws {Fault} UNAVAILABLE
   */
  async of(viewer: Viewer, keys: readonly SentMessageKey[]): Promise<number[]> {
    const counts = keys.map(() => 0);
    await readPerShard(
      this.#shards,
      keys.map((key, ordinal): Numbered => ({ ...key, ordinal })),
      (key) => key.conversationId,
      (shard, ofShard) =>
        Promise.all(
          chunks(ofShard, keyTableRowsMax).map((part) => this.#count(shard, viewer, part, counts)),
        ),
    );
    return counts;
  }

  /** Those who wait for a look are told UNAVAILABLE, and nothing rests. */
  stop(): void {
    this.#isStopped = true;
    for (const { counting } of this.#largeGroups.values()) counting.stop();
  }

  async #count(
    shard: Shard,
    viewer: Viewer,
    keys: readonly Numbered[],
    counts: number[],
  ): Promise<void> {
    const keysBy = new Map(keys.map((key) => [key.ordinal, key]));
    const ofLarge = new Map<LargeGroup, Numbered[]>();
    for (const { ordinal, memberCount, readers } of await visible(shard, viewer, keys)) {
      const key = present(keysBy.get(Number(ordinal)), 'it was asked for');
      if (readers !== null) {
        counts[key.ordinal] = Number(readers);
        continue;
      }
      const group = this.#largeGroup(shard, key.conversationId, memberCount);
      const others = ofLarge.get(group);
      if (others) others.push(key);
      else ofLarge.set(group, [key]);
    }
    const counted = [...ofLarge].map(async ([{ counting }, asked]) => {
      const readers = await counting.ask(asked);
      for (const [at, { ordinal }] of asked.entries()) counts[ordinal] = readers[at] ?? 0;
    });
    await Promise.all(counted);
  }

  #largeGroup(shard: Shard, id: bigint, memberCount: number): LargeGroup {
    const known = this.#largeGroups.get(id);
    if (known) {
      known.memberCount = memberCount;
      return known;
    }
    const group: LargeGroup = {
      memberCount,
      counting: new Gathered<readonly SentSeq[], readonly number[]>({
        answer: async (asks) => {
          const readers = await readersOf(shard, id, asks.flat());
          let at = 0;
          return asks.map(({ length }) => readers.slice(at, (at += length)));
        },
        weightOf: ({ length }) => length,
        weightMax: limits.gatheredReadsKeysMax,
        asksMax: limits.gatheredReadsAsksMax,
        get apartMs() {
          return limits.gatheredReadsApartMs * Math.max(1, group.memberCount / fewMembers);
        },
        isAlwaysApart: true,
        onIdle: () => this.#largeGroups.delete(id),
      }),
    };
    if (this.#isStopped) group.counting.stop();
    else this.#largeGroups.set(id, group);
    return group;
  }
}

/** Of those that the viewer may see. */
function visible(shard: Shard, viewer: Viewer, keys: readonly Numbered[]): Promise<CountRow[]> {
  const columns = ['ordinal', 'conversationId', 'seq', 'senderId'];
  return shard.sql.query<CountRow>(
    `SELECT k.ordinal AS ordinal, c.memberCount AS memberCount,
       CASE WHEN c.isLarge THEN NULL ELSE (
         SELECT COUNT(*) FROM Member o WHERE o.conversationId = k.conversationId
           AND o.userId <> k.senderId AND o.readSeq >= k.seq AND o.joinedSeq <= k.seq
       ) END AS readers
     FROM ${keyTable('k', columns, keys.length)}
     JOIN Member m ON m.conversationId = k.conversationId AND m.userId = ? AND m.isListed = 1
       AND m.joinedSeq <= k.seq
     JOIN Conversation c ON c.id = k.conversationId`,
    // A system message has no sender, and no user the id 0.
    [
      ...keys.flatMap((key) => [key.ordinal, key.conversationId, key.seq, key.senderId ?? 0n]),
      viewer.userId,
    ],
  );
}
