import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
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

/** The viewer that a token makes; EXPIRED only for one that was right. Says nothing of whether the session lives. */
export async function readAccessToken(
  keys: KeyRing,
  token: string,
  nowMs: number,
): Promise<Viewer | 'FORGED' | 'EXPIRED'> {
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.byId(kid);
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key.verifying;
      },
      {
        algorithms: [algorithm],
        issuer,
        audience,
        typ: type,
        requiredClaims: ['sub', 'sid', 'app', 'exp'],
        currentDate: new Date(nowMs),
      },
    );
    return viewerOf(payload) ?? 'FORGED';
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'EXPIRED';
    if (error instanceof errors.JOSEError) return 'FORGED';
    throw error;
  }
}

function viewerOf({ sub, sid, app, exp }: JWTPayload): Viewer | null {
  const userId = idOf(sub);
  const sessionId = idOf(sid);
  if (userId === null || sessionId === null || typeof app !== 'string' || exp === undefined) {
    return null;
  }
  return { userId, sessionId, appId: app, expiresAtMs: exp * 1000 };
}

function idOf(claim: unknown): bigint | null {
  return typeof claim === 'string' && /^[1-9]\d{0,18}$/.test(claim) ? BigInt(claim) : null;
}
