import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cruiseLikeCheck, ruleNames } from './cruise.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packages that the small server has, empty ones of the true names. */
const dependencies = [
  ...['@libsql/client', '@pothos/core', '@prisma/adapter-mariadb', '@prisma/client', 'graphql'],
  ...['graphql-redis-subscriptions', 'graphql-ws', 'graphql-yoga', 'ioredis', 'libsql', 'mariadb'],
  ...['pino', 'rate-limiter-flexible', 'ws', 'zod'],
];
const devDependencies = ['vitest'];
const undeclared = ['left-pad'];

/** A small server that keeps every rule, with each technology where it belongs. */
const rightful: Record<string, string> = {
  'src/main.ts': `import { readConfig } from './config.ts'; import { serve } from './server.ts'; serve(readConfig());`,
  'src/operate.ts': `import { readConfig } from './config.ts'; import { Users } from './domain/user/user.ts'; import { serve } from './server.ts'; serve(readConfig(), Users);`,
  'src/server.ts': `import { useServer } from 'graphql-ws'; import type { Config } from './config.ts'; import type { Doors } from './doors.ts'; import { Users } from './domain/user/user.ts'; import { UserStore } from './domain/user/user-store.ts'; import { Gate } from './gate/gate.ts'; import { queries } from './resolvers/query.ts'; export const serve = (config: Config, doors?: Doors): unknown => [config, doors, useServer, Gate, Users, UserStore, queries];`,
  'src/config.ts': `import { z } from 'zod'; import { log } from './lib/log.ts'; export type Config = object; export const readConfig = (): Config => ({ z, log });`,
  'src/limits.ts': `import { assert } from './lib/assert.ts'; import { second } from './limits/units.ts'; export const limits = { assert, second };`,
  'src/limits/units.ts': `export const second = 1000;`,
  'src/doors.ts': `import type { Users } from './domain/user/user.ts'; export interface Doors { users: Users }`,
  'src/lib/assert.ts': `export const assert = (): void => {};`,
  'src/lib/log.ts': `import { pino } from 'pino'; export const log = pino;`,
  'src/storage/sql.ts': `import { createPool } from 'mariadb'; import type { Config } from '../config.ts'; import { limits } from '../limits.ts'; export const sql = (config: Config): unknown => [config, createPool, limits];`,
  'src/storage/shards.ts': `import { PrismaClient } from './generated/mysql/client.ts'; import { sql } from './sql.ts'; export const shards = { PrismaClient, sql };`,
  'src/storage/generated/mysql/client.ts': `export { PrismaClient } from '@prisma/client';`,
  'src/storage/rates.memory.ts': `import { RateLimiterMemory } from 'rate-limiter-flexible'; export const rates = RateLimiterMemory;`,
  'src/storage/redis.ts': `import { Redis } from 'ioredis'; export const redis = Redis;`,
  'src/domain/user/user.ts': `import { Names } from './user-names.ts'; import type { Sessions } from '../session/session.ts'; export class Users { readonly names = Names; sessions?: Sessions }`,
  'src/domain/user/user-names.ts': `import { limits } from '../../limits.ts'; export const Names = limits;`,
  'src/domain/user/user-store.ts': `import { Prisma } from '@prisma/client'; import { shards } from '../../storage/shards.ts'; export class UserStore { readonly shards = [shards, Prisma] }`,
  'src/domain/session/session.ts': `import type { Users } from '../user/user.ts'; import { keys } from './session-keys.ts'; export class Sessions { users?: Users; readonly keys = keys }`,
  'src/domain/session/session-keys.ts': `import { assert } from '../../lib/assert.ts'; export const keys = assert;`,
  'src/realtime/pipeline.ts': `import { Users } from '../domain/user/user.ts'; import { shards } from '../storage/shards.ts'; export const pipeline = [Users, shards];`,
  'src/gate/gate.ts': `import { execute } from 'graphql'; import { Users } from '../domain/user/user.ts'; import { pipeline } from '../realtime/pipeline.ts'; export const Gate = (): unknown => [execute, Users, pipeline];`,
  'src/realtime/broker.redis.ts': `import { redis } from '../storage/redis.ts'; import { Redis } from 'ioredis'; export const broker = [redis, Redis];`,
  'src/resolvers/query.ts': `import SchemaBuilder from '@pothos/core'; import type { Doors } from '../doors.ts'; import { Users } from '../domain/user/user.ts'; export const queries = (doors: Doors): unknown => [doors, SchemaBuilder, Users];`,
  'client/client.ts': `import { createClient } from 'graphql-ws'; export const client = createClient;`,
  'test/support/clients.ts': `export const clients = 2;`,
};

