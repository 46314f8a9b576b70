import { verify } from 'node:crypto';
import { SignJWT } from 'jose';
import type { KeyRing } from './key-ring.ts';
import type { Viewer } from './viewer.ts';

const issuer = 'fastim';
const audience = 'fastim';
/** RFC 9068: so that no other token signed with these keys passes for one. */
const type = 'at+jwt';
const algorithm = 'EdDSA';

/** Signs the access token that makes this viewer, until `viewer.expiresAtMs`, which is a whole second. */
export function signAccessToken(keys: KeyRing, viewer: Viewer, nowMs: number): Promise<string> {
  return new SignJWT({ sid: String(viewer.sessionId), app: viewer.appId })
    .setProtectedHeader({ alg: algorithm, kid: keys.first.kid, typ: type })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(String(viewer.userId))
    .setIssuedAt(Math.floor(nowMs / 1000))
    .setExpirationTime(viewer.expiresAtMs / 1000)
    .sign(keys.first.signing);
}

/**
 * The viewer that a token makes; EXPIRED only for one that was right. Says nothing of whether the session lives.
 *
 * Verified in this turn, as RFC 7515 and 7519 say: when a gate dies, thousands of tokens are shown at once that no other gate
 * has seen, and handing each to another thread costs more than the signature.
 */
export function readAccessToken(
  keys: KeyRing,
  token: string,
  nowMs: number,
): Viewer | 'FORGED' | 'EXPIRED' {
  const [, header, claims, signature] = compact.exec(token) ?? [];
  if (header === undefined || claims === undefined || signature === undefined) return 'FORGED';
  const { alg, typ, kid, crit } = objectOf(header);
  if (alg !== algorithm || typ !== type || typeof kid !== 'string' || crit !== undefined) {
    return 'FORGED';
  }
  const key = keys.byId(kid);
  const signed = Buffer.from(`${header}.${claims}`, 'latin1');
  if (!key || !verify(null, signed, key.verifying, Buffer.from(signature, 'base64url'))) {
    return 'FORGED';
  }
  const { iss, aud, exp, ...rest } = objectOf(claims);
  if (iss !== issuer || aud !== audience || !isTime(exp)) return 'FORGED';
  const viewer = viewerOf({ ...rest, exp });
  if (!viewer) return 'FORGED';
  return viewer.expiresAtMs > nowMs ? viewer : 'EXPIRED';
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
