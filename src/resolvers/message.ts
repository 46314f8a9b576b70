import type { Message } from '../domain/timeline/timeline.ts';
import { builder, notes } from './builder.ts';
import { MessageContentType } from './content.ts';
import { ConversationType } from './conversation.ts';
import { encodeMessageId } from './global-id.ts';
import { NodeType } from './node.ts';
import { PageInfoType, type Edge, type Page } from './page.ts';
import { UserType } from './user.ts';

/** One entry of a timeline, as it is now. */
export const MessageType = builder.objectRef<Message>('Message');
MessageType.implement({
  description: "One entry of a conversation's timeline, as it is now.",
  interfaces: [NodeType],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; begins with `m_`.',
      resolve: ({ conversationId, seq }) => encodeMessageId(conversationId, seq),
    }),
    conversation: t.field({
      type: ConversationType,
      description: 'Where it stands.',
      resolve: ({ conversationId }) => ({ id: conversationId }),
    }),
    seq: t.exposeInt('seq', {
      description: "Position in the conversation's timeline: 1, 2, 3, … without gap or repeat.",
    }),
    sender: t.field({
      type: UserType,
      nullable: true,
      description: 'Null for a system message.',
      resolve: ({ senderId }) => (senderId === null ? null : { userId: senderId }),
    }),
    clientMessageId: t.exposeString('clientMessageId', {
      nullable: true,
      description: 'As its sender gave it; null for a system message.',
    }),
    content: t.expose('content', {
      type: MessageContentType,
      description: 'What it says, as it is now: edits and recalls replace it.',
    }),
    createdAt: t.expose('createdAtMs', {
      type: 'DateTime',
      description: 'When it was committed; never before the message before it.',
    }),
    editedAt: t.expose('editedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last edited; null: never.',
    }),
    recalledAt: t.expose('recalledAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was recalled; null: it was not.',
    }),
    changeSeq: t.exposeInt('changeSeq', {
      description:
        "The conversation's changeSeq when this message last changed; 0: it is as it was sent.",
    }),
    replyToSeq: t.exposeInt('replyToSeq', {
      nullable: true,
      description: 'The seq that it replies to; null where it replies to nothing.',
    }),
    replyTo: t.field({
      type: MessageType,
      nullable: true,
      description: 'Null where it replies to nothing, or to a message that the viewer may not see.',
      extensions: notes({ perViewer: 'replyTo' }),
      resolve: ({ conversationId, replyToSeq }, _args, context) =>
        replyToSeq === null
          ? null
          : context.loaders.messages.load({ conversationId, seq: replyToSeq }),
    }),
    readCount: t.int({
      description:
        'How many members other than its sender have read it, by their readSeq; in groups of any size.',
      resolve: ({ conversationId, seq, senderId }, _args, context) =>
        context.loaders.readCounts.load({ conversationId, seq, senderId }),
    }),
  }),
});

const MessageEdge = builder.objectRef<Edge<Message>>('MessageEdge').implement({
  description: 'A message at its place in the timeline.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Its seq, in decimal.' }),
    node: t.expose('node', { type: MessageType, description: 'The message.' }),
  }),
});

/** A page of messages. */
export const MessageConnectionType = builder
  .objectRef<Page<Message>>('MessageConnection')
  .implement({
    description: 'A page of messages, oldest first.',
    fields: (t) => ({
      edges: t.expose('edges', { type: [MessageEdge], description: 'By rising seq.' }),
      pageInfo: t.field({
        type: PageInfoType,
        description: 'Where the page stands.',
        resolve: (page) => page,
      }),
    }),
  });

/** A page of changed messages. */
export const MessageChangePageType = builder
  .objectRef<{ messages: readonly Message[]; endChangeSeq: number; hasMore: boolean }>(
    'MessageChangePage',
  )
  .implement({
    description: 'Messages that have changed.',
    fields: (t) => ({
      messages: t.expose('messages', {
        type: [MessageType],
        description: 'Each once, ordered by its latest change, as it is now.',
      }),
      endChangeSeq: t.exposeInt('endChangeSeq', {
        description: 'The client knows all changes up to here: go on from it.',
      }),
      hasMore: t.exposeBoolean('hasMore', { description: 'Whether there are more changes.' }),
    }),
  });