/** Rule, the file that breaks it, the imports that do. */
const plants: [rule: string, file: string, imports: string[]][] = [
  ['lib-stands-alone', 'src/lib/bad.ts', ['../limits.ts', '../storage/sql.ts']],
  ['settings-stand-alone', 'src/limits.ts', ['./domain/user/user.ts', './config.ts']],
  ['settings-stand-alone', 'src/limits/bad.ts', ['../domain/user/user.ts', '../config.ts']],
  ['limits-are-one', 'src/domain/user/bad.ts', ['../../limits/units.ts']],
  ['storage-knows-no-nouns', 'src/storage/bad.ts', ['../domain/user/user.ts', '../doors.ts']],
  ['storage-knows-no-nouns', 'src/storage/bad.ts', ['../gate/gate.ts', '../realtime/pipeline.ts']],
  [
    'domain-knows-no-edge',
    'src/domain/user/bad.ts',
    ['../../gate/gate.ts', '../../realtime/pipeline.ts'],
  ],
  ['domain-knows-no-edge', 'src/domain/user/bad.ts', ['../../resolvers/query.ts']],
  ['domain-knows-no-edge', 'src/domain/user/bad.ts', ['../../doors.ts']],
  ['realtime-knows-no-edge', 'src/realtime/bad.ts', ['../resolvers/query.ts', '../gate/gate.ts']],
  ['realtime-knows-no-edge', 'src/realtime/bad.ts', ['../doors.ts']],
  ['gate-knows-no-resolvers', 'src/gate/bad.ts', ['../doors.ts']],
  ['gate-knows-no-resolvers', 'src/gate/bad.ts', ['../resolvers/query.ts']],
  ['resolvers-only-translate', 'src/resolvers/bad.ts', ['../storage/sql.ts']],
  [
    'resolvers-only-translate',
    'src/resolvers/bad.ts',
    ['../gate/gate.ts', '../realtime/pipeline.ts'],
  ],
  ['doors-are-of-the-domain', 'src/doors.ts', ['./storage/shards.ts', './resolvers/query.ts']],
  ['wired-in-server-alone', 'src/resolvers/bad.ts', ['../server.ts']],
  ['wired-in-server-alone', 'src/server.ts', ['./main.ts', './operate.ts']],
  ['config-is-handed-on', 'src/domain/user/bad.ts', ['../../config.ts']],
  ['noun-door', 'src/resolvers/bad.ts', ['../domain/user/user-names.ts']],
  ['noun-door', 'src/realtime/bad.ts', ['../domain/user/user-store.ts']],
  ['noun-door-of-another-noun', 'src/domain/session/bad.ts', ['../user/user-store.ts']],
  ['prisma-in-stores', 'src/domain/user/bad.ts', ['@prisma/client', '@prisma/adapter-mariadb']],
  ['prisma-in-stores', 'src/domain/user/bad.ts', ['../../storage/generated/mysql/client.ts']],
  ['drivers-in-storage', 'src/domain/user/bad-store.ts', ['mariadb', '@libsql/client', 'libsql']],
  ['redis-in-its-files', 'src/realtime/broker.ts', ['ioredis', 'graphql-redis-subscriptions']],
  ['graphql-and-sockets-at-the-edge', 'src/domain/user/bad.ts', ['graphql', 'ws', '@pothos/core']],
  ['graphql-and-sockets-at-the-edge', 'src/realtime/bad.ts', ['graphql-ws', 'graphql-yoga']],
  ['graphql-and-sockets-at-the-edge', 'src/gateway.ts', ['node:http', 'net']],
  ['rate-limiter-in-its-file', 'src/domain/user/bad.ts', ['rate-limiter-flexible']],
  ['pino-in-lib-log', 'src/storage/bad.ts', ['pino']],
  ['no-cycles', 'src/domain/user/user-names.ts', ['./user.ts']],
  ['everything-resolves', 'src/domain/user/bad.ts', ['./nowhere.ts']],
  ['everything-resolves', 'src/domain/user/bad.ts', ['no-such-package']],
  ['no-dev-dependencies', 'src/storage/bad.ts', ['vitest', 'left-pad']],
  ['nothing-from-tests', 'src/storage/bad.ts', ['../../test/support/clients.ts']],
  ['nothing-from-tests', 'src/storage/bad.ts', ['../../client/client.ts']],
  ['client-knows-the-schema-only', 'client/bad.ts', ['../src/limits.ts']],
];

