// Who bears a token: what a JWT plugin does for each request.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { jwtVerify } from 'jose';

const keys: KeyObject = publicKey(process.env['TOKEN_KEYS'] ?? '');

/** Null for nobody. */
export async function userIdOf(authorization: string | undefined): Promise<number | null> {
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return null;
  const { payload } = await jwtVerify(token, keys, { algorithms: ['EdDSA'] });
  return Number(payload.sub);
}

function publicKey(file: string): KeyObject {
  const { keys: all } = JSON.parse(readFileSync(file, 'utf8')) as { keys: JsonWebKey[] };
  const { d: _secret, ...key } = all[0] ?? {};
  return createPublicKey({ key, format: 'jwk' });
}

type JsonWebKey = Record<string, string>;
