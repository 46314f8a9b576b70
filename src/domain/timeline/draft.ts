import type { DraftContent, Member, Message, Role } from './model.ts';

/**
 * What somebody wants to happen to a conversation, with its arguments already checked for form. Whether it is
 * possible and allowed the writer decides, under the head lock.
 */
export type Draft =
  | OpenDirect
  | CreateGroup
  | Send
  | Edit
  | Recall
  | Rename
  | AddMembers
  | RemoveMember
  | Leave
  | SetRole;

/** The one direct conversation of two users, created on first use, listed for the opener. */
export interface OpenDirect {
  readonly kind: 'openDirect';
  readonly appId: string;
  readonly actorId: bigint;
  /** The actor themself: notes to self. Exists in the same app. */
  readonly peerId: bigint;
}

/** Idempotent by (actorId, clientRequestId). */
export interface CreateGroup {
  readonly kind: 'createGroup';
  readonly appId: string;
  readonly actorId: bigint;
  readonly clientRequestId: string;
  readonly title: string;
  /** Without the actor, without repeats, all of the same app. */
  readonly memberIds: readonly bigint[];
}

interface InConversation {
  readonly conversationId: bigint;
  readonly actorId: bigint;
}

/** Idempotent for ever by (conversationId, actorId, clientMessageId). */
export interface Send extends InConversation {
  readonly kind: 'send';
  readonly clientMessageId: string;
  readonly content: DraftContent;
  readonly replyToSeq: number | null;
}
export interface Edit extends InConversation {
  readonly kind: 'edit';
  readonly seq: number;
  readonly content: DraftContent;
}
export interface Recall extends InConversation {
  readonly kind: 'recall';
  readonly seq: number;
}
export interface Rename extends InConversation {
  readonly kind: 'rename';
  readonly title: string;
}
export interface AddMembers extends InConversation {
  readonly kind: 'addMembers';
  /** Without repeats, all of the same app. */
  readonly userIds: readonly bigint[];
}
export interface RemoveMember extends InConversation {
  readonly kind: 'removeMember';
  /** Not the actor. */
  readonly userId: bigint;
}
export interface Leave extends InConversation {
  readonly kind: 'leave';
}
export interface SetRole extends InConversation {
  readonly kind: 'setRole';
  readonly userId: bigint;
  readonly role: Role;
}

/** What each kind of draft is answered with, once committed. */
export interface Results {
  openDirect: { readonly conversationId: bigint };
  createGroup: { readonly conversationId: bigint };
  send: { readonly message: Message; readonly isDuplicate: boolean };
  edit: { readonly message: Message };
  recall: { readonly message: Message };
  rename: { readonly conversationId: bigint };
  addMembers: { readonly conversationId: bigint };
  removeMember: { readonly conversationId: bigint };
  leave: { readonly conversationId: bigint };
  setRole: { readonly member: Member };
}
/** What an accepted draft of this kind answers. */
export type ResultOf<D extends Draft> = Results[D['kind']];
