import { requireViewer } from './context.ts';
import type { Session } from '../domain/session/session.ts';
import { builder, notes } from './builder.ts';
import { encodeId, idArgument } from './global-id.ts';
import { NodeType } from './node.ts';

export const PlatformType = builder.enumType('Platform', {
  description:
    'What kind of device a session is on. IOS and ANDROID are one class, each other one by itself: by default a sign-in ends the sessions of its class.',
  values: {
    IOS: { description: 'A phone or tablet with iOS.' },
    ANDROID: { description: 'A phone or tablet with Android.' },
    WEB: { description: 'A browser.' },
    DESKTOP: { description: 'A desktop application.' },
    OTHER: { description: 'Anything else, such as a script.' },
  } as const,
});

/** A sign-in of a device. */
export const SessionType = builder.objectRef<Session>('Session').implement({
  description:
    'A sign-in of a device. It lives until it is logged out, displaced by another sign-in, or its refresh token is stolen.',
  interfaces: [NodeType],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; begins with `s_`.',
      resolve: ({ id }) => encodeId('Session', id),
    }),
    deviceId: t.exposeString('deviceId', { description: 'As the installation gave it.' }),
    deviceName: t.exposeString('deviceName', {
      nullable: true,
      description: 'As the installation gave it; null where it gave none.',
    }),
    platform: t.expose('platform', {
      type: PlatformType,
      description: 'The kind of device, as it was given at sign-in.',
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was signed in.' }),
    lastSeenAt: t.expose('lastSeenAtMs', {
      type: 'DateTime',
      description: 'When it was last used, to within a minute.',
    }),
    isCurrent: t.boolean({
      description: 'Whether it is the session that asks.',
      extensions: notes({ perViewer: true }),
      resolve: ({ id }, _args, context) => requireViewer(context).sessionId === id,
    }),
    isOnline: t.boolean({
      description: 'Whether it has a live socket, or had one until 5 s ago.',
      resolve: ({ id }, _args, context) => context.streams.isSessionOnline(id),
    }),
  }),
});

export const DeviceInput = builder.inputType('DeviceInput', {
  description: 'The device that signs in.',
  fields: (t) => ({
    id: t.string({
      description: 'Made once by the installation and kept by it. 1 to 128 characters.',
    }),
    name: t.string({
      required: false,
      description: 'What its user calls it, for the list of sessions. 1 to 128 characters.',
    }),
    platform: t.field({
      type: PlatformType,
      defaultValue: 'OTHER',
      description: 'The kind of device.',
    }),
  }),
});

/** What the domain takes of `DeviceInput`. */
export function deviceOf(input: typeof DeviceInput.$inferInput) {
  return { id: input.id, name: input.name ?? null, platform: input.platform };
}

const LogoutPayload = builder.objectRef<{ session: Session }>('LogoutPayload').implement({
  description: 'Answers `logout`.',
  fields: (t) => ({
    session: t.expose('session', {
      type: SessionType,
      description: 'The session that has ended.',
    }),
  }),
});

builder.mutationField('logout', (t) =>
  t.field({
    type: LogoutPayload,
    description:
      "Ends a session of the viewer's (default: this one): its tokens die and its live connections close with 4601.",
    args: {
      sessionId: t.arg.id({
        required: false,
        description: "One of the viewer's live sessions; without it, the one that asks.",
      }),
    },
    resolve: async (_root, { sessionId }, context) => {
      const viewer = requireViewer(context);
      const id = sessionId == null ? null : idArgument('Session', sessionId, 'sessionId');
      return { session: await context.doors.sessions.end(viewer, id) };
    },
  }),
);
