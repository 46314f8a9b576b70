import { Fault } from '../../lib/fault.ts';

/** Where a client's copy of a conversation ends. */
export interface ConversationPosition {
  readonly afterSeq: number | null;
  readonly afterChangeSeq: number | null;
}

/** @throws {Fault} INVALID_ARGUMENT */
export function checkPosition(
  { afterSeq, afterChangeSeq }: ConversationPosition,
  head: { readonly lastSeq: number; readonly changeSeq: number },
): void {
  if (afterSeq !== null && (afterSeq < 0 || afterSeq > head.lastSeq)) {
    throw new Fault('INVALID_ARGUMENT', 'afterSeq is beyond the conversation.');
  }
  if (afterChangeSeq === null) return;
  if (afterSeq === null || afterChangeSeq < 0 || afterChangeSeq > head.changeSeq) {
    throw new Fault(
      'INVALID_ARGUMENT',
      'afterChangeSeq needs afterSeq, and is not beyond changeSeq.',
    );
  }
}
