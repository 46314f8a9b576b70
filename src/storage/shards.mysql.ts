import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { startInOrder, type Lifecycle } from '../lib/lifecycle.ts';
import { PrismaClient } from './generated/mysql/client.ts';
import { mariadbOptions } from './mariadb-options.ts';
import { openPool } from './mariadb-pool.ts';
import { openMysqlSession } from './mysql-session.ts';
import { prepareMysql } from './mysql-start.ts';
import { MysqlNodeLock } from './node-lock.mysql.ts';
import { MysqlNodeSeat, proveCompany } from './node-seat.mysql.ts';
import type { OpenOptions, OpenShards, Shard } from './shard.ts';
import { withSqlErrors } from './prisma-errors.ts';
import { MariadbSql } from './sql.mariadb.ts';

/** Connections that one node has to each shard, by what they are for. */
const readersMax = 8;
const writersMax = 6;
const prismaMax = 6;
/** How long a statement or transaction may take, in ms. */
const timeoutMs = 10_000;

/**
 * One shard per MySQL or MariaDB database.
 * @param joinedBy what joins nodes that share them; null: one node has them alone.
 */
export async function openMysqlShards(
  urls: readonly string[],
  joinedBy: string | null,
  options: OpenOptions,
): Promise<OpenShards> {
  const stopLocks = await prepare(urls, joinedBy, options);
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

/** @returns what gives the locks back that this node has from now on. */
async function prepare(
  urls: readonly string[],
  joinedBy: string | null,
  options: OpenOptions,
): Promise<(graceMs: number) => Promise<void>> {
  const { onLost } = options;
  const locks =
    joinedBy === null
      ? urls.map((url) => new MysqlNodeLock(url, { onLost }))
      : urls.slice(0, 1).map((url) => new MysqlNodeSeat(url));
  const opened = await Promise.allSettled(urls.map((url) => openMysqlSession(url)));
  const sessions = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
    await prepareMysql(sessions, options);
    const [first] = sessions;
    if (first) await proveCompany(first, joinedBy);
    // Before the next one may start.
    return await startInOrder(locks);
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
