import { hash } from 'node:crypto';
import type { CreateGroup, Send } from './draft.ts';
import type { DraftContent } from './model.ts';

/** The same text for the same JSON value, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function sha256(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}

/** Whether two contents are the same by value. */
export function sameContent(a: DraftContent, b: DraftContent): boolean {
  return canonical(a) === canonical(b);
}

/** What a retry of a send must match. */
export function sendHash({ content, replyToSeq }: Send): Uint8Array {
  // Without an object in it there is nothing to put in order.
  if (content.kind === 'TEXT') {
    return sha256(JSON.stringify([content.kind, null, content.text, replyToSeq]));
  }
  return sha256(canonical([content.kind, content.type, content.data, replyToSeq]));
}

/** What a retry of a creation must match: the members as a set. */
export function groupHash({ title, memberIds }: CreateGroup): Uint8Array {
  return sha256(canonical([title, memberIds.map(String).sort()]));
}

/** What makes opening idempotent: the pair, from either side. */
export function directKey(a: bigint, b: bigint): Uint8Array {
  return Buffer.from(a < b ? `d:${a}:${b}` : `d:${b}:${a}`);
}

/** What makes a creation idempotent. */
export function groupKey(creatorId: bigint, clientRequestId: string): Uint8Array {
  return Buffer.from(`g:${creatorId}:${clientRequestId}`);
}

export function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && Buffer.compare(a, b) === 0;
}
