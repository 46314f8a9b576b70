import type { CreateGroup, Draft, OpenDirect } from './draft.ts';
import { directKey, groupKey } from './payload.ts';

/** A draft that creates its conversation where it is not there yet. */
export type Creation = OpenDirect | CreateGroup;

export function isCreation(draft: Draft): draft is Creation {
  return draft.kind === 'openDirect' || draft.kind === 'createGroup';
}

/** What makes it idempotent. */
export function originKey(draft: Creation): Uint8Array {
  return draft.kind === 'openDirect'
    ? directKey(draft.actorId, draft.peerId)
    : groupKey(draft.actorId, draft.clientRequestId);
}

/** The same, as a key of a map. */
export function originText(draft: Creation): string {
  return Buffer.from(originKey(draft)).toString();
}
