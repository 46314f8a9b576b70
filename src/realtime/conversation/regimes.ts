import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import { crosses } from './large-groups.ts';

/** What holds for a conversation after some rows. */
export interface Regime {
  readonly isLarge: boolean;
  /** The head's counters when it last crossed the limit of large groups. */
  readonly crossing: { readonly lastSeq: number; readonly changeSeq: number } | null;
}

/**
 * Of conversations that crossed the limit more than once the last regime counts: each crossing is told as the last one is,
 * so whoever hears them ends where the conversation is.
 */
export function regimesAfter(rows: readonly CommittedRow[]): ReadonlyMap<bigint, Regime> {
  const regimes = new Map<bigint, Regime>();
  for (const part of rows.flatMap(({ body }) => body.parts)) {
    const { conversationId, isLarge } = part;
    const regime = crosses(part)
      ? { isLarge: !isLarge, crossing: part }
      : { isLarge, crossing: regimes.get(conversationId)?.crossing ?? null };
    regimes.set(conversationId, regime);
  }
  return regimes;
}
