import { requireViewer, type Context } from './context.ts';
import type { User } from '../domain/user/user.ts';
import { present } from '../lib/assert.ts';
import { builder } from './builder.ts';
import { encodeId } from './global-id.ts';
import { NodeType } from './node.ts';

/** A user, known by id and looked up when more is asked of them. */
export interface UserNode {
  readonly userId: bigint;
  readonly user?: User;
}

/** A person within an app. */
export const UserType = builder.objectRef<UserNode>('User').implement({
  description: 'A person within an app.',
  interfaces: [NodeType],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; begins with `u_`.',
      resolve: ({ userId }) => encodeId('User', userId),
    }),
    username: t.string({
      description: 'Unique in the app, in lower case.',
      resolve: (node, _args, context) => shown(node, context, ({ username }) => username),
    }),
    displayName: t.string({
      description: 'The name to show, as the user gave it; the user name where they gave none.',
      resolve: (node, _args, context) => shown(node, context, ({ displayName }) => displayName),
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When the user registered.',
      resolve: (node, _args, context) => shown(node, context, ({ createdAtMs }) => createdAtMs),
    }),
  }),
});

builder.queryField('user', (t) =>
  t.field({
    type: UserType,
    nullable: true,
    description:
      "Finds a user of the viewer's app by name, without regard to case. Null where there is none.",
    args: { username: t.arg.string({ description: 'The whole user name.' }) },
    resolve: async (_root, { username }, context) => {
      const user = await context.doors.users.byUsername(requireViewer(context).appId, username);
      return user && { userId: user.id, user };
    },
  }),
);

const UpdateProfileInput = builder.inputType('UpdateProfileInput', {
  description: "What to change in the viewer's profile.",
  fields: (t) => ({
    displayName: t.string({ description: '1 to 64 characters.' }),
  }),
});

const UpdateProfilePayload = builder.objectRef<{ user: UserNode }>('UpdateProfilePayload');
UpdateProfilePayload.implement({
  description: 'Answers `updateProfile`.',
  fields: (t) => ({
    user: t.expose('user', { type: UserType, description: 'The viewer, as they are now.' }),
  }),
});

builder.mutationField('updateProfile', (t) =>
  t.field({
    type: UpdateProfilePayload,
    description: "Changes the viewer's profile: what others see of them.",
    args: { input: t.arg({ type: UpdateProfileInput, description: 'What to change.' }) },
    resolve: async (_root, { input }, context) => {
      const { userId } = requireViewer(context);
      return { user: { userId, user: await context.doors.users.updateProfile(userId, input) } };
    },
  }),
);

/**
 * What a user shows: at once where they are at hand, since the fields of a long list would else cost
 * a promise each.
 */
function shown<T>(
  { userId, user }: UserNode,
  context: Context,
  read: (user: User) => T,
): T | Promise<T> {
  const known = user ?? context.doors.users.kept(userId);
  return known ? read(known) : load(userId, context).then(read);
}

/** Nobody is ever deleted, so whoever is named somewhere is there. */
async function load(userId: bigint, context: Context): Promise<User> {
  return present(await context.loaders.users.load(userId), `no user ${userId}`);
}
