import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyRing, TokenKey } from './key-ring.ts';

/** What a refresh token says once its MAC has been checked. */
export interface RefreshClaim {
  readonly sessionId: bigint;
  /** Which of the session's refresh tokens it is, from 1 on. */
  readonly generation: number;
}

const version = 'r1';
/** What the column holds. */
const generationMax = 2 ** 31 - 1;

/**
 * The session's refresh token of that generation: `r1.<kid>.<session>.<generation>.<mac>`. It is derived, not drawn, so
 * whoever answers a retry makes the same one.
 */
export function refreshToken(key: TokenKey, { sessionId, generation }: RefreshClaim): string {
  const claim = `${version}.${key.kid}.${sessionId}.${generation}`;
  return `${claim}.${macOf(key, claim)}`;
}

/** Null for what no key of the ring has made. It may be spent, or its session over: the store knows. */
export function readRefreshToken(keys: KeyRing, token: string): RefreshClaim | null {
  const parts = /^(r1\.([\w-]{1,64})\.([1-9]\d{0,18})\.([1-9]\d{0,9}))\.([\w-]{43})$/.exec(token);
  if (!parts) return null;
  const [, claim = '', kid = '', sessionId = '', generation = '', mac = ''] = parts;
  const key = keys.byId(kid);
  if (!key || !isSame(macOf(key, claim), mac)) return null;
  if (Number(generation) > generationMax) return null;
  return { sessionId: BigInt(sessionId), generation: Number(generation) };
}

function macOf(key: TokenKey, claim: string): string {
  return createHmac('sha256', key.refresh).update(claim).digest('base64url');
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
