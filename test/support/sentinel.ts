import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findBinary, redisServer } from './binaries.ts';
import { freePort } from './process.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { tlsFlags, tlsSettings, tlsTrusted } from './redis-tls.ts';

/** A primary and its replica, and one sentinel that watches them. */
export interface Watched extends AsyncDisposable {
  /** As REDIS_URLS takes it. */
  readonly url: string;
  readonly primary: TestRedis;
  readonly replica: TestRedis;
  /** Which of them the sentinel says is the primary. */
  named(): Promise<'primary' | 'replica'>;
  /** Whether the one that was the primary at first follows the other one now, and the sentinel knows that. */
  follows(): Promise<boolean>;
}

interface Secrets {
  readonly ofRedis: string;
  readonly ofSentinel: string;
}

const quiet = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];
const knownWithinMs = 40_000;

/**
 * Starts them, and waits until the sentinel knows the replica.
 * @param secrets with them all speak TLS, by names as their certificate has them; the first sentinel of the URL is not there, and
 *   what they keep is in another database than the first.
 */
export async function startWatched(secrets: Secrets | null = null): Promise<Watched> {
  const [firstPort, port] = [await freePort(), await freePort()];
  const primary = await startRedis([...quiet, ...(secrets ? guarded(firstPort, secrets) : [])]);
  const watchedPort = secrets ? firstPort : primary.port;
  const replica = await startRedis([
    ...[...quiet, ...(secrets ? guarded(await freePort(), secrets) : [])],
    ...['--replicaof', secrets ? 'localhost' : '127.0.0.1', String(watchedPort)],
  ]);
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-sentinel-'));
  const file = path.join(folder, 'sentinel.conf');
  await writeFile(file, configOf(port, watchedPort, secrets));
  const child = spawn(findBinary(redisServer) ?? '', [file, '--sentinel'], { stdio: 'ignore' });
  const asking = new Redis(port, {
    ...{ retryStrategy: () => 100, maxRetriesPerRequest: null },
    ...(secrets && { password: secrets.ofSentinel, tls: { ca: await readFile(tlsTrusted) } }),
  });
  asking.on('error', () => undefined);
  const watched: Watched = {
    url: secrets ? guardedUrl(port, secrets) : `sentinel://127.0.0.1:${port}/main`,
    primary,
    replica,
    async named() {
      const answer = await asking.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main');
      return Number((answer as readonly string[])[1]) === watchedPort ? 'primary' : 'replica';
    },
    async follows() {
      const client = new Redis(primary.port, {
        ...{ retryStrategy: () => null, ...(secrets && { password: secrets.ofRedis }) },
      });
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

/** Flags of a Redis that others reach by TLS, by name, and with its secret. */
function guarded(port: number, { ofRedis }: Secrets): string[] {
  const secret = ['--requirepass', ofRedis, '--masterauth', ofRedis];
  const named = ['--replica-announce-ip', 'localhost'];
  return [...tlsFlags(port), '--tls-replication', 'yes', ...secret, ...named];
}

function guardedUrl(port: number, { ofRedis, ofSentinel }: Secrets): string {
  const [secret, sentinelPassword] = [ofRedis, ofSentinel].map(encodeURIComponent);
  return `sentinels://:${secret}@localhost:1,localhost:${port}/main/1?sentinelPassword=${sentinelPassword}`;
}

function configOf(port: number, watchedPort: number, secrets: Secrets | null): string {
  const place = secrets
    ? [
        ...tlsSettings(port),
        'port 0',
        'tls-replication yes',
        `requirepass ${secrets.ofSentinel}`,
        'sentinel resolve-hostnames yes',
        'sentinel announce-hostnames yes',
        `sentinel monitor main localhost ${watchedPort} 1`,
        `sentinel auth-pass main ${secrets.ofRedis}`,
      ]
    : [`port ${port}`, `sentinel monitor main 127.0.0.1 ${watchedPort} 1`];
  return [
    'bind 127.0.0.1',
    ...place,
    'sentinel down-after-milliseconds main 2000',
    'sentinel failover-timeout main 6000',
    '',
  ].join('\n');
}

async function knowsReplica(asking: Redis): Promise<boolean> {
  const replicas = (await asking.call('SENTINEL', 'REPLICAS', 'main')) as readonly string[][];
  return replicas.some((fields) => fields.includes('ok') && !fields.includes('s_down'));
}
