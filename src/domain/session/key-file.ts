import { makeSecretFile, textIn } from '../../storage/secret-file.ts';
import { KeyRingError, newKey, parseKeyRing, type KeyRing } from './key-ring.ts';

/** Where the keys are. A file that the operator gives must be there; that of the data folder is made at first start. */
export interface KeyFile {
  readonly path: string;
  readonly isMadeIfMissing: boolean;
}

/**
 * Reads the ring; makes the file first where it may. Several processes that begin at once end with the same file, and no
 * crash leaves half of one.
 * @throws {KeyRingError} for the operator, with the path in it.
 */
export async function loadKeyRing(file: KeyFile): Promise<KeyRing> {
  try {
    const text = (await textIn(file.path)) ?? (file.isMadeIfMissing ? await make(file.path) : null);
    if (text === null) throw new KeyRingError('there is no such file');
    return await parseKeyRing(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KeyRingError(`The keys in ${file.path} cannot be used: ${reason}`, { cause: error });
  }
}

/** What the file says afterwards: this process' key, or that of another that was faster. */
async function make(file: string): Promise<string> {
  return makeSecretFile(file, `${JSON.stringify({ keys: [await newKey()] }, null, 2)}\n`);
}
