import type { Happening, Signal } from '../../domain/inbox/inbox.ts';

/**
 * Conversations of which a reader was not told, since they were out of it again by then: nor is what follows, until they
 * are told to be out of it, or in it anew.
 */
export class PassedOver {
  readonly #ids = new Set<bigint>();

  add(event: Happening | Signal): void {
    if (event.kind === 'ConversationChanged') this.#ids.add(event.conversationId);
  }

  /** Asked of each event, in the order of the log. */
  hides(event: Happening | Signal): boolean {
    if (this.#ids.size === 0 || !('conversationId' in event)) return false;
    const isTurn = event.kind === 'ConversationChanged' || event.kind === 'ConversationRemoved';
    if (isTurn) this.#ids.delete(event.conversationId);
    return this.#ids.has(event.conversationId);
  }
}
