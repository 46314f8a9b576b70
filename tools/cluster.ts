/**
 * `npm run cluster`: two MariaDB shards, a Redis and three nodes, all private and in a temporary folder. Prints
 * `node <id> <url>` for each and then `ready`; Ctrl-C stops all. However it ends, cluster-guard.mjs leaves nothing behind.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadKeyRing } from '../src/domain/session/key-file.ts';
import { startMariadb, type TestMariadb } from '../test/support/mariadb.ts';
import { freePort, ServerProcess } from '../test/support/process.ts';
import { startRedis, type TestRedis } from '../test/support/redis.ts';

const nodeCount = 3;
const shardCount = 2;
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const folder = mkdtempSync(path.join(tmpdir(), 'fastim-cluster-'));
// What is started keeps its files there.
process.env['TMPDIR'] = folder;
const guard = spawn(
  process.execPath,
  [fileURLToPath(new URL('cluster-guard.mjs', import.meta.url)), folder],
  { stdio: ['pipe', 'inherit', 'inherit'], detached: true },
);

const shards: TestMariadb[] = [];
const nodes: ServerProcess[] = [];
let redis: TestRedis | undefined;
let isStopping = false;
let stopping: Promise<void> | undefined;

function guarded(pid: number | undefined): void {
  if (pid) guard.stdin.write(`started ${pid}\n`);
}

async function start(): Promise<void> {
  const keys = path.join(folder, 'keys.json');
  await loadKeyRing({ path: keys, isMadeIfMissing: true });
  redis = await startRedis();
  while (shards.length < shardCount && !isStopping) shards.push(await startMariadb());
  for (const { pid } of [redis, ...shards]) guarded(pid);
  const databaseUrls = await Promise.all(shards.map((shard) => shard.createDatabase()));
  for (let index = 1; index <= nodeCount && !isStopping; index += 1) {
    const id = `node-${index}`;
    const node = new ServerProcess(
      await freePort(),
      {
        NODE_ID: id,
        DATABASE_URLS: databaseUrls.join(','),
        REDIS_URLS: redis.url,
        ACCESS_TOKEN_KEYS: keys,
        DATA_DIR: path.join(folder, id),
        LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
      },
      main,
    );
    nodes.push(node);
    const started = node.start();
    guarded(node.pid);
    await started;
    console.log(`node ${id} ${node.url}/graphql`);
  }
  if (!isStopping) console.log('ready');
}

/** Ctrl-C comes twice: from the terminal, and from npm. */
function stop(): Promise<void> {
  isStopping = true;
  return (stopping ??= stopAll());
}

async function stopAll(): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
  await Promise.all([redis?.stop(), ...shards.map((shard) => shard.stop())]);
  guard.stdin.end();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

start().catch(async (error: unknown) => {
  if (isStopping) return;
  console.error(error);
  await stop();
  process.exitCode = 1;
});
