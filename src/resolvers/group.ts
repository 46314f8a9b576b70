import { requireViewer } from '../context.ts';
import type { Membership } from '../domain/conversation/conversation.ts';
import type { Member } from '../domain/timeline/timeline.ts';
import { builder } from './builder.ts';
import { ConversationType, type ConversationNode } from './conversation.ts';
import { encodeId, idArgument } from './global-id.ts';
import { MemberRoleType, MemberType } from './member.ts';

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  description: 'A new group.',
  fields: (t) => ({
    clientRequestId: t.string({
      description: 'Makes the call idempotent per viewer. 1 to 64 characters.',
    }),
    title: t.string({ description: '1 to 128 characters.' }),
    memberIds: t.idList({
      description:
        'Besides the viewer, who becomes the owner. A set: order and repeats are no matter.',
    }),
  }),
});

const UpdateGroupInput = builder.inputType('UpdateGroupInput', {
  description: 'What to change of a group.',
  fields: (t) => ({
    conversationId: t.id({ description: 'The group.' }),
    title: t.string({ description: 'The new title, 1 to 128 characters.' }),
  }),
});

const AddMembersInput = builder.inputType('AddMembersInput', {
  description: 'Whom to add to a group.',
  fields: (t) => ({
    conversationId: t.id({ description: 'The group.' }),
    userIds: t.idList({ description: 'At most 1,000; who is a member already stays as they are.' }),
  }),
});

const RemoveMemberInput = builder.inputType('RemoveMemberInput', {
  description: 'Whom to remove from a group.',
  fields: (t) => ({
    conversationId: t.id({ description: 'The group.' }),
    userId: t.id({ description: 'A member other than the viewer, who would use `leaveGroup`.' }),
  }),
});

const SetMemberRoleInput = builder.inputType('SetMemberRoleInput', {
  description: 'Whom to give which role.',
  fields: (t) => ({
    conversationId: t.id({ description: 'The group.' }),
    userId: t.id({ description: 'The member.' }),
    role: t.field({
      type: MemberRoleType,
      description: 'OWNER hands the group over: the viewer becomes ADMIN.',
    }),
  }),
});

const OpenDirectPayload = conversationPayload('OpenDirectPayload', 'openDirect');
const CreateGroupPayload = conversationPayload('CreateGroupPayload', 'createGroup');
const UpdateGroupPayload = conversationPayload('UpdateGroupPayload', 'updateGroup');
const AddMembersPayload = conversationPayload('AddMembersPayload', 'addMembers');
const RemoveMemberPayload = conversationPayload('RemoveMemberPayload', 'removeMember');

const LeaveGroupPayload = builder
  .objectRef<{ conversationId: string }>('LeaveGroupPayload')
  .implement({
    description: 'Answers `leaveGroup`.',
    fields: (t) => ({
      conversationId: t.exposeID('conversationId', { description: 'The group that was left.' }),
    }),
  });

const SetMemberRolePayload = builder
  .objectRef<{ member: Member }>('SetMemberRolePayload')
  .implement({
    description: 'Answers `setMemberRole`.',
    fields: (t) => ({
      member: t.expose('member', { type: MemberType, description: 'The member, as they are now.' }),
    }),
  });

builder.mutationFields((t) => ({
  openDirect: t.field({
    type: OpenDirectPayload,
    description:
      'The one direct conversation with that user; created on first use. Same pair, same conversation, from either side.',
    args: { userId: t.arg.id({ description: 'The other side; the viewer: notes to self.' }) },
    resolve: async (_root, args, context) => {
      const viewer = requireViewer(context);
      const peerId = idArgument('User', args.userId, 'userId');
      return payload(await context.doors.conversations.openDirect(viewer, peerId));
    },
  }),
  createGroup: t.field({
    type: CreateGroupPayload,
    description:
      'Creates a group. The same clientRequestId with the same input gives the same group, with another input fault IDEMPOTENCY_CONFLICT.',
    args: { input: t.arg({ type: CreateGroupInput, description: 'The group.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const { clientRequestId, title } = input;
      const memberIds = input.memberIds.map((id) => idArgument('User', id, 'memberIds'));
      return payload(
        await context.doors.conversations.createGroup(viewer, {
          clientRequestId,
          title,
          memberIds,
        }),
      );
    },
  }),
  updateGroup: t.field({
    type: UpdateGroupPayload,
    description: "Changes a group's title. For its owner and admins.",
    args: { input: t.arg({ type: UpdateGroupInput, description: 'What to change.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      return payload(await context.doors.conversations.rename(viewer, id, input.title));
    },
  }),
  addMembers: t.field({
    type: AddMembersPayload,
    description:
      'Adds members to a group. Any member may. Adding a present member changes nothing.',
    args: { input: t.arg({ type: AddMembersInput, description: 'Whom to add.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      const userIds = input.userIds.map((userId) => idArgument('User', userId, 'userIds'));
      return payload(await context.doors.conversations.addMembers(viewer, id, userIds));
    },
  }),
  removeMember: t.field({
    type: RemoveMemberPayload,
    description:
      'Removes a member from a group. The owner may remove anybody, an admin plain members.',
    args: { input: t.arg({ type: RemoveMemberInput, description: 'Whom to remove.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      const userId = idArgument('User', input.userId, 'userId');
      return payload(await context.doors.conversations.removeMember(viewer, id, userId));
    },
  }),
  leaveGroup: t.field({
    type: LeaveGroupPayload,
    description:
      'Leaves a group. An owner who leaves hands over to the admin, else the member, who joined first; the last one to leave ends the group.',
    args: { conversationId: t.arg.id({ description: 'The group.' }) },
    resolve: async (_root, { conversationId }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', conversationId, 'conversationId');
      await context.doors.conversations.leave(viewer, id);
      return { conversationId: encodeId('Conversation', id) };
    },
  }),
  setMemberRole: t.field({
    type: SetMemberRolePayload,
    description: 'Gives a member of a group another role. For its owner.',
    args: { input: t.arg({ type: SetMemberRoleInput, description: 'Whom to give which role.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      const userId = idArgument('User', input.userId, 'userId');
      return context.doors.conversations.setRole(viewer, id, userId, input.role);
    },
  }),
}));

function conversationPayload(name: string, answers: string) {
  return builder.objectRef<{ conversation: ConversationNode }>(name).implement({
    description: `Answers \`${answers}\`.`,
    fields: (t) => ({
      conversation: t.expose('conversation', {
        type: ConversationType,
        description: 'The conversation, as it is now.',
      }),
    }),
  });
}

function payload(membership: Membership): { conversation: ConversationNode } {
  return { conversation: { id: membership.head.id, membership } };
}
