/** Who asks: a signed-in user, through one live session. */
export interface Viewer {
  readonly userId: bigint;
  readonly sessionId: bigint;
  readonly appId: string;
  /** When the access token that made this viewer ends. */
  readonly expiresAtMs: number;
}
