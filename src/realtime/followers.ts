import type { CommittedRow, Message } from '../domain/timeline/timeline.ts';

/** Somebody who follows a conversation on this node. None of it may throw. */
export interface Follower {
  readonly userId: bigint;
  added(message: Message): void;
  changed(changeSeq: number, message: Message): void;
  /** The follower is no member any more. */
  ended(): void;
  /** Something may have happened that nobody told. */
  recheck(): void;
}

/** Who on this node follows which conversation: they get its events at the commit, in their order. */
export class Followers {
  readonly #byConversation = new Map<bigint, Set<Follower>>();

  add(conversationId: bigint, follower: Follower): void {
    const known = this.#byConversation.get(conversationId);
    if (known) known.add(follower);
    else this.#byConversation.set(conversationId, new Set([follower]));
  }

  remove(conversationId: bigint, follower: Follower): void {
    const known = this.#byConversation.get(conversationId);
    known?.delete(follower);
    if (known?.size === 0) this.#byConversation.delete(conversationId);
  }

  recheck(conversationId: bigint): void {
    for (const follower of this.#byConversation.get(conversationId) ?? []) follower.recheck();
  }

  /** Tells what was committed. Rows come in the order of their commits. */
  tell({ body, messages }: CommittedRow): void {
    for (const { conversationId, items } of body.parts) {
      const followers = this.#byConversation.get(conversationId);
      if (!followers) continue;
      const ofConversation = messages.filter(
        (message) => message.conversationId === conversationId,
      );
      for (const item of items) {
        for (const follower of [...followers]) tellItem(follower, item, ofConversation);
      }
    }
  }
}

function tellItem(
  follower: Follower,
  item: CommittedRow['body']['parts'][number]['items'][number],
  messages: readonly Message[],
): void {
  if (item.kind === 'added') {
    const end = item.firstSeq + item.count;
    for (const message of messages) {
      if (message.seq >= item.firstSeq && message.seq < end) follower.added(message);
    }
  } else if (item.kind === 'changed') {
    const message = messages.find(({ seq }) => seq === item.seq);
    if (message) follower.changed(item.changeSeq, message);
  } else if (item.kind === 'removed' && item.userIds.includes(follower.userId)) {
    follower.ended();
  }
}
