import type { Authority } from '../domain/app/app.ts';
import type { Viewer } from '../domain/session/session.ts';
import type { InboxHead, Services } from '../doors.ts';
import { Fault } from '../lib/fault.ts';
import { Loaders } from './loaders.ts';

/** Why the access token that came with a request makes nobody a viewer. */
export type AuthFailure = 'FORGED' | 'EXPIRED' | 'ENDED';

/**
 * What one operation, or one event of a subscription, is executed with. Plain data, so that a server may spread it
 * into an object of its own; only the functions below change it.
 */
export interface Context extends Services {
  /** Null: anonymous. A sign-in makes its user the viewer of its own payload. */
  viewer: Viewer | null;
  /** The viewer as the request came. */
  readonly requestViewer: Viewer | null;
  readonly authFailure: AuthFailure | null;
  /** Of who came with a server key in place of an access token; null: nobody did. */
  readonly authority: Authority | null;
  /** Whose address the request counts for; events have none. */
  readonly address: string;
  loaders: Loaders;
  /**
   * The head of the viewer's inbox, taken before anything else of the operation was read; null where the operation
   * asks for none, undefined where nobody has looked yet.
   */
  inboxHead: InboxHead | null | undefined;
}

/**
 * A context for one operation or one event: cheap, since its loaders are made when they are first used.
 * @param authFailure why the token given is no good, for the message of UNAUTHENTICATED.
 * @param address whose the request counts for.
 * @param authority of the server key that came with it.
 */
export function contextFor(
  viewer: Viewer | null,
  services: Services,
  authFailure: AuthFailure | null = null,
  address = '',
  authority: Authority | null = null,
): Context {
  const { doors, streams, gates, clock } = services;
  return {
    doors,
    streams,
    gates,
    clock,
    viewer,
    requestViewer: viewer,
    authFailure,
    authority,
    address,
    loaders: new Loaders(viewer, doors),
    inboxHead: undefined,
  };
}

/**
 * Makes `viewer` the one for whom what follows is read, with nothing read yet.
 * For the payload of a sign-in, and for the next field of a mutation.
 */
export function actAs(context: Context, viewer: Viewer | null): void {
  context.viewer = viewer;
  context.loaders = new Loaders(viewer, context.doors);
  context.inboxHead = undefined;
}

/**
 * Who asks.
 * @throws {Fault} UNAUTHENTICATED without a valid access token.
 */
export function requireViewer(context: Context): Viewer {
  if (context.viewer) return context.viewer;
  throw new Fault('UNAUTHENTICATED', unauthenticated(context.authFailure));
}

/**
 * That somebody known asks, whatever they may do.
 * @throws {Fault} UNAUTHENTICATED
 */
export function requireCaller({ authority, viewer, authFailure }: Context): void {
  if (authority || viewer) return;
  throw new Fault('UNAUTHENTICATED', unauthenticated(authFailure, 'a server key'));
}

/**
 * What the caller's server key allows.
 * @throws {Fault} FORBIDDEN where a user asks, UNAUTHENTICATED where nobody known does.
 */
export function requireAuthority(context: Context): Authority {
  requireCaller(context);
  if (context.authority) return context.authority;
  throw new Fault('FORBIDDEN', "This needs an app's server key.");
}

function unauthenticated(failure: AuthFailure | null, needed = 'an access token'): string {
  switch (failure) {
    case null:
      return `Sign in first: this needs ${needed}.`;
    case 'EXPIRED':
      return 'The access token has expired: refresh the session.';
    case 'ENDED':
      return 'The session has ended: sign in again.';
    case 'FORGED':
      return 'The access token is not valid.';
  }
}
