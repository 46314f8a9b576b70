import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { keyFile } from './server-config.ts';
import { dumpTogether } from './storage/backup.mysql.ts';
import { copySqlite } from './storage/backup.sqlite.ts';
import { databaseFile } from './storage/shards.sqlite.ts';
import { StartupRefusal } from './storage/startup-refusal.ts';

/**
 * Copies all that a deployment has into a new folder, as it is at one moment, while servers go on: `fastim.db`, or one
 * `shard-<n>.sql` for each database, and the keys that are here. A folder that is there is complete.
 * @param dumpFlags for the program that dumps databases.
 * @returns what was done, in words.
 * @throws {StartupRefusal} where it cannot be done.
 */
export async function backUp(
  config: Config,
  to: string,
  dumpFlags: readonly string[],
): Promise<string> {
  const { dataDir } = config.storage;
  if (existsSync(to)) throw new StartupRefusal(`${to} is there already: name a new folder.`);
  const draft = `${to}.partial`;
  // One that was broken off.
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    const said = await copyData(config, draft, dumpFlags);
    await copyKey(keyFile(config).path, join(draft, 'access-token-keys.json'));
    await copyKey(join(dataDir, 'operator-key'), join(draft, 'operator-key'));
    await rename(draft, to);
    return said;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function copyData(
  { storage: { dataDir, databaseUrls } }: Config,
  to: string,
  flags: readonly string[],
): Promise<string> {
  if (databaseUrls.length > 0) {
    const fileOf = (index: number): string => join(to, `shard-${index}.sql`);
    const stoodMs = await dumpTogether(databaseUrls, { flags, fileOf });
    return `${databaseUrls.length} shards of one moment; for ${Math.round(stoodMs)} ms nobody could write.`;
  }
  const file = join(dataDir, databaseFile);
  if (!existsSync(file)) throw new StartupRefusal(`There is no ${file}: is DATA_DIR right?`);
  await copySqlite(file, join(to, databaseFile));
  return `${file} as of one moment.`;
}

/** A node whose keys are elsewhere has none here. */
async function copyKey(file: string, copy: string): Promise<void> {
  if (existsSync(file)) await copyFile(file, copy, constants.COPYFILE_EXCL);
}
