import type { Platform } from './platform.ts';
import type { Viewer } from './viewer.ts';

/** A sign-in of a device. */
export interface Session {
  readonly id: bigint;
  readonly userId: bigint;
  readonly deviceId: string;
  readonly deviceName: string | null;
  readonly platform: Platform;
  readonly createdAtMs: number;
  /** Some seconds exact, and up to a minute old. */
  readonly lastSeenAtMs: number;
}

/** What signing in and refreshing give. */
export interface SignIn {
  readonly session: Session;
  readonly viewer: Viewer;
  readonly accessToken: string;
  readonly accessTokenExpiresAtMs: number;
  readonly refreshToken: string;
  /** The sessions that it ended, as they were, the latest first; none by refreshing. */
  readonly displaced: readonly Session[];
}

/** Whose an access token is, or why it is nobody's. */
export type Verification =
  | { readonly ok: true; readonly viewer: Viewer }
  | { readonly ok: false; readonly why: 'FORGED' | 'EXPIRED' | 'ENDED' };

/** Why a session is over: its user ended it; another sign-in took its place; its refresh token had two bearers. */
export type EndReason = 'LOGGED_OUT' | 'DISPLACED' | 'THEFT';

/** A session that is over, and why. */
export interface SessionEnd {
  readonly sessionId: bigint;
  readonly userId: bigint;
  readonly reason: EndReason;
}
