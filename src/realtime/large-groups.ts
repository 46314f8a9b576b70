import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Happening } from '../domain/inbox/inbox.ts';
import type { OutboxPart } from '../domain/timeline/timeline.ts';
import type { Shards } from '../storage/shards.ts';

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

/**
 * Tells the connected members of large groups that these moved on: notice only, at most once a second and conversation, and
 * always the last. Nothing of it is logged: on resume the heads tell.
 */
export class LargeGroups implements Lifecycle {
  readonly #deps: {
    readonly shards: Shards;
    readonly limits: { readonly advancedCoalesceMs: number };
  };
  readonly #listeners = new Map<bigint, Set<Listener>>();
  readonly #moving = new Map<bigint, Moving>();

  constructor(deps: { shards: Shards; limits: { readonly advancedCoalesceMs: number } }) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const { timer } of this.#moving.values()) if (timer) clearTimeout(timer);
    this.#moving.clear();
    this.#listeners.clear();
    return Promise.resolve();
  }

  /** The large groups of a user: one statement a shard. */
  async of(userId: bigint): Promise<LargeGroup[]> {
    const rows = await Promise.all(
      this.#deps.shards.all.map(({ sql }) =>
        sql.query<Omit<LargeGroup, 'movedAtMs'> & { movedAtMs: bigint }>(
          'SELECT c.id AS conversationId, c.lastSeq, c.changeSeq, c.movedAtMs' +
            ' FROM Member m JOIN Conversation c ON c.id = m.conversationId' +
            ' WHERE m.userId = ? AND m.isListed AND c.isLarge',
          [userId],
        ),
      ),
    );
    return rows.flat().map((row) => ({ ...row, movedAtMs: Number(row.movedAtMs) }));
  }

  listen(conversationId: bigint, listener: Listener): void {
    const known = this.#listeners.get(conversationId);
    if (known) known.add(listener);
    else this.#listeners.set(conversationId, new Set([listener]));
  }

  unlisten(conversationId: bigint, listener: Listener): void {
    const known = this.#listeners.get(conversationId);
    known?.delete(listener);
    if (known?.size === 0) this.#listeners.delete(conversationId);
  }

  /** Tells one who is no member any more nothing from now on. */
  dismiss(conversationId: bigint, userId: bigint): void {
    for (const listener of [...(this.#listeners.get(conversationId) ?? [])]) {
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
    if (!this.#listeners.has(conversationId)) return;
    const moving = this.#moving.get(conversationId) ?? { pending: null, timer: null };
    this.#moving.set(conversationId, moving);
    moving.pending = {
      advance: { kind: 'ConversationAdvanced', conversationId, lastSeq, changeSeq, isLarge: true },
      atMs,
    };
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
    for (const listener of this.#listeners.get(conversationId) ?? []) {
      listener.notice(pending.advance, pending.atMs);
    }
  }
}
