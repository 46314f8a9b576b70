import type { Happening } from '../../domain/inbox/inbox.ts';

/**
 * As of which changes one reader was shown messages. What is read shows them as they are; what is told live, as they were
 * when it was committed, and the log may lag behind: then it would show a message older than it was shown before.
 */
export class ShownStates {
  /** Of a conversation the newest change that was shown, where the log has not come to it yet. */
  readonly #ahead = new Map<bigint, number>();
  #asOfMs = -Infinity;

  /** Whatever was committed until then the reader may have been shown already, on another connection or by a query. */
  begin(nowMs: number): void {
    this.#asOfMs = nowMs;
  }

  /** It was shown, in the order of the log. */
  note(happening: Happening): void {
    if (happening.kind !== 'MessageAdded' && happening.kind !== 'MessageChanged') return;
    const { conversationId, message } = happening;
    const at = happening.kind === 'MessageChanged' ? happening.changeSeq : 0;
    const ahead = Math.max(this.#ahead.get(conversationId) ?? 0, message.changeSeq);
    if (ahead > at && ahead > 0) this.#ahead.set(conversationId, ahead);
    else this.#ahead.delete(conversationId);
  }

  /** Whether the reader may have been shown its message newer than a live event has it. */
  mayBeNewer(happening: Happening, atMs: number): boolean {
    if (happening.kind !== 'MessageChanged') return false;
    const ahead = this.#ahead.get(happening.conversationId) ?? 0;
    return atMs <= this.#asOfMs || happening.message.changeSeq < ahead;
  }
}
