import { requireViewer } from './context.ts';
import { builder } from './builder.ts';
import { conversationPayload, payloadOf } from './conversation-payload.ts';
import { idArgument } from './global-id.ts';

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

const OpenDirectPayload = conversationPayload('OpenDirectPayload', 'openDirect');
const CreateGroupPayload = conversationPayload('CreateGroupPayload', 'createGroup');
builder.mutationFields((t) => ({
  openDirect: t.field({
    type: OpenDirectPayload,
    description:
      'The one direct conversation with that user; created on first use. Same pair, same conversation, from either side.',
    args: { userId: t.arg.id({ description: 'The other side; the viewer: notes to self.' }) },
    resolve: async (_root, args, context) => {
      const viewer = requireViewer(context);
      const peerId = idArgument('User', args.userId, 'userId');
      return payloadOf(await context.doors.conversations.openDirect(viewer, peerId));
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
      return payloadOf(
        await context.doors.conversations.createGroup(viewer, {
          clientRequestId,
          title,
          memberIds,
        }),
      );
    },
  }),
}));
