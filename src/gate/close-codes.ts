/** Why a connection is closed by the server, as a client sees it. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * The close codes of FastIM beside those that graphql-ws defines. A client tells from the code alone whether it may
 * come back, and what it has to do before.
 */
export const closings = {
  /** The access token of connection_init is forged, or its session has ended: sign in anew. Stock clients stop here. */
  unauthorized: { code: 4401, reason: 'Unauthorized' },
  /** The session was ended while connected (logout, theft of its refresh token). Do not reconnect. */
  sessionEnded: { code: 4601, reason: 'Session ended' },
  /** Another sign-in took this session's place. Do not reconnect. */
  sessionDisplaced: { code: 4602, reason: 'Signed in elsewhere' },
  /** More waited for this connection than it may: it reads too slowly. Reconnect, resume from the last cursor. */
  tooSlow: { code: 4603, reason: 'Too slow' },
  /** This gate is about to stop. Ask for another gate, resume after a moment. */
  draining: { code: 4604, reason: 'Gate draining' },
  /** The access token has run out, or had when it was shown. Refresh, then resume. */
  tokenExpired: { code: 4605, reason: 'Access token expired' },
  /** The user has as many connections as they may: close one, or come back later. */
  tooMany: { code: 4606, reason: 'Too many connections' },
  /** A frame that graphql-transport-ws does not know. */
  badRequest: { code: 4400, reason: 'Invalid message received' },
  /** Our fault. */
  internalError: { code: 4500, reason: 'Internal server error' },
} as const satisfies Record<string, Closing>;
