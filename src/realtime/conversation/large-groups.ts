import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Happening } from '../../domain/inbox/inbox.ts';
import type { OutboxPart } from '../../domain/timeline/timeline.ts';
import { Gathered } from '../../lib/gathered.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
import type { Attention, ConversationNews } from './conversation-news.ts';

export type Advance = Extract<Happening, { kind: 'ConversationAdvanced' }>;

/** Something that is told when a large group has moved on. Must not throw. */
export interface Listener {
  readonly userId: bigint;
  /** The listener is no member of that group any more. */
  dismissed(conversationId: bigint): void;
  notice(advance: Advance, atMs: number): void;
}

export interface LargeGroup {
  readonly conversationId: bigint;
  readonly eventNo: number;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly movedAtMs: number;
}

/** Whether the group became large, or ceased to be: the last thing that happened to it in its batch. */
export function crosses({ items }: OutboxPart): boolean {
  return items.at(-1)?.kind === 'advanced';
}

/** A group that was told of within the last second. */
interface Moving {
  pending: { advance: Advance; atMs: number } | null;
  timer: NodeJS.Timeout | null;
}

export interface LargeGroupsDeps {
  readonly shards: Shards;
  readonly news: Pick<ConversationNews, 'attend'>;
  readonly limits: {
    readonly advancedCoalesceMs: number;
    readonly gatheredReadsKeysMax: number;
    readonly gatheredReadsApartMs: number;
    readonly gatheredReadsAsksMax: number;
  };
}

interface Watched {
  readonly listeners: Set<Listener>;
  readonly attention: Attention;
}

const idsPerStatement = 500;

/**
 * Tells the connected members of large groups that these moved on: notice only, at most once a second and conversation, and
 * always the last. Nothing of it is logged: on resume the heads tell.
 */
export class LargeGroups implements Lifecycle {
  readonly #deps: LargeGroupsDeps;
  readonly #watched = new Map<bigint, Watched>();
  readonly #moving = new Map<bigint, Moving>();
  /** By shard, once these are there. */
  #madeFinders: readonly Gathered<bigint, LargeGroup[]>[] | undefined;

  constructor(deps: LargeGroupsDeps) {
    this.#deps = deps;
  }

