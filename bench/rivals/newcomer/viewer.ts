// Who bears a token: what a JWT plugin does for each request.
import { jwtVerify } from 'jose';

const secret = Buffer.from(process.env['TOKEN_SECRET'] ?? '', 'base64url');

/** Null for nobody. */
export async function userIdOf(authorization: string | undefined): Promise<number | null> {
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return null;
  const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
  return Number(payload.sub);
}
