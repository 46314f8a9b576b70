import { createHash, randomBytes } from 'node:crypto';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import { makeSecretFile, textIn } from '../../storage/secret-file.ts';
import { StartupRefusal } from '../../storage/startup-refusal.ts';

/** What one may do who shows a server key and is no user. */
export interface Authority {
  /** Whose users they may act on; null: everybody's, as the operator. */
  readonly appId: string | null;
}

/** A secret that an app's own server shows in place of an access token. */
export interface ServerKey {
  readonly appId: string;
  readonly secret: string;
}

const operatorKeyBytes = 32;

/** What such a key looks like. An access token has dots in it, so that nobody takes one for the other. */
export const serverKeyPattern = /^[\w-]{32,128}$/;

/**
 * Who comes with a server key: the servers of apps, whose keys are configured, and the operator, whose key is a file in
 * the data folder, made at first start, that only those can read who could read the data as well.
 */
export class ServerKeys implements Lifecycle {
  readonly #operatorFile: string;
  /** By the hash of the secret, so that how long a look-up takes tells nothing of it. */
  readonly #authorities = new Map<string, Authority>();

  constructor(deps: { readonly keys: readonly ServerKey[]; readonly operatorFile: string }) {
    this.#operatorFile = deps.operatorFile;
    for (const { appId, secret } of deps.keys) this.#authorities.set(hashOf(secret), { appId });
  }

  async start(): Promise<void> {
    this.#authorities.set(hashOf(await operatorKeyIn(this.#operatorFile)), { appId: null });
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Null: it is no server key. */
  verify(token: string): Authority | null {
    if (!serverKeyPattern.test(token)) return null;
    return this.#authorities.get(hashOf(token)) ?? null;
  }
}

/**
 * The operator's key of a data folder; made where there is none.
 * @throws {StartupRefusal} where the file holds something else.
 */
export async function operatorKeyIn(file: string): Promise<string> {
  const fresh = () =>
    makeSecretFile(file, `${randomBytes(operatorKeyBytes).toString('base64url')}\n`);
  const key = ((await textIn(file)) ?? (await fresh())).trim();
  if (serverKeyPattern.test(key)) return key;
  throw new StartupRefusal(
    `There is no key in ${file}: put back what was there, or remove it, and another one is made.`,
  );
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