  get #finders(): readonly Gathered<bigint, LargeGroup[]>[] {
    const { limits, shards } = this.#deps;
    return (this.#madeFinders ??= shards.all.map(
      (shard) =>
        new Gathered<bigint, LargeGroup[]>({
          answer: (userIds) => largeGroupsOf(shard, userIds),
          weightOf: () => 1,
          weightMax: limits.gatheredReadsKeysMax,
          apartMs: limits.gatheredReadsApartMs,
          asksMax: limits.gatheredReadsAsksMax,
        }),
    ));
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const { timer } of this.#moving.values()) if (timer) clearTimeout(timer);
    this.#moving.clear();
    this.#watched.clear();
    for (const finder of this.#madeFinders ?? []) finder.stop();
    return Promise.resolve();
  }

  /** The large groups of a user: a statement a shard, which all who ask at one time share. */
  async of(userId: bigint): Promise<LargeGroup[]> {
    const found = await Promise.all(this.#finders.map((finder) => finder.ask(userId)));
    return found.flat();
  }

  /** Takes them in at once; resolves when other nodes tell this one, or cannot. */
  listen(conversationId: bigint, listener: Listener): Promise<void> {
    const known = this.#watched.get(conversationId);
    const { listeners, attention } = known ?? {
      listeners: new Set(),
      attention: this.#deps.news.attend(conversationId),
    };
    listeners.add(listener);
    if (!known) this.#watched.set(conversationId, { listeners, attention });
    return attention.ready;
  }

  unlisten(conversationId: bigint, listener: Listener): void {
    const known = this.#watched.get(conversationId);
    known?.listeners.delete(listener);
    if (known?.listeners.size !== 0) return;
    this.#watched.delete(conversationId);
    known.attention.end();
  }

  isListened(conversationId: bigint): boolean {
    return this.#watched.has(conversationId);
  }

  /** A listener has read what happened before this eventNo. */
  begin(conversationId: bigint, nextEventNo: number): void {
    this.#watched.get(conversationId)?.attention.begin(nextEventNo);
  }

  /** Something was missed: tells who is no member any more, and then where the group is. */
  async reread(conversationId: bigint): Promise<void> {
    const { sql } = this.#deps.shards.of(conversationId);
    const listening = new Set([...this.#listenersOf(conversationId)].map(({ userId }) => userId));
    if (listening.size === 0) return;
    for (const ids of chunks([...listening], idsPerStatement)) {
      const members = await sql.query<{ userId: bigint }>(
        `SELECT userId FROM Member WHERE conversationId = ? AND isListed AND userId IN (${marks(ids.length)})`,
        [conversationId, ...ids],
      );
      const listed = new Set(members.map(({ userId }) => userId));
      for (const id of ids) if (!listed.has(id)) this.dismiss(conversationId, id);
    }
    const [head] = await sql.query<{ lastSeq: number; changeSeq: number; movedAtMs: bigint }>(
      'SELECT lastSeq, changeSeq, movedAtMs FROM Conversation WHERE id = ? AND isLarge',
      [conversationId],
    );
    if (!head) return;
    const { lastSeq, changeSeq } = head;
    this.#move(
      { kind: 'ConversationAdvanced', conversationId, lastSeq, changeSeq, isLarge: true },
      Number(head.movedAtMs),
    );
  }

  /** Tells one who is no member any more nothing from now on. */
  dismiss(conversationId: bigint, userId: bigint): void {
    for (const listener of [...this.#listenersOf(conversationId)]) {
      if (listener.userId === userId) listener.dismissed(conversationId);
    }
  }

  /** What a batch did to a group that was large before it. */
  advance(part: OutboxPart, atMs: number): void {
    const { conversationId, lastSeq, changeSeq } = part;
    if (!part.isLarge) return;
    if (crosses(part)) {
      // The logs tell this one, and with it what was not told yet.
      const moving = this.#moving.get(conversationId);
      if (moving) moving.pending = null;
      return;
    }
    this.#move(
      { kind: 'ConversationAdvanced', conversationId, lastSeq, changeSeq, isLarge: true },
      atMs,
    );
  }

  #listenersOf(conversationId: bigint): Iterable<Listener> {
    return this.#watched.get(conversationId)?.listeners ?? [];
  }

  #move(advance: Advance, atMs: number): void {
    const { conversationId } = advance;
    if (!this.#watched.has(conversationId)) return;
    const moving = this.#moving.get(conversationId) ?? { pending: null, timer: null };
    this.#moving.set(conversationId, moving);
    moving.pending = { advance, atMs };
    if (!moving.timer) this.#tell(conversationId, moving);
  }

  #tell(conversationId: bigint, moving: Moving): void {
    const { pending } = moving;
    if (!pending) return;
    moving.pending = null;
    moving.timer = setTimeout(() => {
      moving.timer = null;
      if (moving.pending) this.#tell(conversationId, moving);
      else this.#moving.delete(conversationId);
    }, this.#deps.limits.advancedCoalesceMs);
    for (const listener of this.#listenersOf(conversationId)) {
      listener.notice(pending.advance, pending.atMs);
    }
  }
}

/** In the order of the users. */
async function largeGroupsOf({ sql }: Shard, userIds: readonly bigint[]): Promise<LargeGroup[][]> {
  const asked = [...new Set(userIds)];
  const rows = await sql.query<
    Omit<LargeGroup, 'movedAtMs'> & { userId: bigint; movedAtMs: bigint }
  >(
    'SELECT m.userId, c.id AS conversationId, c.eventNo, c.lastSeq, c.changeSeq, c.movedAtMs' +
      ' FROM Member m JOIN Conversation c ON c.id = m.conversationId' +
      ` WHERE m.userId IN (${marks(asked.length)}) AND m.isListed AND c.isLarge`,
    asked,
  );
  const byUser = new Map(asked.map((userId) => [userId, [] as LargeGroup[]]));
  for (const { userId, movedAtMs, ...row } of rows) {
    byUser.get(userId)?.push({ ...row, movedAtMs: Number(movedAtMs) });
  }
  return userIds.map((userId) => byUser.get(userId) ?? []);
}
