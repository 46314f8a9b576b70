import { requireViewer, type Context } from './context.ts';
import type { Membership } from '../domain/conversation/conversation.ts';
import type { HistoryPage } from '../domain/message/message.ts';
import type { Head } from '../domain/timeline/timeline.ts';
import { Fault } from '../lib/fault.ts';
import { builder, notes } from './builder.ts';
import { decodeIdOf, encodeId } from './global-id.ts';
import { pageAhead } from './history-ahead.ts';
import { MemberConnectionType, MemberType } from './member.ts';
import { NodeType } from './node.ts';
import { PageInfoType, pageOf, type Edge, type Page } from './page.ts';

/** A conversation, known by id; the viewer's membership is looked up when more is asked of it. */
export interface ConversationNode {
  readonly id: bigint;
  readonly membership?: Membership;
  /** What its one field `messages` shows, where nothing else is asked of it. */
  readonly page?: HistoryPage;
}

export const ConversationKindType = builder.enumType('ConversationKind', {
  description: 'What a conversation is.',
  values: {
    DIRECT: { description: 'Between two users, or notes to self: one for each pair, for ever.' },
    GROUP: { description: 'Of any number of members, with an owner.' },
  } as const,
});

/** A conversation, its members and its timeline. */
export const ConversationType = builder.objectRef<ConversationNode>('Conversation');
ConversationType.implement({
  description:
    'A conversation, its members and its timeline. To one who is no member (any more), where a message of theirs leads here, id, kind and createdAt answer; the other fields are fault NOT_FOUND.',
  interfaces: [NodeType],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; begins with `c_`.',
      resolve: ({ id }) => encodeId('Conversation', id),
    }),
    kind: t.field({
      type: ConversationKindType,
      description: 'Whether it is a direct conversation or a group.',
      resolve: async (node, _args, context) => (await publicHead(node, context)).kind,
    }),
    title: t.string({
      nullable: true,
      description: 'Null for a direct conversation.',
      resolve: async (node, _args, context) => (await headOf(node, context)).title,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was created.',
      resolve: async (node, _args, context) => (await publicHead(node, context)).createdAtMs,
    }),
    lastSeq: t.int({
      description: 'Seq of the newest message; 0 while there is none.',
      resolve: async (node, _args, context) => (await headOf(node, context)).lastSeq,
    }),
    changeSeq: t.int({
      description:
        "Counts the changes to messages that were there already (edit, recall, a red packet's state): each takes the next number. 0: none yet.",
      resolve: async (node, _args, context) => (await headOf(node, context)).changeSeq,
    }),
    memberCount: t.int({
      description: 'How many members it has.',
      resolve: async (node, _args, context) => (await headOf(node, context)).memberCount,
    }),
    members: t.field({
      type: MemberConnectionType,
      description: 'Its members.',
      args: {
        first: t.arg.int({ defaultValue: 50, description: 'How many; at most 200.' }),
        after: t.arg.string({ required: false, description: 'The cursor of an edge.' }),
      },
      extensions: notes({ cost: 20 }),
      resolve: async (node, { first, after }, context) => {
        const { conversations } = context.doors;
        const membership = await membershipOf(node, context);
        const page = await conversations.members(membership, { first, after: after ?? null });
        return pageOf(page.members, page, (member) => ({
          cursor: conversations.memberCursor(member),
          node: member,
        }));
      },
    }),
    me: t.field({
      type: MemberType,
      description:
        "The viewer's own membership. It differs from viewer to viewer, so it is dear in a subscription.",
      extensions: notes({ perViewer: true }),
      resolve: async (node, _args, context) => (await membershipOf(node, context)).member,
    }),
  }),
});

const ConversationEdge = builder.objectRef<Edge<ConversationNode>>('ConversationEdge').implement({
  description: 'A conversation at its place in the list.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Opaque; give it as `after` to go on.' }),
    node: t.expose('node', { type: ConversationType, description: 'The conversation.' }),
  }),
});

/** A page of conversations. */
export const ConversationConnectionType = builder
  .objectRef<Page<ConversationNode>>('ConversationConnection')
  .implement({
    description: 'A page of conversations.',
    fields: (t) => ({
      edges: t.expose('edges', { type: [ConversationEdge], description: 'In order.' }),
      pageInfo: t.field({
        type: PageInfoType,
        description: 'Where the page stands.',
        resolve: (page) => page,
      }),
    }),
  });

builder.queryField('conversation', (t) =>
  t.field({
    type: ConversationType,
    nullable: true,
    description: 'Null where it does not exist or the viewer is no member: the two look the same.',
    args: { id: t.arg.id({ description: 'Its global id.' }) },
    resolve: async (_root, args, context, info) => {
      requireViewer(context);
      const id = decodeIdOf('Conversation', args.id);
      if (id === null) return null;
      const page = await pageAhead(id, context, info);
      if (page !== undefined) return page && { id, page };
      const membership = await context.loaders.memberships.load(id);
      return membership && { id, membership };
    },
  }),
);

/** The viewer's membership, which all but the public fields need. */
export async function membershipOf(node: ConversationNode, context: Context): Promise<Membership> {
  const membership = node.membership ?? (await context.loaders.memberships.load(node.id));
  if (membership) return membership;
  throw new Fault('NOT_FOUND', 'There is no such conversation.');
}

export async function headOf(node: ConversationNode, context: Context): Promise<Head> {
  return (await membershipOf(node, context)).head;
}

async function publicHead(
  node: ConversationNode,
  context: Context,
): Promise<Pick<Head, 'kind' | 'createdAtMs'>> {
  const membership = node.membership ?? (await context.loaders.memberships.load(node.id));
  const found = membership?.head ?? (await context.loaders.publicHeads.load(node.id));
  if (found) return found;
  throw new Fault('NOT_FOUND', 'There is no such conversation.');
}
