import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { readMigrations } from './migration-files.ts';
import { migrate } from './migrator.ts';
import type { MysqlSession } from './mysql-session.ts';
import { proveShards } from './shard-facts.ts';
import { StartupRefusal } from './startup-refusal.ts';

/** How long one node waits for another that is starting, in seconds. */
const startWaitSeconds = 60;

/**
 * Makes the databases fit to be used, one node at a time: each is another database than the others,
 * has its tables, and is the shard that it should be.
 * @throws {StartupRefusal}
 */
export async function prepareMysql(
  sessions: readonly MysqlSession[],
  options: { map: string; clock: Clock },
): Promise<void> {
  await refuseTwins(sessions);
  const migrations = await readMigrations('mysql');
  // In the order of the shards, as every node does: so two that start at once wait for each other
  // and never in a circle.
  for (const session of sessions) {
    if (!(await session.lock('start', startWaitSeconds))) {
      throw new StartupRefusal(
        `Another node has been starting on ${session.label} for ${startWaitSeconds} s.`,
      );
    }
  }
  for (const session of sessions) await migrate(session, migrations, { clock: options.clock });
  await proveShards(sessions, options.map);
}

/**
 * One database under two names would be two shards with the same rows. A lock taken on one shows on
 * the other if they share a server.
 */
async function refuseTwins(sessions: readonly MysqlSession[]): Promise<void> {
  for (const [index, first] of sessions.entries()) {
    const probe = `fastim.probe.${randomUUID()}`;
    await first.query('SELECT GET_LOCK(?, 0) AS taken', [probe]);
    for (const second of sessions.slice(index + 1)) {
      if (second.database !== first.database) continue;
      const [row] = await second.query('SELECT IS_USED_LOCK(?) AS holder', [probe]);
      if (row?.['holder'] == null) continue;
      throw new StartupRefusal(
        `${first.label} and ${second.label} are the same database: each shard needs one of its own.`,
      );
    }
    await first.query('SELECT RELEASE_LOCK(?) AS released', [probe]);
  }
}
