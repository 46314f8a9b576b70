import type { Happening } from '../../domain/inbox/inbox.ts';
import type { Advance, LargeGroup, LargeGroups, Listener } from './large-groups.ts';

/** A notice and when what it tells of happened. */
export interface Notice {
  readonly advance: Advance;
  readonly atMs: number;
}

/** The large groups of one subscriber: what they did, the newest of each, until it is told. */
export class GroupWatch implements Listener {
  readonly userId: bigint;
  readonly #largeGroups: LargeGroups;
  readonly #onNotice: () => void;
  readonly #groups = new Set<bigint>();
  #notices = new Map<bigint, Notice>();

  constructor(userId: bigint, largeGroups: LargeGroups, onNotice: () => void) {
    this.userId = userId;
    this.#largeGroups = largeGroups;
    this.#onNotice = onNotice;
  }

  notice(advance: Advance, atMs: number): void {
    this.#notices.set(advance.conversationId, { advance, atMs });
    this.#onNotice();
  }

  /** What is not told yet; it is the caller's to tell. */
  take(): Iterable<Notice> {
    const notices = this.#notices;
    this.#notices = new Map();
    return notices.values();
  }

  /**
   * Which groups are large for this user now, and what those of them did that moved since then.
   * @param isWanted asked after the shards have answered: whether anybody still wants to know.
   */
  async refresh(sinceMs: number, isWanted: () => boolean): Promise<void> {
    let groups = await this.#largeGroups.of(this.userId);
    // What other nodes do is heard once they tell this one: what they did until then is read after that.
    while (isWanted() && (await this.#joinAll(groups))) {
      groups = await this.#largeGroups.of(this.userId);
    }
    if (!isWanted()) return;
    const now = new Set(groups.map(({ conversationId }) => conversationId));
    for (const id of this.#groups) if (!now.has(id)) this.#leave(id);
    for (const { conversationId, eventNo, lastSeq, changeSeq, movedAtMs: atMs } of groups) {
      this.#largeGroups.begin(conversationId, eventNo + 1);
      if (atMs < sinceMs) continue;
      const counters = { conversationId, lastSeq, changeSeq, isLarge: true };
      this.#notices.set(conversationId, {
        advance: { kind: 'ConversationAdvanced', ...counters },
        atMs,
      });
    }
  }

  /** Follows groups over the limit, as the subscriber's own events tell. */
  observe(happening: Happening): void {
    if (happening.kind === 'ConversationRemoved') this.#leave(happening.conversationId);
    if (happening.kind !== 'ConversationChanged' && happening.kind !== 'ConversationAdvanced') {
      return;
    }
    const { conversationId, isLarge } = happening;
    if (isLarge) void this.#join(conversationId);
    else this.#leave(conversationId);
  }

  dismissed(conversationId: bigint): void {
    this.#leave(conversationId);
  }

  stop(): void {
    for (const id of this.#groups) this.#largeGroups.unlisten(id, this);
    this.#groups.clear();
    this.#notices.clear();
  }

  /** @returns whether any of them was the first on this node. */
  async #joinAll(groups: readonly LargeGroup[]): Promise<boolean> {
    const fresh = groups.filter(({ conversationId }) => !this.#groups.has(conversationId));
    const isFirst = fresh.some(
      ({ conversationId }) => !this.#largeGroups.isListened(conversationId),
    );
    await Promise.all(fresh.map(({ conversationId }) => this.#join(conversationId)));
    return isFirst;
  }

  #join(conversationId: bigint): Promise<void> {
    this.#groups.add(conversationId);
    return this.#largeGroups.listen(conversationId, this);
  }

  #leave(conversationId: bigint): void {
    this.#groups.delete(conversationId);
    this.#notices.delete(conversationId);
    this.#largeGroups.unlisten(conversationId, this);
  }
}
