import { actAs, type Context } from './context.ts';
import { checkDevice, type SignIn } from '../domain/session/session.ts';
import { accountKey, type User } from '../domain/user/user.ts';
import { builder, notes } from './builder.ts';
import { takeInboxHead } from './inbox-head.ts';
import { DeviceInput, deviceOf, SessionType } from './session.ts';
import { ViewerType } from './viewer.ts';

/** Hashing a password is dear, and a document shall not try many. */
const passwordCost = 50_000;

const RegisterInput = builder.inputType('RegisterInput', {
  description: 'A new user, and the device that they sign in with.',
  fields: (t) => ({
    appId: t.string({
      defaultValue: 'default',
      description: 'The app (tenant) to join; user names are unique within it.',
    }),
    username: t.string({
      description: "3 to 32 of a-z, 0-9, '_' and '.'; unique in the app, without regard to case.",
    }),
    password: t.string({ description: '8 to 256 characters.' }),
    displayName: t.string({
      required: false,
      description: '1 to 64 characters; the user name where it is left out.',
    }),
    device: t.field({ type: DeviceInput, description: 'The device that signs in.' }),
  }),
});

const LoginInput = builder.inputType('LoginInput', {
  description: "A user's name and password, and the device that they sign in with.",
  fields: (t) => ({
    appId: t.string({ defaultValue: 'default', description: 'The app (tenant) of the user.' }),
    username: t.string({ description: 'Without regard to case.' }),
    password: t.string({ description: 'As it was given at registration.' }),
    device: t.field({ type: DeviceInput, description: 'The device that signs in.' }),
  }),
});

const AuthPayload = builder.objectRef<SignIn>('AuthPayload').implement({
  description: 'Answers `register`, `login` and `refreshSession`: the tokens of a session.',
  fields: (t) => ({
    accessToken: t.exposeString('accessToken', {
      description:
        'JWT. HTTP: `Authorization: Bearer …`. WebSocket: connection_init payload `{"accessToken": "…"}`.',
    }),
    accessTokenExpiresAt: t.expose('accessTokenExpiresAtMs', {
      type: 'DateTime',
      description: 'Refresh the session before this; a socket closes with 4605 then.',
    }),
    refreshToken: t.exposeString('refreshToken', {
      description: 'Good for one `refreshSession`, which gives the next one. Keep it secret.',
    }),
    viewer: t.field({
      type: ViewerType,
      description: 'The user who has signed in, as `Query.viewer` with the new access token.',
      resolve: async ({ viewer }, _args, context, info) => {
        await takeInboxHead(context, viewer, info);
        return viewer;
      },
    }),
    displacedSessions: t.expose('displaced', {
      type: [SessionType],
      description:
        'Sessions that this sign-in ended: under the default policy, the others of the same user on the same device or of the same platform class (IOS and ANDROID are one class).',
    }),
  }),
});

builder.mutationFields((t) => ({
  register: t.field({
    type: AuthPayload,
    description:
      'Makes a user and signs them in. A name that is taken is fault FAILED_PRECONDITION.',
    args: { input: t.arg({ type: RegisterInput, description: 'The user and the device.' }) },
    extensions: notes({ cost: passwordCost }),
    resolve: async (_root, { input }, context) => {
      const { rates, users, sessions } = context.doors;
      // Before the user is made: a retry with the device set right would find the name taken.
      const device = checkDevice(deviceOf(input.device));
      const { appId, username, password, displayName = null } = input;
      const user = await rates.within('register', rates.addressIn(appId, context.address), () =>
        users.register({ appId, username, password, displayName }),
      );
      return signedIn(context, await sessions.open(user, device), user);
    },
  }),
  login: t.field({
    type: AuthPayload,
    description:
      'Opens a session. A wrong name or password is fault UNAUTHENTICATED, which of the two is not told.',
    args: { input: t.arg({ type: LoginInput, description: 'The user and the device.' }) },
    extensions: notes({ cost: passwordCost }),
    resolve: async (_root, { input }, context) => {
      const { rates, users, sessions } = context.doors;
      const { appId, username, password } = input;
      const authenticate = () => users.authenticate({ appId, username, password });
      const account = accountKey(appId, username);
      const user = await rates.within('login', rates.addressIn(appId, context.address), () =>
        account === null ? authenticate() : rates.within('failedLogin', account, authenticate),
      );
      return signedIn(context, await sessions.open(user, deviceOf(input.device)), user);
    },
  }),
  refreshSession: t.field({
    type: AuthPayload,
    description:
      'Rotates the refresh token. Presenting a spent one revokes the whole session (theft detection), except that\n' +
      'the last spent one, within a short grace and while its successor is unused, gives that same successor again: a lost answer can be retried.',
    args: { refreshToken: t.arg.string({ description: 'The newest one that the session has.' }) },
    resolve: async (_root, { refreshToken }, context) => {
      const { rates, sessions } = context.doors;
      const refresh = () => sessions.refresh(refreshToken);
      return signedIn(context, await rates.within('refresh', context.address, refresh));
    },
  }),
}));

/** What the payload shows is read for the one who has just signed in, not for who asked. */
function signedIn(context: Context, signIn: SignIn, user?: User): SignIn {
  actAs(context, signIn.viewer);
  context.loaders.sessions.prime(signIn.session.id, signIn.session);
  if (user) context.loaders.users.prime(user.id, user);
  return signIn;
}
