import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { createClient } from '@libsql/client';
import { freePort } from '../../test/support/process.ts';
import { VoidRun } from '../runner/void.ts';
import { connectTo } from './database.ts';
import { root } from './fastim-build.ts';
import { keysIn, tokenFor } from './people.ts';
import { ServerChild } from './server-child.ts';

const folder = `${root}bench/rivals/newcomer`;
const require = createRequire(`${root}package.json`);

export interface RivalOptions {
  readonly kind: 'yoga' | 'mercurius';
  /** A `mysql://` URL of an empty database, or of one that another rival has filled; none: SQLite of its own. */
  readonly databaseUrl?: string;
  /** Users to make, with ids from 1 on; 0: they are there already. */
  readonly people: number;
  /** Groups of as many to make: group n, from 1 on, has the next `size` people. */
  readonly groups: { readonly count: number; readonly size: number };
  /** Messages in each, by its first member. */
  readonly messagesPerGroup?: number;
  readonly textOf?: (group: number, seq: number) => string;
}

/** A rival that runs, and tokens for its people. */
export interface RunningRival extends AsyncDisposable {
  readonly server: ServerChild;
  /** By index: that of the user with id index + 1. */
  readonly accessTokens: readonly string[];
}

export async function startRival(options: RivalOptions): Promise<RunningRival> {
  generatePrisma();
  const own = await mkdtemp(path.join(tmpdir(), 'fastim-bench-rival-'));
  const databaseUrl = options.databaseUrl ?? `file:${path.join(own, 'rival.db')}`;
  if (options.people > 0) await fill(databaseUrl, options);
  const keysFile = path.join(own, 'keys.json');
  const keys = await keysIn(keysFile);
  const count = options.groups.count * options.groups.size;
  const accessTokens = await Promise.all(
    Array.from({ length: count }, (_, index) => tokenFor(keys, BigInt(index + 1), 1n)),
  );
  const server = await ServerChild.start({
    name: options.kind,
    port: await freePort(),
    args: [await compile(options.kind)],
    env: { DATABASE_URL: databaseUrl, TOKEN_KEYS: keysFile },
    readyPath: '/health',
  });
  return {
    server,
    accessTokens,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(own, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** One plain JavaScript file, so that no compiler runs beside the rival. */
async function compile(kind: RivalOptions['kind']): Promise<string> {
  // Below the project, where its packages are found.
  const outfile = `${root}bench/.build/${kind}.mjs`;
  await build({
    entryPoints: [`${folder}/${kind}.ts`],
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

/** Both clients of the rival's own schema; nothing where they are up to date. */
function generatePrisma(): void {
  const mysql = readFileSync(`${folder}/schema.prisma`, 'utf8');
  const sqlite = mysql
    .replace('"mysql"', '"sqlite"')
    .replace('generated/mysql', 'generated/sqlite')
    .replace(/ +@db\.Text/g, '');
  const stamp = createHash('sha256').update(mysql).digest('hex');
  const stampFile = `${folder}/generated/stamp`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  mkdirSync(`${folder}/generated`, { recursive: true });
  // Beside the other, since paths in a schema start from its file.
  writeFileSync(`${folder}/sqlite.prisma`, sqlite);
  for (const file of ['schema.prisma', 'sqlite.prisma']) generate(`${folder}/${file}`);
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

/** Tables and rows, by plain SQL that both engines take. */
async function fill(databaseUrl: string, options: RivalOptions): Promise<void> {
  const isSqlite = databaseUrl.startsWith('file:');
  const tables = readFileSync(`${folder}/tables.${isSqlite ? 'sqlite' : 'mysql'}.sql`, 'utf8');
  const statements = [
    ...insert('User', ['id', 'username', 'displayName'], usersOf(options)),
    ...insert('Conversation', ['id', 'title', 'lastSeq', 'updatedAt'], conversationsOf(options)),
    ...insert('Member', ['conversationId', 'userId'], membersOf(options)),
    ...insert(
      'Message',
      ['conversationId', 'seq', 'senderId', 'clientMessageId', 'text', 'createdAt'],
      messagesOf(options, isSqlite),
    ),
  ];
  if (isSqlite) {
    const client = createClient({ url: databaseUrl });
    // As good a mode as SQLite has for it, and FastIM's; the file keeps it.
    await client.execute('PRAGMA journal_mode = WAL');
    await client.executeMultiple(tables);
    for (const statement of statements) await client.execute(statement);
    client.close();
    return;
  }
  const connection = await connectTo(databaseUrl);
  await connection.query(tables);
  for (const statement of statements) await connection.query(statement);
  await connection.end();
}

const now = '2026-01-01 00:00:00.000';

function usersOf({ people }: RivalOptions): string[] {
  return numbers(people).map((id) => `(${id}, 'person_${id - 1}', 'Person person_${id - 1}')`);
}

function conversationsOf({ groups, messagesPerGroup = 0 }: RivalOptions): string[] {
  return numbers(groups.count).map((id) => `(${id}, 'group ${id}', ${messagesPerGroup}, '${now}')`);
}

function membersOf({ groups }: RivalOptions): string[] {
  return numbers(groups.count).flatMap((id) =>
    numbers(groups.size).map((place) => `(${id}, ${(id - 1) * groups.size + place})`),
  );
}

function messagesOf(options: RivalOptions, isSqlite: boolean): string[] {
  const { groups, messagesPerGroup = 0, textOf = (group, seq) => `${group} ${seq}` } = options;
  const at = isSqlite ? '2026-01-01T00:00:00.000+00:00' : now;
  return numbers(groups.count).flatMap((group) =>
    numbers(messagesPerGroup).map(
      (seq) =>
        `(${group}, ${seq}, ${(group - 1) * groups.size + 1}, 'client_${seq}', '${textOf(group, seq)}', '${at}')`,
    ),
  );
}

function insert(table: string, columns: readonly string[], rows: readonly string[]): string[] {
  const some = 400;
  return numbers(Math.ceil(rows.length / some)).map((part) => {
    const values = rows.slice((part - 1) * some, part * some).join(', ');
    return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${values}`;
  });
}

/** 1 to `count`. */
function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
