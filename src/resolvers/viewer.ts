import { requireViewer } from './context.ts';
import type { Viewer } from '../domain/session/session.ts';
import { Fault } from '../lib/fault.ts';
import { limits } from '../limits.ts';
import { builder, notes } from './builder.ts';
import { ConversationConnectionType } from './conversation.ts';
import { InboxPageType } from './inbox-event.ts';
import { checkFirst, pageOf } from './page.ts';
import { selects } from './selection.ts';
import { SessionType } from './session.ts';
import { UserType } from './user.ts';

/** The signed-in user and what only they may see. */
export const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'The signed-in user and what only they may see.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'The viewer as others see them.',
      resolve: ({ userId }) => ({ userId }),
    }),
    session: t.field({
      type: SessionType,
      description: 'The session that asks.',
      resolve: async ({ sessionId }, _args, context) => {
        const session = await context.loaders.sessions.load(sessionId);
        if (session) return session;
        throw new Fault('UNAUTHENTICATED', 'The session has ended: sign in again.');
      },
    }),
    sessions: t.field({
      type: [SessionType],
      description: 'All live sessions of the viewer, this one included, latest first.',
      resolve: (_viewer, _args, context) => context.loaders.liveSessions,
    }),
    conversations: t.field({
      type: ConversationConnectionType,
      description: 'Latest activity first.',
      args: {
        first: t.arg.int({ defaultValue: 50, description: 'How many; at most 200.' }),
        after: t.arg.string({ required: false, description: 'The cursor of an edge.' }),
      },
      resolve: async (viewer, args, context, info) => {
        const { conversations } = context.doors;
        const page = await conversations.list(viewer, {
          first: args.first,
          after: args.after ?? null,
          // Read with the list, since a second question to each shard would have to wait for it.
          withLastMessages: selects(info, ['edges', 'node', 'lastMessage']),
        });
        for (const message of page.lastMessages) context.loaders.messages.prime(message, message);
        return pageOf(page.memberships, page, (membership) => {
          const { id } = membership.head;
          context.loaders.memberships.prime(id, membership);
          return { cursor: conversations.listCursor(membership), node: { id, membership } };
        });
      },
    }),
    inbox: t.field({
      type: InboxPageType,
      description:
        'Pull form of the inbox subscription, for offline catch-up: up to `first` events after the cursor; without a cursor, no events and the present head.',
      args: {
        after: t.arg({
          type: 'InboxCursor',
          required: false,
          description:
            'The last cursor processed. Without it, the head is taken before any other field of the operation is read.',
        }),
        first: t.arg.int({ defaultValue: 200, description: 'How many; at most 1,000.' }),
      },
      extensions: notes({ cost: 20 }),
      resolve: (viewer, { after, first }, context) => {
        checkFirst(first, limits.inboxPullEventsMax);
        const head = after == null ? context.inboxHead : null;
        return head?.page ?? context.streams.inboxPage(viewer, after ?? null, first);
      },
    }),
    unreadCount: t.int({
      description: 'Unread messages over all conversations.',
      resolve: (viewer, _args, context) => context.doors.conversations.unreadTotal(viewer),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    description:
      'The signed-in user and what only they may see. Fault UNAUTHENTICATED without a valid access token.',
    resolve: (_root, _args, context) => requireViewer(context),
  }),
);
