import { requireViewer } from './context.ts';
import type { TypingEvent } from '../domain/inbox/inbox.ts';
import { builder } from './builder.ts';
import { encodeId, idArgument } from './global-id.ts';
import { UserType } from './user.ts';

const TypingEventType = builder.objectRef<TypingEvent>('TypingEvent').implement({
  description: 'Somebody began or stopped typing.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who; never the viewer.',
      resolve: ({ userId }) => ({ userId }),
    }),
    isTyping: t.exposeBoolean('isTyping', { description: 'Whether they are typing now.' }),
  }),
});

builder.subscriptionField('typing', (t) =>
  t.field({
    type: TypingEventType,
    description:
      'Typing in a conversation. Ephemeral: never stored, never replayed; a state that is not renewed ends by itself after 6 s.',
    args: { conversationId: t.arg.id({ description: 'The conversation.' }) },
    subscribe: (_root, { conversationId }, context) =>
      context.streams.typing(
        requireViewer(context),
        idArgument('Conversation', conversationId, 'conversationId'),
      ),
    resolve: (event) => event,
  }),
);

const SetTypingPayload = builder
  .objectRef<{ conversationId: string }>('SetTypingPayload')
  .implement({
    description: 'Answers `setTyping`.',
    fields: (t) => ({
      conversationId: t.exposeID('conversationId', { description: 'The conversation.' }),
    }),
  });

builder.mutationField('setTyping', (t) =>
  t.field({
    type: SetTypingPayload,
    description:
      'Tells the others that the viewer is typing, or not any more. Renew it within 6 s while it goes on.',
    args: {
      conversationId: t.arg.id({ description: 'The conversation.' }),
      isTyping: t.arg.boolean({ description: 'Whether the viewer is typing.' }),
    },
    resolve: async (_root, { conversationId, isTyping }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', conversationId, 'conversationId');
      await context.streams.setTyping(viewer, id, isTyping);
      return { conversationId: encodeId('Conversation', id) };
    },
  }),
);
