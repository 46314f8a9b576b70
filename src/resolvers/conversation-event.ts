import { requireViewer } from './context.ts';
import type { ConversationEvent } from '../domain/inbox/inbox.ts';
import { builder } from './builder.ts';
import { idArgument } from './global-id.ts';
import { MessageType } from './message.ts';

type Of<K extends ConversationEvent['kind']> = Extract<ConversationEvent, { kind: K }>;

const AddedType = builder
  .objectRef<Of<'ConversationMessageAdded'>>('ConversationMessageAdded')
  .implement({
    description: 'A new message: their seqs follow one another.',
    fields: (t) => ({
      message: t.expose('message', {
        type: MessageType,
        description: 'The message, as it is now.',
      }),
    }),
  });

const ChangedType = builder
  .objectRef<Of<'ConversationMessageChanged'>>('ConversationMessageChanged')
  .implement({
    description:
      "changeSeq is the event's own position, to resume from: the message, shown as it is now, may have changed again.",
    fields: (t) => ({
      message: t.expose('message', {
        type: MessageType,
        description: 'The message, as it is now.',
      }),
      changeSeq: t.exposeInt('changeSeq', {
        description: "The event's own position among the conversation's changes.",
      }),
    }),
  });

const CaughtUpType = builder
  .objectRef<Of<'ConversationCaughtUp'>>('ConversationCaughtUp')
  .implement({
    description:
      'The replay is done, from here on it is live; once per subscription, also after an empty replay.',
    fields: (t) => ({
      lastSeq: t.exposeInt('lastSeq', { description: 'The client has all messages up to here.' }),
      changeSeq: t.exposeInt('changeSeq', {
        description: 'The client has all changes up to here.',
      }),
    }),
  });

const ConversationEventType = builder.unionType('ConversationEvent', {
  description: 'Something that happened in a conversation that is followed.',
  types: [AddedType, ChangedType, CaughtUpType],
  resolveType: ({ kind }) => kind,
});

builder.subscriptionField('conversation', (t) =>
  t.field({
    type: ConversationEventType,
    description:
      "One conversation's timeline, replay then live, without gap or repeat: how a client follows a conversation\n" +
      'that is open on screen, whatever its size. Replays messages after afterSeq and, where afterChangeSeq is given,\n' +
      'messages up to afterSeq that changed since then; says ConversationCaughtUp; then goes on live. Without afterSeq: from now on.',
    args: {
      id: t.arg.id({ description: 'The conversation.' }),
      afterSeq: t.arg.int({ required: false, description: 'The last seq that the client has.' }),
      afterChangeSeq: t.arg.int({
        required: false,
        description: 'The last changeSeq that the client has; only beside afterSeq.',
      }),
    },
    subscribe: (_root, { id, afterSeq, afterChangeSeq }, context) =>
      context.streams.conversation(requireViewer(context), idArgument('Conversation', id, 'id'), {
        afterSeq: afterSeq ?? null,
        afterChangeSeq: afterChangeSeq ?? null,
      }),
    resolve: (event) => event,
  }),
);
