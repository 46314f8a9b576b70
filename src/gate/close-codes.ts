/** Why a connection is closed by the server, as a client sees it. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
  /** What helps the client to come back; a socket shows it in place of the reason. */
  readonly hint?: RedialHint;
}

/** Where to go on, and when. */
export interface RedialHint {
  /** How long to wait before dialling, so that not all come at once. */
  readonly retryAfterMs: number;
  /** The WebSocket URL of the gate to dial; absent where none is known: ask `Query.gate`. */
  readonly url?: string;
}

/** What the frame that closes a WebSocket holds beside its code. */
const reasonBytesMax = 123;

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
  /** This gate is about to stop, or has more than its share. Dial the gate of the hint, else ask for one; then resume. */
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

/** Sends a client on to another gate. */
export function drainingTo(hint: RedialHint): Closing {
  return { ...closings.draining, hint };
}

/**
 * The reason as the frame that closes a WebSocket says it: the hint as JSON where there is one. A URL for which there is no
 * room is left out.
 */
export function reasonText({ reason, hint }: Closing): string {
  if (!hint) return reason;
  const text = JSON.stringify(hint);
  if (Buffer.byteLength(text) <= reasonBytesMax) return text;
  return JSON.stringify({ retryAfterMs: hint.retryAfterMs });
}
