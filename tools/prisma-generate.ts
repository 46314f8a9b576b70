// Writes prisma/sqlite.prisma and both generated clients; does nothing when they are up to date.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sqliteSchemaOf } from './prisma-schema.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(path.join(root, 'package.json'));
const generated = path.join(root, 'src/storage/generated');
const stampFile = path.join(generated, 'stamp');
const schema = readFileSync(path.join(root, 'prisma/schema.prisma'), 'utf8');
const sqliteSchema = sqliteSchemaOf(schema);

const stamp = createHash('sha256')
  .update(schema)
  .update(sqliteSchema)
  .update(readFileSync(require.resolve('prisma/package.json')))
  .digest('hex');

const upToDate =
  existsSync(stampFile) &&
  readFileSync(stampFile, 'utf8') === stamp &&
  existsSync(path.join(generated, 'mysql/client.ts')) &&
  existsSync(path.join(generated, 'sqlite/client.ts')) &&
  existsSync(path.join(root, 'prisma/sqlite.prisma'));

if (upToDate && !process.argv.includes('--force')) process.exit(0);

mkdirSync(generated, { recursive: true });
writeFileSync(path.join(root, 'prisma/sqlite.prisma'), sqliteSchema);
for (const file of ['prisma/schema.prisma', 'prisma/sqlite.prisma']) generate(file);
writeFileSync(stampFile, stamp);

function generate(file: string): void {
  const cli = path.join(path.dirname(require.resolve('prisma/package.json')), 'build/index.js');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, 'generate', '--schema', file],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1', ...schemaEngine() },
    },
  );
  if (status === 0) return;
  process.stderr.write(`prisma generate --schema ${file} failed:\n${stdout}${stderr}`);
  process.exit(1);
}

// Generating asks for the schema engine and then has no use for it: any program that exists will
// do, so that it works without the download as well.
function schemaEngine(): Record<string, string> {
  if (process.env['PRISMA_SCHEMA_ENGINE_BINARY']) return {};
  const engines = path.dirname(
    createRequire(require.resolve('prisma/package.json')).resolve('@prisma/engines/package.json'),
  );
  const present = readdirSync(engines).some((name) => name.startsWith('schema-engine'));
  return present ? {} : { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
}
