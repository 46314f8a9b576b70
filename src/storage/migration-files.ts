import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from '../lib/assert.ts';

/** One step of a database's tables, as Prisma lays it out: `<name>/migration.sql`. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hex. */
  readonly checksum: string;
}

/** The steps for an engine, in their order. */
export async function readMigrations(engine: 'mysql' | 'sqlite'): Promise<Migration[]> {
  const folder = path.join(
    packageRoot(),
    'prisma',
    engine === 'mysql' ? 'migrations' : 'migrations-sqlite',
  );
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const file = await readFile(path.join(folder, name, 'migration.sql'));
      return {
        name,
        sql: file.toString('utf8'),
        checksum: createHash('sha256').update(file).digest('hex'),
      };
    }),
  );
}

// The same whether this runs from src or from dist.
function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    assert(parent !== folder, 'the program lies inside of its package');
    folder = parent;
  }
  return folder;
}
