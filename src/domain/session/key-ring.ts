import { hkdfSync } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose';

/** One key of the ring, all of it derived from one Ed25519 key pair. */
export interface TokenKey {
  /** Its name in tokens: no dots. */
  readonly kid: string;
  readonly signing: CryptoKey;
  readonly verifying: CryptoKey;
  /** For the MAC of refresh tokens. */
  readonly refresh: Uint8Array;
}

/** The first key signs, all verify: put a new one in front and nobody is logged out; drop one and its tokens are void. */
export interface KeyRing {
  readonly first: TokenKey;
  byId(kid: string): TokenKey | undefined;
}

/** Why a JWK set cannot be used; for the operator. */
export class KeyRingError extends Error {
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
  const jwks = jwksOf(text);
  const keys = await Promise.all(jwks.map(tokenKey));
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  const [first] = keys;
  if (first === undefined) throw new KeyRingError('it holds no key');
  if (byKid.size < keys.length) throw new KeyRingError('two of its keys have one kid');
  return { first, byId: (kid) => byKid.get(kid) };
}

function jwksOf(text: string): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message would quote the key.
    throw new KeyRingError('it is no JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || !('keys' in parsed)) {
    throw new KeyRingError('it has no "keys": it is no JWK set');
  }
  if (!Array.isArray(parsed.keys)) throw new KeyRingError('its "keys" are no list');
  return parsed.keys;
}

async function tokenKey(given: unknown, index: number): Promise<TokenKey> {
  const isOkp =
    typeof given === 'object' &&
    given !== null &&
    'kty' in given &&
    given.kty === 'OKP' &&
    'crv' in given &&
    given.crv === 'Ed25519' &&
    'x' in given &&
    typeof given.x === 'string' &&
    'd' in given &&
    typeof given.d === 'string';
  if (!isOkp) throw new KeyRingError(`key ${index} is no private Ed25519 key`);
  const { x, d } = given as { x: string; d: string };
  const pub: JWK = { kty: 'OKP', crv: 'Ed25519', x };
  const kid = 'kid' in given ? given.kid : await calculateJwkThumbprint(pub);
  if (typeof kid !== 'string' || !/^[\w-]{1,64}$/.test(kid)) {
    throw new KeyRingError(`the kid of key ${index} is not 1 to 64 letters, digits, - and _`);
  }
  try {
    const [signing, verifying] = await Promise.all([
      importJWK({ ...pub, d }, 'EdDSA'),
      importJWK(pub, 'EdDSA'),
    ]);
    if (signing instanceof Uint8Array || verifying instanceof Uint8Array) throw new TypeError();
    const secret = Buffer.from(d, 'base64url');
    const refresh = new Uint8Array(hkdfSync('sha256', secret, '', 'fastim refresh token', 32));
    return { kid, signing, verifying, refresh };
  } catch {
    throw new KeyRingError(`key ${index} is damaged`);
  }
}
