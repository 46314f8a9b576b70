import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { startInOrder, type Lifecycle } from '../lib/lifecycle.ts';
import { PrismaClient } from './generated/mysql/client.ts';
import { mariadbOptions } from './mariadb-options.ts';
import { openPool } from './mariadb-pool.ts';
import { openMysqlSession } from './mysql-session.ts';
import { prepareMysql } from './mysql-start.ts';
import { MysqlNodeLock } from './node-lock.mysql.ts';
import type { OpenOptions, OpenShards, Shard } from './shard.ts';
import { withSqlErrors } from './prisma-errors.ts';
import { MariadbSql } from './sql.mariadb.ts';

/** Connections that one node has to each shard, by what they are for. */
const readersMax = 8;
const writersMax = 6;
const prismaMax = 6;
/** How long a statement or transaction may take, in ms. */
const timeoutMs = 10_000;

/** One shard per MySQL or MariaDB database. */
export async function openMysqlShards(
  urls: readonly string[],
  isSingleNode: boolean,
  options: OpenOptions,
): Promise<OpenShards> {
  await prepare(urls, options);
  const { onLost } = options;
  const locks = isSingleNode ? urls.map((url) => new MysqlNodeLock(url, { onLost })) : [];
  const stopLocks = await startInOrder(locks);
  const shards = urls.map((url, index) => mysqlShard(url, index, options.callsMax));
  try {
    const stopShards = await startInOrder(shards.flatMap(({ parts }) => parts));
    const stop = async (graceMs: number): Promise<void> => {
      await stopShards(graceMs);
      await stopLocks(graceMs);
    };
    return { all: shards.map(({ shard }) => shard), stop };
  } catch (error) {
    await Promise.all(shards.flatMap(({ parts }) => parts.map((part) => part.stop(0))));
    await stopLocks(0);
    throw error;
  }
}

async function prepare(urls: readonly string[], options: OpenOptions): Promise<void> {
  const opened = await Promise.allSettled(urls.map((url) => openMysqlSession(url)));
  const sessions = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
    await prepareMysql(sessions, options);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

function mysqlShard(
  url: string,
  index: number,
  callsMax: number,
): { shard: Shard; parts: readonly Lifecycle[] } {
  const connection = mariadbOptions(url);
  const sql = new MariadbSql({ connection, readersMax, writersMax, callsMax, timeoutMs });
  const pool = openPool({
    ...connection,
    connectionLimit: prismaMax,
    acquireTimeout: timeoutMs,
    // What goes through Prisma is seldom, and nobody waits for much of it at once.
    minimumIdle: 1,
  });
  const prisma = new PrismaClient({
    adapter: new PrismaMariaDb(pool, { database: connection.database }),
  });
  const prismaPart = {
    start: () => Promise.resolve(),
    async stop(): Promise<void> {
      await prisma.$disconnect();
      await pool.end().catch(() => undefined);
    },
  };
  return { shard: { index, sql, prisma: withSqlErrors(prisma) }, parts: [sql, prismaPart] };
}
