import { requireViewer } from './context.ts';
import type { Member } from '../domain/timeline/timeline.ts';
import { builder } from './builder.ts';
import { conversationPayload, payloadOf } from './conversation-payload.ts';
import { encodeId, idArgument } from './global-id.ts';
import { MemberRoleType, MemberType } from './member.ts';

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
  updateGroup: t.field({
    type: UpdateGroupPayload,
    description: "Changes a group's title. For its owner and admins.",
    args: { input: t.arg({ type: UpdateGroupInput, description: 'What to change.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      return payloadOf(await context.doors.conversations.rename(viewer, id, input.title));
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
      return payloadOf(await context.doors.conversations.addMembers(viewer, id, userIds));
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
      return payloadOf(await context.doors.conversations.removeMember(viewer, id, userId));
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
