import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findBinary, redisServer } from './binaries.ts';
import { freePort } from './process.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** A primary and its replica, and one sentinel that watches them. */
export interface Watched extends AsyncDisposable {
  /** As REDIS_URLS takes it. */
  readonly url: string;
  readonly primary: TestRedis;
  readonly replica: TestRedis;
  /** The port of the one that the sentinel says is the primary. */
  primaryPort(): Promise<number>;
  /** Whether the one that was the primary at first follows the other one now, and the sentinel knows that. */
  follows(): Promise<boolean>;
}

const quiet = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];
const knownWithinMs = 40_000;

/** Starts them, and waits until the sentinel knows the replica. */
export async function startWatched(): Promise<Watched> {
  const primary = await startRedis(quiet);
  const replica = await startRedis([...quiet, '--replicaof', '127.0.0.1', String(primary.port)]);
  const port = await freePort();
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-sentinel-'));
  const file = path.join(folder, 'sentinel.conf');
  await writeFile(file, configOf(port, primary.port));
  const child = spawn(findBinary(redisServer) ?? '', [file, '--sentinel'], { stdio: 'ignore' });
  const asking = new Redis(port, { retryStrategy: () => 100, maxRetriesPerRequest: null });
  asking.on('error', () => undefined);
  const watched: Watched = {
    url: `sentinel://127.0.0.1:${port}/main`,
    primary,
    replica,
    async primaryPort() {
      const answer = await asking.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main');
      return Number((answer as readonly string[])[1]);
    },
    async follows() {
      const client = new Redis(primary.port, { retryStrategy: () => null });
      client.on('error', () => undefined);
      const text = await client.info('replication').catch(() => '');
      client.disconnect();
      return text.includes('master_link_status:up') && (await knowsReplica(asking));
    },
    async [Symbol.asyncDispose]() {
      asking.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
      await Promise.all([primary.stop(), replica.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    const deadline = Date.now() + knownWithinMs;
    while (!(await knowsReplica(asking))) {
      if (Date.now() > deadline) throw new Error('the sentinel does not find the replica');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } catch (error) {
    await watched[Symbol.asyncDispose]();
    throw error;
  }
  return watched;
}

function configOf(port: number, primaryPort: number): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor main 127.0.0.1 ${primaryPort} 1`,
    'sentinel down-after-milliseconds main 2000',
    'sentinel failover-timeout main 6000',
    '',
  ].join('\n');
}

async function knowsReplica(asking: Redis): Promise<boolean> {
  const replicas = (await asking.call('SENTINEL', 'REPLICAS', 'main')) as readonly string[][];
  return replicas.some((fields) => fields.includes('ok') && !fields.includes('s_down'));
}
