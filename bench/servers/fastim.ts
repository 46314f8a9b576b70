import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ShardsConfig } from '../../src/storage/shards.ts';
import { freePort } from '../../test/support/process.ts';
import { loopDelayTo } from '../load/watch-server.ts';
import { startArgs } from './fastim-build.ts';
import { keysIn, seedPeople, type Person } from './people.ts';
import { ServerChild } from './server-child.ts';

export interface FastimOptions {
  /** None: SQLite. */
  readonly databaseUrls?: readonly string[];
  readonly people: number;
  /** Whether it writes down how late its event loop is. */
  readonly watchesLoop?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** FastIM as `npm start` runs it, and who is signed in there. */
export interface RunningFastim extends AsyncDisposable {
  readonly server: ServerChild;
  readonly people: readonly Person[];
  readonly folder: string;
  /** Where it writes down how late its event loop is, if it does. */
  readonly loopFile: string;
}

/** Where FastIM writes CPU profiles when it stops; null: nowhere. A profiled run is no measurement. */
export const profiling: { folder: string | null } = { folder: null };

/** Settings that keep a load test from being taken for an attack by its one address. */
export const unthrottled: Readonly<Record<string, string>> = {
  CONNECTIONS_PER_ADDRESS: '0',
  OPERATIONS_PER_SECOND: '0',
  COST_PER_MINUTE: '0',
  SENDS_PER_MINUTE: '0',
};

export async function startFastim(options: FastimOptions): Promise<RunningFastim> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-bench-data-'));
  const keysFile = path.join(folder, 'keys.json');
  const { databaseUrls = [], watchesLoop = false, env = {} } = options;
  const loop = loopDelayTo(folder);
  const storage: ShardsConfig =
    databaseUrls.length === 0
      ? { kind: 'sqlite', dataDir: folder }
      : { kind: 'mysql', urls: databaseUrls, joinedBy: null };
  const people = await seedPeople(storage, await keysIn(keysFile), options.people);
  const server = await ServerChild.start({
    name: 'fastim',
    port: await freePort(),
    args: [...nodeProfile(), ...(watchesLoop ? loop.nodeArgs : []), ...startArgs()],
    env: {
      DATA_DIR: folder,
      DATABASE_URLS: databaseUrls.join(','),
      ACCESS_TOKEN_KEYS: keysFile,
      LOG_LEVEL: 'warn',
      ...unthrottled,
      ...(watchesLoop ? loop.env : {}),
      ...env,
    },
    readyPath: '/ready',
  });
  return {
    server,
    people,
    folder,
    loopFile: loop.file,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Flags of node that have it write a profile, where one is asked for. */
export function nodeProfile(): string[] {
  const { folder } = profiling;
  return folder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}
