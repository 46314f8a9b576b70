import type { Attention, ConversationNews } from './conversation-news.ts';
import type { News } from './news.ts';

/** Somebody who follows a conversation on this node. None of it may throw. */
export interface Follower {
  readonly userId: bigint;
  /** In the order of eventNos, though some may be missing. */
  heard(news: News): void;
  /** Something may have happened that nobody told. */
  recheck(): void;
}

/** Who on this node follows which conversation: they get its events at the commit, in their order. */
export class Followers {
  readonly #news: Pick<ConversationNews, 'attend'>;
  readonly #byConversation = new Map<
    bigint,
    { readonly followers: Set<Follower>; readonly attention: Attention }
  >();

  constructor(news: Pick<ConversationNews, 'attend'>) {
    this.#news = news;
  }

  /** Takes them in at once; resolves when other nodes tell this one, or cannot. */
  add(conversationId: bigint, follower: Follower): Promise<void> {
    const known = this.#byConversation.get(conversationId);
    const { followers, attention } = known ?? {
      followers: new Set(),
      attention: this.#news.attend(conversationId),
    };
    followers.add(follower);
    if (!known) this.#byConversation.set(conversationId, { followers, attention });
    return attention.ready;
  }

  remove(conversationId: bigint, follower: Follower): void {
    const known = this.#byConversation.get(conversationId);
    known?.followers.delete(follower);
    if (known?.followers.size !== 0) return;
    this.#byConversation.delete(conversationId);
    known.attention.end();
  }

  /** A follower has read what happened before this eventNo. */
  begin(conversationId: bigint, nextEventNo: number): void {
    this.#byConversation.get(conversationId)?.attention.begin(nextEventNo);
  }

  recheck(conversationId: bigint): void {
    for (const follower of [...(this.#byConversation.get(conversationId)?.followers ?? [])]) {
      follower.recheck();
    }
  }

  tell(news: News): void {
    const known = this.#byConversation.get(news.part.conversationId);
    for (const follower of [...(known?.followers ?? [])]) follower.heard(news);
  }
}
