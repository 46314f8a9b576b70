import { requireViewer } from './context.ts';
import type { Member } from '../domain/timeline/timeline.ts';
import { builder, notes } from './builder.ts';
import { PageInfoType, type Edge, type Page } from './page.ts';
import { UserType } from './user.ts';

export const MemberRoleType = builder.enumType('MemberRole', {
  description: 'What a member of a group may do. In a direct conversation both are MEMBER.',
  values: {
    OWNER: { description: 'One at all times: gives roles, removes anybody, renames.' },
    ADMIN: { description: 'Removes plain members, renames.' },
    MEMBER: { description: 'Reads, writes, adds members.' },
  } as const,
});

/** A user's place in a conversation. */
export const MemberType = builder.objectRef<Member>('Member').implement({
  description: "A user's place in a conversation.",
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who it is.',
      resolve: ({ userId }) => ({ userId }),
    }),
    role: t.expose('role', { type: MemberRoleType, description: 'What they may do.' }),
    joinedAt: t.expose('joinedAtMs', {
      type: 'DateTime',
      description: 'When they joined; who comes back joins anew.',
    }),
    joinedSeq: t.exposeInt('joinedSeq', {
      description:
        'The first seq that this member may see: that of their joining; 1 in a direct conversation.',
    }),
    readSeq: t.exposeInt('readSeq', {
      description: 'The member has read everything up to this seq. 0: nothing.',
    }),
    unreadCount: t.int({
      nullable: true,
      description:
        "Only for the viewer's own membership, else null. Derived, never counted: lastSeq minus the highest of readSeq, own last sent seq and the seq before joining.",
      extensions: notes({ perViewer: true }),
      resolve: async ({ conversationId, userId }, _args, context) => {
        if (userId !== requireViewer(context).userId) return null;
        const membership = await context.loaders.memberships.load(conversationId);
        return membership?.unreadCount ?? null;
      },
    }),
  }),
});

const MemberEdge = builder.objectRef<Edge<Member>>('MemberEdge').implement({
  description: 'A member at their place in the list.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Opaque; give it as `after` to go on.' }),
    node: t.expose('node', { type: MemberType, description: 'The member.' }),
  }),
});

/** A page of members. */
export const MemberConnectionType = builder.objectRef<Page<Member>>('MemberConnection').implement({
  description: 'A page of members.',
  fields: (t) => ({
    edges: t.expose('edges', { type: [MemberEdge], description: 'In order.' }),
    pageInfo: t.field({
      type: PageInfoType,
      description: 'Where the page stands.',
      resolve: (page) => page,
    }),
  }),
});
