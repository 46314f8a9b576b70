import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { StartupRefusal } from '../../storage/startup-refusal.ts';
import { z } from 'zod';

/** One key of the ring: what is derived from one Ed25519 key, which signs nothing itself. */
export interface TokenKey {
  /** Its name in tokens: no dots. */
  readonly kid: string;
  /** For the MAC of access tokens. */
  readonly access: KeyObject;
  /** For the MAC of refresh tokens. */
  readonly refresh: KeyObject;
}

/** The first key makes tokens, all verify: put a new one in front and nobody is logged out; drop one and its tokens are void. */
export interface KeyRing {
  readonly first: TokenKey;
  byId(kid: string): TokenKey | undefined;
}

/** Why a JWK set cannot be used; for the operator. */
export class KeyRingError extends StartupRefusal {
  override name = 'KeyRingError';
}

/** A new private key, as a JWK set has it. */
export async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' };
}

/**
 * The ring that the text of a JWK set (RFC 7517) says. Every key is a private Ed25519 key; `kid` is its thumbprint where it
 * has none.
 * @throws {KeyRingError} which never shows a key.
 */
export async function parseKeyRing(text: string): Promise<KeyRing> {
  const keys = await Promise.all(jwksOf(text).map(tokenKey));
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  const [first] = keys;
  if (first === undefined) throw new KeyRingError('it holds no key');
  if (byKid.size < keys.length) throw new KeyRingError('two of its keys have one kid');
  return { first, byId: (kid) => byKid.get(kid) };
}

const jwkSet = z.object({ keys: z.array(z.unknown()) });
const privateKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
  kid: z.unknown().optional(),
});
/** In refresh tokens it stands between dots. */
const kidForm = /^[\w-]{1,64}$/;

function jwksOf(text: string): readonly unknown[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message would quote the key.
    throw new KeyRingError('it is no JSON');
  }
  const set = jwkSet.safeParse(json);
  if (!set.success) throw new KeyRingError('it is no JWK set: it has no list of "keys"');
  return set.data.keys;
}

async function tokenKey(given: unknown, index: number): Promise<TokenKey> {
  const parsed = privateKey.safeParse(given);
  if (!parsed.success) throw new KeyRingError(`key ${index + 1} is no private Ed25519 key`);
  const { kty, crv, x, d } = parsed.data;
  const publicJwk = { kty, crv, x };
  const kid = parsed.data.kid ?? (await calculateJwkThumbprint(publicJwk));
  if (typeof kid !== 'string' || !kidForm.test(kid)) {
    throw new KeyRingError(`the kid of key ${index + 1} is not 1 to 64 letters, digits, - and _`);
  }
  try {
    // Node imports halves that do not belong together: then the name would be another key's.
    if (publicHalfOf({ ...publicJwk, d }) !== x) throw new TypeError('the halves differ');
    return { kid, access: keyFor('access token', d), refresh: keyFor('refresh token', d) };
  } catch {
    throw new KeyRingError(`key ${index + 1} is damaged`);
  }
}

/** Keys for two uses say nothing of each other. */
function keyFor(use: string, d: string): KeyObject {
  const secret = Buffer.from(d, 'base64url');
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', `fastim ${use}`, 32)));
}

function publicHalfOf(key: JWK): string | undefined {
  const half = createPublicKey(createPrivateKey({ key, format: 'jwk' }));
  return half.export({ format: 'jwk' }).x;
}