/** Told of a place as well: a stray import of a type is an import. */
const typePlants: [rule: string, file: string, from: string][] = [
  ['domain-knows-no-edge', 'src/domain/user/bad.ts', '../../gate/gate.ts'],
  ['noun-door', 'src/resolvers/bad.ts', '../domain/user/user-names.ts'],
  ['graphql-and-sockets-at-the-edge', 'src/domain/user/bad.ts', 'graphql'],
];

let tree = '';

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'fastim-imports-'));
  const listed = (names: string[]) => Object.fromEntries(names.map((name) => [name, '1.0.0']));
  const manifest = { dependencies: listed(dependencies), devDependencies: listed(devDependencies) };
  writeFileSync(join(tree, 'package.json'), JSON.stringify(manifest));
  for (const name of [...dependencies, ...devDependencies, ...undeclared]) {
    const folder = join(tree, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    writeFileSync(join(folder, 'index.js'), '');
  }
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const folder of ['src', 'client', 'test']) {
    rmSync(join(tree, folder), { recursive: true, force: true });
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  }
}

/** `rule: from → to` for every violation of the tree with this file's text added to. */
async function violationsWith(file: string, added: string): Promise<string[]> {
  write({ ...rightful, [file]: `${added}\n${rightful[file] ?? ''}` });
  const { summary } = await cruiseLikeCheck(tree, ['src', 'client']);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

describe('the rules of imports', () => {
  it('let a rightful tree be', async () => {
    write(rightful);
    const { summary } = await cruiseLikeCheck(tree, ['src', 'client']);
    expect(summary.violations.map(({ rule, from, to }) => [rule.name, from, to])).toEqual([]);
  });

  it.each(plants)('%s: caught in %s (%j)', async (rule, file, imports) => {
    for (const from of imports) {
      const added = `import * as planted from '${from}'; export { planted };`;
      const caught = await violationsWith(file, added);
      expect(caught.filter((line) => line.startsWith(`${rule}: ${file} → `))).not.toEqual([]);
    }
  });

  it.each(typePlants)('%s: caught as a type in %s', async (rule, file, from) => {
    const caught = await violationsWith(file, `export type { Planted } from '${from}';`);
    expect(caught.filter((line) => line.startsWith(`${rule}: ${file} → `))).not.toEqual([]);
  });

  it('no-orphans: caught', async () => {
    const caught = await violationsWith('src/lib/lonely.ts', 'export const lonely = 1;');
    expect(caught).toEqual(['no-orphans: src/lib/lonely.ts → src/lib/lonely.ts']);
  });

  it('are each planted here', () => {
    const planted = new Set([...plants.map(([rule]) => rule), 'no-orphans']);
    expect([...planted].sort()).toEqual([...ruleNames].sort());
  });
});

describe('the cruise of this repository', () => {
  it('reads every module of src, and the edges between them', async () => {
    const { modules } = await cruiseLikeCheck(root, ['src']);
    const cruised = new Set(modules.map(({ source }) => source));
    const written = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith(join('storage', 'generated')))
      .map((file) => `src/${file}`);
    expect(written.length).toBeGreaterThan(20);
    expect(written.filter((file) => !cruised.has(file))).toEqual([]);
    const edgesOf = (source: string): string[] =>
      modules.find((module) => module.source === source)!.dependencies.map((to) => to.resolved);
    expect(edgesOf('src/config.ts')).toContain('src/lib/log.ts');
    expect(edgesOf('src/limits.ts')).toEqual([
      'src/lib/assert.ts',
      ...['inboxes', 'money', 'nodes', 'units', 'writing'].map((part) => `src/limits/${part}.ts`),
    ]);
    expect(edgesOf('src/lib/log.ts').join()).toContain('node_modules/pino/');
  });
});
