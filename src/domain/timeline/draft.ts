import type { Fault } from '../../lib/fault.ts';
import type { Statement } from '../../storage/sql.ts';
import type { DraftContent, Member, Message, Role } from './model.ts';

/**
 * What somebody wants to happen to a conversation, with its arguments already checked for form. Whether it is
 * possible and allowed the writer decides, under the head lock.
 */
export type Draft =
  | OpenDirect
  | CreateGroup
  | Send
  | PostRedPacket
  | TellRedPacket
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
/**
 * Posts a red packet whose money has left its sender's wallet. Decided once for ever, by the packet's id: accepted, or refused, and
 * then what takes the money back is written instead.
 */
export interface PostRedPacket extends InConversation {
  readonly kind: 'postRedPacket';
  readonly clientMessageId: string;
  readonly payloadHash: Uint8Array;
  readonly redPacketId: bigint;
  /** A member too, where it is for one alone. */
  readonly recipientId: bigint | null;
  /** What is written beside the message. */
  accepted(place: RedPacketPlace): readonly Statement[];
  /** What is written where the conversation refuses. */
  refused(fault: Fault, atMs: number): readonly Statement[];
}
/** Where a red packet was posted. */
export interface RedPacketPlace {
  readonly seq: number;
  readonly createdAtMs: number;
  /** A direct conversation of two. */
  readonly isBetweenTwo: boolean;
}
/** Tells that the state of a red packet changed, as a change of its message. Nobody asks for it. */
export interface TellRedPacket {
  readonly kind: 'tellRedPacket';
  readonly conversationId: bigint;
  readonly seq: number;
  readonly redPacketId: bigint;
  /** What is written in the same transaction. */
  readonly beside: readonly Statement[];
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
  postRedPacket:
    | { readonly kind: 'accepted'; readonly message: Message; readonly isDuplicate: boolean }
    | { readonly kind: 'refused'; readonly fault: Fault; readonly isDuplicate: boolean };
  tellRedPacket: { readonly message: Message | null };
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
