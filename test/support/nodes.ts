import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadKeyRing } from '../../src/domain/session/key-file.ts';
import { createMariadbDatabase } from './machine.ts';
import { freePort, ServerProcess } from './process.ts';

export interface NodesOptions {
  readonly redisUrls: readonly string[];
  readonly count: number;
  /** A built server; without it they run from their sources. */
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Empty databases in place of two on the run's MariaDB. */
  readonly databaseUrls?: readonly string[];
  /** What one of them reads beside that. */
  readonly envOf?: (index: number) => Readonly<Record<string, string>>;
}

/** What a node of a cluster reads beside the rest. */
export function nodeEnv(
  folder: string,
  redisUrls: readonly string[],
  index: number,
): Record<string, string> {
  return {
    REDIS_URLS: redisUrls.join(','),
    NODE_ID: `node-${index}`,
    ACCESS_TOKEN_KEYS: keysIn(folder),
  };
}

/** Makes what all nodes sign with. */
export async function writeKeys(folder: string): Promise<void> {
  await loadKeyRing({ path: keysIn(folder), isMadeIfMissing: true });
}

function keysIn(folder: string): string {
  return path.join(folder, 'keys.json');
}

/** Nodes as processes of their own, on two new shards. */
export class Nodes implements AsyncDisposable {
  readonly all: readonly ServerProcess[];
  readonly databaseUrls: readonly string[];
  /** Theirs, with `keys.json`. */
  readonly folder: string;

  /** `start` is the way to some. */
  constructor(all: readonly ServerProcess[], databaseUrls: readonly string[], folder: string) {
    this.all = all;
    this.databaseUrls = databaseUrls;
    this.folder = folder;
  }

  static async start({ redisUrls, count, main, env, ...given }: NodesOptions): Promise<Nodes> {
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-nodes-'));
    const databaseUrls = given.databaseUrls ?? [
      await createMariadbDatabase(),
      await createMariadbDatabase(),
    ];
    await writeKeys(folder);
    const all: ServerProcess[] = [];
    for (let index = 0; index < count; index += 1) {
      const settings = {
        NODE_ENV: 'test',
        DATA_DIR: folder,
        DATABASE_URLS: databaseUrls.join(','),
        LOG_LEVEL: 'warn',
        ...nodeEnv(folder, redisUrls, index),
        ...env,
        ...given.envOf?.(index),
      };
      all.push(new ServerProcess(await freePort(), settings, main));
    }
    const nodes = new Nodes(all, databaseUrls, folder);
    try {
      await Promise.all(all.map((node) => node.start()));
    } catch (error) {
      await nodes[Symbol.asyncDispose]();
      throw error;
    }
    return nodes;
  }

  at(index: number): ServerProcess {
    const node = this.all[index];
    if (!node) throw new Error(`no node ${index}`);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((node) => node.kill9()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
