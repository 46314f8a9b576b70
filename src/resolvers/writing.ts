import { requireViewer, type Context } from './context.ts';
import type { Member, Message } from '../domain/timeline/timeline.ts';
import { builder, notes } from './builder.ts';
import { contentOf, MessageContentInput } from './content.ts';
import type { Fault } from '../lib/fault.ts';
import { decodeIdOf, idArgument } from './global-id.ts';
import { MemberType } from './member.ts';
import { MessageType } from './message.ts';

const SendMessageInput = builder.inputType('SendMessageInput', {
  description: 'A message to send.',
  fields: (t) => ({
    conversationId: t.id({ description: 'Where to.' }),
    clientMessageId: t.string({
      description: '1 to 64 characters, made by the client once per message and kept over retries.',
    }),
    content: t.field({ type: MessageContentInput, description: 'What it says.' }),
    replyToSeq: t.int({
      required: false,
      description: 'The seq of a message that the viewer may see.',
    }),
  }),
});

const RecallMessageInput = builder.inputType('RecallMessageInput', {
  description: 'The message to recall.',
  fields: (t) => ({
    conversationId: t.id({ description: 'Where it stands.' }),
    seq: t.int({ description: 'Its position there.' }),
  }),
});

const EditMessageInput = builder.inputType('EditMessageInput', {
  description: 'The message to edit, and what it shall say.',
  fields: (t) => ({
    conversationId: t.id({ description: 'Where it stands.' }),
    seq: t.int({ description: 'Its position there.' }),
    content: t.field({
      type: MessageContentInput,
      description: 'Of the same kind as before; of custom content, of the same type.',
    }),
  }),
});

const MarkReadInput = builder.inputType('MarkReadInput', {
  description: 'How far the viewer has read.',
  fields: (t) => ({
    conversationId: t.id({ description: 'The conversation.' }),
    seq: t.int({ description: 'Everything up to here is read.' }),
  }),
});

const SendMessagePayload = builder
  .objectRef<{ message: Message; isDuplicate: boolean }>('SendMessagePayload')
  .implement({
    description: 'Answers `sendMessage`.',
    fields: (t) => ({
      message: t.expose('message', {
        type: MessageType,
        description: 'The message, as it is now.',
      }),
      isDuplicate: t.exposeBoolean('isDuplicate', {
        description: 'Whether an earlier call with this clientMessageId had sent it already.',
      }),
    }),
  });

const RecallMessagePayload = builder
  .objectRef<{ message: Message }>('RecallMessagePayload')
  .implement({
    description: 'Answers `recallMessage`.',
    fields: (t) => ({
      message: t.expose('message', {
        type: MessageType,
        description: 'The message, as it is now.',
      }),
    }),
  });

const EditMessagePayload = builder.objectRef<{ message: Message }>('EditMessagePayload').implement({
  description: 'Answers `editMessage`.',
  fields: (t) => ({
    message: t.expose('message', { type: MessageType, description: 'The message, as it is now.' }),
  }),
});

const MarkReadPayload = builder.objectRef<{ member: Member }>('MarkReadPayload').implement({
  description: 'Answers `markRead`.',
  fields: (t) => ({
    member: t.expose('member', {
      type: MemberType,
      description: "The viewer's membership, as it is now.",
    }),
  }),
});

builder.mutationFields((t) => ({
  sendMessage: t.field({
    type: SendMessagePayload,
    description:
      "Appends to the conversation's timeline. Answers after the message is durably committed, with its seq.\n" +
      "Idempotent for ever on (conversation, sender, clientMessageId): a retry returns the first call's message\n" +
      'with isDuplicate true; the same key with another content is fault IDEMPOTENCY_CONFLICT.',
    args: { input: t.arg({ type: SendMessageInput, description: 'The message.' }) },
    extensions: notes({ busy: sendingIsBusy }),
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const { messages, rates } = context.doors;
      const conversationId = idArgument('Conversation', input.conversationId, 'conversationId');
      // As where it is refused unexecuted: what nobody has time for is not looked at, and counts for nothing.
      const busy = messages.busy(conversationId);
      if (busy) throw busy;
      const message = {
        conversationId,
        clientMessageId: input.clientMessageId,
        content: contentOf(input.content),
        replyToSeq: input.replyToSeq ?? null,
      };
      return rates.within('send', String(viewer.userId), () => messages.send(viewer, message));
    },
  }),
  recallMessage: t.field({
    type: RecallMessagePayload,
    description:
      "Withdraws a message for everyone: content becomes RecalledContent; seq and place stay. Own messages inside the app's recall window; at any time the owner any message, an admin their own and plain members'.",
    args: { input: t.arg({ type: RecallMessageInput, description: 'Which message.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      return { message: await context.doors.messages.recall(viewer, id, input.seq) };
    },
  }),
  editMessage: t.field({
    type: EditMessagePayload,
    description:
      "Replaces a message's content. For its sender, inside the app's edit window; an edit to the same content changes nothing.",
    args: { input: t.arg({ type: EditMessageInput, description: 'Which message, and its text.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      const content = contentOf(input.content);
      return { message: await context.doors.messages.edit(viewer, id, input.seq, content) };
    },
  }),
  markRead: t.field({
    type: MarkReadPayload,
    description:
      'The viewer has seen everything up to seq. Monotonic; a smaller seq changes nothing; above lastSeq is clamped.',
    args: { input: t.arg({ type: MarkReadInput, description: 'How far.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('Conversation', input.conversationId, 'conversationId');
      return { member: await context.doors.messages.markRead(viewer, id, input.seq) };
    },
  }),
}));

/** Who may send nothing at all is told that, and not to come again. */
function sendingIsBusy(
  { input }: Readonly<Record<string, unknown>>,
  { doors, viewer }: Context,
): Fault | null {
  if (!viewer || doors.sessions.isEnded(viewer.sessionId) !== null) return null;
  const { conversationId } = (input ?? {}) as { readonly conversationId?: unknown };
  const id = typeof conversationId === 'string' ? decodeIdOf('Conversation', conversationId) : null;
  return id === null ? null : doors.messages.busy(id);
}
