import { requireViewer } from './context.ts';
import type { PresenceEvent } from '../domain/inbox/inbox.ts';
import { builder } from './builder.ts';
import { idArgument } from './global-id.ts';
import { UserType } from './user.ts';

const PresenceEventType = builder.objectRef<PresenceEvent>('PresenceEvent').implement({
  description: 'Whether somebody is online.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who.',
      resolve: ({ userId }) => ({ userId }),
    }),
    isOnline: t.exposeBoolean('isOnline', {
      description: 'Whether they have a live socket, or had one until 5 s ago.',
    }),
    lastSeenAt: t.expose('lastSeenAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When they were last online; null while they are, and where it is not known.',
    }),
  }),
});

builder.subscriptionField('presence', (t) =>
  t.field({
    type: PresenceEventType,
    description:
      'Online state of chosen users who share a conversation with the viewer. Starts with the present state of each.',
    args: {
      userIds: t.arg.idList({
        description: 'At most 1,000. Who shares no conversation with the viewer is left out.',
      }),
    },
    subscribe: (_root, { userIds }, context) =>
      context.streams.presence(
        requireViewer(context),
        userIds.map((id) => idArgument('User', id, 'userIds')),
      ),
    resolve: (event) => event,
  }),
);
