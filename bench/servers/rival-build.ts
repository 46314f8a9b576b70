import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { VoidRun } from '../runner/void.ts';
import { root } from './fastim-build.ts';

const require = createRequire(`${root}package.json`);

/** Where the sources of some rivals are. */
export function rivalFolder(name: string): string {
  return `${root}bench/rivals/${name}`;
}

/**
 * One plain JavaScript file, so that no compiler runs beside the rival.
 * @param entry the file's name, without what it ends with.
 * @returns its path.
 */
export async function compile(folder: string, entry: string): Promise<string> {
  // Below the project, where its packages are found.
  const outfile = `${root}bench/.build/${path.basename(folder)}-${entry}.mjs`;
  await build({
    entryPoints: [`${folder}/${entry}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
}

/** Clients of the rival's own schema; nothing where they are up to date. */
export function generateClients(folder: string, engines: readonly ('mysql' | 'sqlite')[]): void {
  const mysql = readFileSync(`${folder}/schema.prisma`, 'utf8');
  const stamp = createHash('sha256').update(mysql).digest('hex');
  const stampFile = `${folder}/generated/stamp`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  mkdirSync(`${folder}/generated`, { recursive: true });
  if (engines.includes('mysql')) generate(`${folder}/schema.prisma`);
  if (engines.includes('sqlite')) {
    const sqlite = mysql
      .replace('"mysql"', '"sqlite"')
      .replace('generated/mysql', 'generated/sqlite')
      .replace(/ +@db\.Text/g, '');
    // Beside the other, since paths in a schema start from its file.
    writeFileSync(`${folder}/sqlite.prisma`, sqlite);
    generate(`${folder}/sqlite.prisma`);
  }
  writeFileSync(stampFile, stamp);
}

function generate(schema: string): void {
  const cli = path.join(path.dirname(require.resolve('prisma/package.json')), 'build/index.js');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, 'generate', '--schema', schema],
    { cwd: root, encoding: 'utf8', env: { ...process.env, ...schemaEngine() } },
  );
  if (status !== 0) throw new VoidRun(`prisma generate failed:\n${stdout}${stderr}`);
}

/** Generating asks for the schema engine and has no use for it: any program will do where it is not there. */
function schemaEngine(): Record<string, string> {
  if (process.env['PRISMA_SCHEMA_ENGINE_BINARY']) return {};
  const engines = path.dirname(
    createRequire(require.resolve('prisma/package.json')).resolve('@prisma/engines/package.json'),
  );
  const isThere = readdirSync(engines).some((name) => name.startsWith('schema-engine'));
  return isThere ? {} : { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
}
