import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyRing, TokenKey } from './key-ring.ts';
import type { Viewer } from './viewer.ts';

const issuer = 'fastim';
const audience = 'fastim';
/** RFC 9068: so that no other token signed with these keys passes for one. */
const type = 'at+jwt';
const algorithm = 'HS256';

/** The access token that makes this viewer, until `viewer.expiresAtMs`, which is a whole second. */
export function signAccessToken({ first }: KeyRing, viewer: Viewer, nowMs: number): string {
  const signed = [
    { alg: algorithm, kid: first.kid, typ: type },
    {
      sid: String(viewer.sessionId),
      app: viewer.appId,
      iss: issuer,
      aud: audience,
      sub: String(viewer.userId),
      iat: Math.floor(nowMs / 1000),
      exp: viewer.expiresAtMs / 1000,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${macOf(first, signed).toString('base64url')}`;
}

/**
 * The viewer that a token makes; EXPIRED only for one that was right. Says nothing of whether the session lives.
 *
 * A JWT with a MAC, read as RFC 7515 and 7519 say: only nodes read it, and they have the key. When a gate dies, thousands
 * of tokens are shown at once that no other gate has seen, and a signature costs forty times as much to verify.
 */
export function readAccessToken(
  keys: KeyRing,
  token: string,
  nowMs: number,
): Viewer | 'FORGED' | 'EXPIRED' {
  const [, header, claims, mac] = compact.exec(token) ?? [];
  if (header === undefined || claims === undefined || mac === undefined) return 'FORGED';
  const { alg, typ, kid, crit } = objectOf(header);
  if (alg !== algorithm || typ !== type || typeof kid !== 'string' || crit !== undefined) {
    return 'FORGED';
  }
  const key = keys.byId(kid);
  if (!key || !isSame(macOf(key, `${header}.${claims}`), Buffer.from(mac, 'base64url'))) {
    return 'FORGED';
  }
  const { iss, aud, exp, ...rest } = objectOf(claims);
  if (iss !== issuer || aud !== audience || !isTime(exp)) return 'FORGED';
  const viewer = viewerOf({ ...rest, exp });
  if (!viewer) return 'FORGED';
  return viewer.expiresAtMs > nowMs ? viewer : 'EXPIRED';
}

function macOf(key: TokenKey, signed: string): Buffer {
  return createHmac('sha256', key.access).update(signed, 'latin1').digest();
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Three parts in base64url. */
const compact = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/** What a part says; nothing where it is no JSON object. */
function objectOf(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

interface Claims {
  readonly sub?: unknown;
  readonly sid?: unknown;
  readonly app?: unknown;
  readonly exp: number;
}

function viewerOf({ sub, sid, app, exp }: Claims): Viewer | null {
  const userId = idOf(sub);
  const sessionId = idOf(sid);
  if (userId === null || sessionId === null || typeof app !== 'string') return null;
  return { userId, sessionId, appId: app, expiresAtMs: exp * 1000 };
}

function idOf(claim: unknown): bigint | null {
  return typeof claim === 'string' && /^[1-9]\d{0,18}$/.test(claim) ? BigInt(claim) : null;
}
