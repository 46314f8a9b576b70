import type { Happening } from '../domain/inbox/inbox.ts';
import type { Advance, LargeGroups, Listener } from './large-groups.ts';

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
    const groups = await this.#largeGroups.of(this.userId);
    if (!isWanted()) return;
    const now = new Set(groups.map(({ conversationId }) => conversationId));
    for (const id of this.#groups) if (!now.has(id)) this.#leave(id);
    for (const { conversationId, lastSeq, changeSeq, movedAtMs: atMs } of groups) {
      this.#join(conversationId);
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
    if (isLarge) this.#join(conversationId);
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

  #join(conversationId: bigint): void {
    this.#groups.add(conversationId);
    this.#largeGroups.listen(conversationId, this);
  }

  #leave(conversationId: bigint): void {
    this.#groups.delete(conversationId);
    this.#notices.delete(conversationId);
    this.#largeGroups.unlisten(conversationId, this);
  }
}
