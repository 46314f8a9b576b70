/** What users do, each as one mutation. */
import { createHash } from 'node:crypto';
import {
  AddMembersDocument,
  CreateGroupDocument,
  EditMessageDocument,
  LeaveGroupDocument,
  MarkReadDocument,
  OpenDirectDocument,
  RecallMessageDocument,
  RemoveMemberDocument,
  SendMessageDocument,
  SetMemberRoleDocument,
  UpdateGroupDocument,
  type MemberRole,
} from '../../client/generated/documents.ts';
import type { TestUser } from './clients.ts';

export async function open(user: TestUser, other: TestUser): Promise<string> {
  return (await user.query(OpenDirectDocument, { userId: other.id })).openDirect.conversation.id;
}

/** A retry of the same text is the same message. */
export function say(user: TestUser, conversationId: string, text: string, replyToSeq?: number) {
  const content = { text: { text } };
  const reply = replyToSeq === undefined ? {} : { replyToSeq };
  const input = { conversationId, clientMessageId: text, content, ...reply };
  return user.query(SendMessageDocument, { input });
}

export function edit(user: TestUser, conversationId: string, seq: number, text: string) {
  return user.query(EditMessageDocument, {
    input: { conversationId, seq, content: { text: { text } } },
  });
}

export function recall(user: TestUser, conversationId: string, seq: number) {
  return user.query(RecallMessageDocument, { input: { conversationId, seq } });
}

export function read(user: TestUser, conversationId: string, seq: number) {
  return user.query(MarkReadDocument, { input: { conversationId, seq } });
}

/** One owner's groups of the same others are the same one. */
export async function group(owner: TestUser, ...others: TestUser[]): Promise<string> {
  const memberIds = others.map(({ id }) => id).sort();
  const clientRequestId = createHash('sha256').update(memberIds.join()).digest('hex');
  const input = { clientRequestId, title: 'Group', memberIds };
  return (await owner.query(CreateGroupDocument, { input })).createGroup.conversation.id;
}

export function add(user: TestUser, conversationId: string, ...others: TestUser[]) {
  const userIds = others.map(({ id }) => id);
  return user.query(AddMembersDocument, { input: { conversationId, userIds } });
}

export function remove(user: TestUser, conversationId: string, { id: userId }: TestUser) {
  return user.query(RemoveMemberDocument, { input: { conversationId, userId } });
}

export function leave(user: TestUser, conversationId: string) {
  return user.query(LeaveGroupDocument, { conversationId });
}

export function rename(user: TestUser, conversationId: string, title: string) {
  return user.query(UpdateGroupDocument, { input: { conversationId, title } });
}

export function setRole(
  user: TestUser,
  conversationId: string,
  { id: userId }: TestUser,
  role: MemberRole,
) {
  return user.query(SetMemberRoleDocument, { input: { conversationId, userId, role } });
}
