import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
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

/** Null where there is no file. */
async function textIn(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What the file says afterwards: this process' key, or that of another that was faster. */
async function make(file: string): Promise<string> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    await writeDurably(draft, `${JSON.stringify({ keys: [await newKey()] }, null, 2)}\n`);
    // Unlike a rename, a link never puts itself in the place of what is there already.
    await link(draft, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(folder);
  return readFile(file, 'utf8');
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** So that the name survives a loss of power too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
