import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { Shards, type ShardsDeps } from '../../src/storage/shards.ts';
import { createMariadbDatabase, mariadbAvailable } from './machine.ts';

/** A database of one engine, with its tables, for the tests of what lies below the domain. */
export interface SqlEngine {
  readonly name: 'sqlite' | 'mysql';
  readonly isHere: () => boolean;
  open(deps?: Partial<ShardsDeps>): Promise<OpenEngine>;
}

export interface OpenEngine extends AsyncDisposable {
  readonly shards: Shards;
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-storage-'));
  return {
    path: folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What is lost must be expected by the test that loses it. */
export const defaultDeps: ShardsDeps = {
  clock: systemClock,
  onLost: (reason) => {
    throw reason;
  },
};

export const sqlEngines: readonly SqlEngine[] = [
  {
    name: 'sqlite',
    isHere: () => true,
    async open(deps) {
      const folder = await temporaryFolder();
      const shards = new Shards(
        { kind: 'sqlite', dataDir: folder.path },
        { ...defaultDeps, ...deps },
      );
      await shards.start();
      return {
        shards,
        async [Symbol.asyncDispose]() {
          await shards.stop(1_000);
          await folder[Symbol.asyncDispose]();
        },
      };
    },
  },
  {
    name: 'mysql',
    isHere: mariadbAvailable,
    async open(deps) {
      const urls = [await createMariadbDatabase()];
      const shards = new Shards(
        { kind: 'mysql', urls, joinedBy: 'redis' },
        { ...defaultDeps, ...deps },
      );
      await shards.start();
      return { shards, [Symbol.asyncDispose]: () => shards.stop(1_000) };
    },
  },
];
