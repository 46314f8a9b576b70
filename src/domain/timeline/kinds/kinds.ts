import type { Draft } from '../draft.ts';
import type { Kind } from '../kind.ts';
import { createGroup, openDirect } from './creations.ts';
import { addMembers, leave, removeMember, rename, setRole } from './group.ts';
import { edit, recall, send } from './messages.ts';
import { postRedPacket, tellRedPacket } from './red-packets.ts';

/** Every kind of draft, beside one loop that knows none of them. */
const kinds: { readonly [K in Draft['kind']]: Kind<Extract<Draft, { kind: K }>> } = {
  openDirect,
  createGroup,
  send,
  postRedPacket,
  tellRedPacket,
  edit,
  recall,
  rename,
  addMembers,
  removeMember,
  leave,
  setRole,
};

export function kindOf<D extends Draft>(draft: D): Kind<D> {
  return kinds[draft.kind] as Kind<Draft> as Kind<D>;
}
