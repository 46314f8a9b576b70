import { requireViewer } from './context.ts';
import type { InboxEvent, InboxPage } from '../domain/inbox/inbox.ts';
import { builder, notes } from './builder.ts';
import { ConversationType } from './conversation.ts';
import { encodeId } from './global-id.ts';
import { MessageType } from './message.ts';
import { UserType } from './user.ts';
import { WalletEntryType } from './wallet.ts';

type Of<K extends InboxEvent['kind']> = Extract<InboxEvent, { kind: K }>;

/** Something that happened to the viewer. */
export const InboxEventType = builder.interfaceRef<InboxEvent>('InboxEvent').implement({
  description:
    'Something that happened to the viewer. Applying every event, in order, to what a query returned at an earlier cursor gives what the query returns now.',
  fields: (t) => ({
    cursor: t.expose('cursor', {
      type: 'InboxCursor',
      description: 'The position after this event: keep it once the event is processed.',
      extensions: notes({ perViewer: 'cursor' }),
    }),
    at: t.expose('atMs', { type: 'DateTime', description: 'When it happened.' }),
  }),
  resolveType: ({ kind }) => kind,
});
const interfaces = [InboxEventType];

builder.objectRef<Of<'MessageAdded'>>('MessageAdded').implement({
  description: 'A conversation of the viewer has a new message.',
  interfaces,
  fields: (t) => ({
    message: t.expose('message', { type: MessageType, description: 'The message, as it is now.' }),
  }),
});

builder.objectRef<Of<'MessageChanged'>>('MessageChanged').implement({
  description:
    "Edited, recalled, or its red packet's state changed. changeSeq is the event's own position; the message is shown as it is now and may have changed again.",
  interfaces,
  fields: (t) => ({
    message: t.expose('message', { type: MessageType, description: 'The message, as it is now.' }),
    changeSeq: t.exposeInt('changeSeq', {
      description: "The event's own position among the conversation's changes.",
    }),
  }),
});

builder.objectRef<Of<'ReadAdvanced'>>('ReadAdvanced').implement({
  description: 'A member has read on; in larger groups told of the viewer alone.',
  interfaces,
  fields: (t) => ({
    conversation: t.field({
      type: ConversationType,
      description: 'Where.',
      resolve: ({ conversationId }) => ({ id: conversationId }),
    }),
    user: t.field({
      type: UserType,
      description: 'Who.',
      resolve: ({ userId }) => ({ userId }),
    }),
    readSeq: t.exposeInt('readSeq', { description: 'They have read everything up to this seq.' }),
  }),
});

builder.objectRef<Of<'ConversationChanged'>>('ConversationChanged').implement({
  description: 'Created, renamed, or its members changed.',
  interfaces,
  fields: (t) => ({
    conversation: t.field({
      type: ConversationType,
      description: 'The conversation, as it is now.',
      resolve: ({ conversationId }) => ({ id: conversationId }),
    }),
  }),
});

builder.objectRef<Of<'ConversationRemoved'>>('ConversationRemoved').implement({
  description: 'The viewer left or was removed.',
  interfaces,
  fields: (t) => ({
    conversationId: t.id({
      description: 'The conversation, which the viewer sees no more.',
      resolve: ({ conversationId }) => encodeId('Conversation', conversationId),
    }),
  }),
});

builder.objectRef<Of<'ConversationAdvanced'>>('ConversationAdvanced').implement({
  description:
    'A large group moved on (messages, changes, members, title): notice only, coalesced. Pull what is new, or follow it with Subscription.conversation.',
  interfaces,
  fields: (t) => ({
    conversation: t.field({
      type: ConversationType,
      description: 'The group, as it is now.',
      resolve: ({ conversationId }) => ({ id: conversationId }),
    }),
    lastSeq: t.exposeInt('lastSeq', { description: 'How far its messages went, at least.' }),
    changeSeq: t.exposeInt('changeSeq', { description: 'How far its changes went, at least.' }),
  }),
});

builder.objectRef<Of<'WalletChanged'>>('WalletChanged').implement({
  description: "The viewer's wallet got an entry.",
  interfaces,
  fields: (t) => ({
    entry: t.expose('entry', { type: WalletEntryType, description: 'The entry.' }),
    balance: t.field({
      type: 'MinorUnits',
      description: 'The balance right after that entry.',
      resolve: ({ entry }) => entry.balance,
    }),
  }),
});

builder.objectRef<Of<'InboxHeartbeat'>>('InboxHeartbeat').implement({
  description:
    'Nothing new: the head. Sent once when the replay is done (from here on it is live), and whenever the inbox was quiet for 30 s, so that a lost last event is noticed.',
  interfaces,
});

builder.objectRef<Of<'InboxReset'>>('InboxReset').implement({
  description:
    'The log cannot go on from where the client was: query the conversations afresh, pull what moved (lastSeq, changeSeq), go on from this cursor. Messages are never lost by it: histories hold them all.',
  interfaces,
});

/** The answer of `Viewer.inbox`. */
export const InboxPageType = builder.objectRef<InboxPage>('InboxPage').implement({
  description: "A stretch of the viewer's inbox.",
  fields: (t) => ({
    events: t.expose('events', { type: [InboxEventType], description: 'In order.' }),
    endCursor: t.expose('endCursor', {
      type: 'InboxCursor',
      description: 'The position after the last event, also where there is none: go on from it.',
    }),
    hasMore: t.exposeBoolean('hasMore', { description: 'Whether more events wait already.' }),
  }),
});

builder.subscriptionField('inbox', (t) =>
  t.field({
    type: InboxEventType,
    description:
      "The viewer's sync timeline: first everything after the cursor, then live, in order, without gap or\n" +
      'repeat, on any gate. Without a cursor: from now on. Where the log cannot go on (it does not reach back to the\n' +
      'cursor, or it was lost meanwhile) InboxReset comes, at any point. One subscription carries all conversations.',
    args: {
      after: t.arg({
        type: 'InboxCursor',
        required: false,
        description: 'The last cursor processed.',
      }),
    },
    subscribe: (_root, { after }, context) =>
      context.streams.inbox(requireViewer(context), after ?? null),
    resolve: (event) => event,
  }),
);
