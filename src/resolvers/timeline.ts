import { builder, notes } from './builder.ts';
import { ConversationType, headOf, membershipOf } from './conversation.ts';
import { historyInput } from './history-ahead.ts';
import { MessageChangePageType, MessageConnectionType, MessageType } from './message.ts';
import { pageOf } from './page.ts';

/** What a conversation shows of its timeline. */
builder.objectFields(ConversationType, (t) => ({
  lastMessage: t.field({
    type: MessageType,
    nullable: true,
    description: 'The newest message; null while there is none that the viewer may see.',
    resolve: async (node, _args, context) => {
      const { id, lastSeq } = await headOf(node, context);
      if (lastSeq === 0) return null;
      return context.loaders.messages.load({ conversationId: id, seq: lastSeq });
    },
  }),
  messages: t.field({
    type: MessageConnectionType,
    description:
      'Roaming history, oldest first within a page. A cursor is the decimal seq, so a client may make its own:\n' +
      '`first: 50, after: "1200"` is 1201 to 1250; `last: 50, before: "1201"` is 1151 to 1200; `last: 50` is the newest page.\n' +
      'Reaches back through every storage tier to the first message that the viewer may see. At most 200 a page.',
    args: {
      first: t.arg.int({ required: false, description: 'The oldest so many.' }),
      after: t.arg.string({ required: false, description: 'Only seqs above this one.' }),
      last: t.arg.int({
        required: false,
        description: 'The newest so many; 50 where neither first nor last is given.',
      }),
      before: t.arg.string({ required: false, description: 'Only seqs below this one.' }),
    },
    extensions: notes({ perViewer: true, cost: 20 }),
    resolve: async (node, args, context) => {
      const page =
        node.page ??
        (await context.doors.messages.page(await membershipOf(node, context), historyInput(args)));
      return pageOf(page.messages, page, (message) => ({
        cursor: String(message.seq),
        node: message,
      }));
    },
  }),
  message: t.field({
    type: MessageType,
    nullable: true,
    description: 'Null where there is none at that seq that the viewer may see.',
    args: { seq: t.arg.int({ description: 'Its position in the timeline.' }) },
    extensions: notes({ perViewer: true }),
    resolve: async (node, { seq }, context) => {
      await membershipOf(node, context);
      return context.loaders.messages.load({ conversationId: node.id, seq });
    },
  }),
  messageChanges: t.field({
    type: MessageChangePageType,
    description:
      'Messages changed after that changeSeq, each once, ordered by its latest change, as they are now: how a client that kept a part of the history brings it up to date. At most 200 a page.',
    args: {
      after: t.arg.int({ description: 'The last changeSeq that the client knows; 0: none.' }),
      first: t.arg.int({ defaultValue: 50, description: 'How many; at most 200.' }),
    },
    extensions: notes({ perViewer: true, cost: 20 }),
    resolve: async (node, { after, first }, context) =>
      context.doors.messages.changes(await membershipOf(node, context), after, first),
  }),
}));
