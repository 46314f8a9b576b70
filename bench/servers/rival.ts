import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@libsql/client';
import { freePort } from '../../test/support/process.ts';
import { connectTo } from './database.ts';
import { keysIn, tokenFor, tokenSecretOf } from './people.ts';
import { compile, generateClients, rivalFolder } from './rival-build.ts';
import { ServerChild } from './server-child.ts';

const folder = rivalFolder('newcomer');

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
  generateClients(folder, ['mysql', 'sqlite']);
  const own = await mkdtemp(path.join(tmpdir(), 'fastim-bench-rival-'));
  const databaseUrl = options.databaseUrl ?? `file:${path.join(own, 'rival.db')}`;
  if (options.people > 0) await fill(databaseUrl, options);
  const keys = await keysIn(path.join(own, 'keys.json'));
  const count = options.groups.count * options.groups.size;
  const accessTokens = Array.from({ length: count }, (_, index) =>
    tokenFor(keys, BigInt(index + 1), 1n),
  );
  const server = await ServerChild.start({
    name: options.kind,
    port: await freePort(),
    args: [await compile(folder, options.kind)],
    env: { DATABASE_URL: databaseUrl, TOKEN_SECRET: tokenSecretOf(keys) },
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
