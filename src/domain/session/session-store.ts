import { present } from '../../lib/assert.ts';
import { textOf, utf8 } from '../../lib/text.ts';
import type { Shard } from '../../storage/shards.ts';
import { marks, SqlError, type SqlReader, type SqlTransaction } from '../../storage/sql.ts';
import type { EndReason, Session, SessionEnd } from './model.ts';
import { platformCodes, platformOf } from './platform.ts';
import type { RefreshClaim } from './refresh-tokens.ts';

interface SessionRow {
  readonly id: bigint;
  readonly userId: bigint;
  readonly deviceId: Uint8Array;
  readonly deviceName: string | null;
  readonly platform: number;
  readonly createdAtMs: bigint;
  readonly lastSeenAtMs: bigint;
}

/** What became of a refresh token that was presented. */
export type Rotation =
  /** `claim` is what its bearer holds from now on: new, or the same as the last time they asked. */
  | { outcome: 'good'; session: Session; appId: string; claim: RefreshClaim }
  /** Its successor is in use, or the grace is over: two bearers hold this session. */
  | { outcome: 'stolen'; session: Session }
  /** The session is over, or never was. */
  | { outcome: 'gone' };

const columns = [
  ...['s.id', 's.userId', 's.deviceId', 's.deviceName'],
  ...['s.platform', 's.createdAtMs', 's.lastSeenAtMs'],
].join(', ');
const endReasons = ['LOGGED_OUT', 'DISPLACED', 'THEFT'] as const;
const endReasonCodes = { LOGGED_OUT: 0, DISPLACED: 1, THEFT: 2 } as const;

/** The generation of a session's first refresh token. */
const firstGeneration = 1;
/** How often a transaction is tried in all, where the engine ended it for the sake of another. */
const triesMax = 4;

/**
 * Opens a session and ends those of the same user's live ones (the latest first) that it displaces, all or nothing. Sign-ins of one user go one after
 * the other.
 * @throws {SqlError} `unique` where the id is taken.
 */
export function openSession(
  { sql }: Shard,
  session: Session,
  displacedOf: (live: readonly Session[]) => Session[],
): Promise<{ displaced: Session[]; claim: RefreshClaim }> {
  return tried(() =>
    sql.transaction(async (tx) => {
      const live = await liveBehindLock(tx, sql.dialect.forUpdate, session.userId);
      const displaced = displacedOf(live);
      await Promise.all([
        endIn(tx, displaced, 'DISPLACED', session.createdAtMs),
        tx.execute(
          `INSERT INTO Session (id, userId, deviceId, deviceName, platform, createdAtMs,
             lastSeenAtMs, refreshGeneration, refreshRotatedAtMs) VALUES (${marks(9)})`,
          [
            ...[session.id, session.userId, utf8(session.deviceId), session.deviceName],
            ...[platformCodes[session.platform], session.createdAtMs, session.lastSeenAtMs],
            ...[firstGeneration, session.createdAtMs],
          ],
        ),
      ]);
      return { displaced, claim: { sessionId: session.id, generation: firstGeneration } };
    }),
  );
}

/** Ends a live session of the user's: exactly one of several that try gets it, the others null. */
export function endSession(
  { sql }: Shard,
  which: { userId: bigint; sessionId: bigint },
  reason: EndReason,
  atMs: number,
): Promise<Session | null> {
  return tried(() =>
    sql.transaction(async (tx) => {
      const live = await liveBehindLock(tx, sql.dialect.forUpdate, which.userId);
      const session = live.find(({ id }) => id === which.sessionId);
      if (!session) return null;
      await endIn(tx, [session], reason, atMs);
      return session;
    }),
  );
}

/**
 * Presents a refresh token. The guarded update lets exactly one of those who present the current one rotate it; whoever
 * comes next finds the successor in place.
 */
export async function rotate(
  { sql }: Shard,
  { sessionId, generation }: RefreshClaim,
  nowMs: number,
  graceMs: number,
): Promise<Rotation> {
  const next = generation + 1;
  const { affectedRows } = await sql.execute(
    `UPDATE Session SET refreshGeneration = ?, refreshRotatedAtMs = ?, lastSeenAtMs = ?
     WHERE id = ? AND refreshGeneration = ? AND endedAtMs IS NULL`,
    [next, nowMs, nowMs, sessionId, generation],
  );
  const [row] = await sql.query<
    SessionRow & { appId: Uint8Array; refreshGeneration: number; refreshRotatedAtMs: bigint }
  >(
    `SELECT ${columns}, s.refreshGeneration, s.refreshRotatedAtMs, u.appId
     FROM Session s JOIN User u ON u.id = s.userId WHERE s.id = ? AND s.endedAtMs IS NULL`,
    [sessionId],
  );
  // A generation that is still to come was lost with the database it was in.
  if (!row || row.refreshGeneration < next) return { outcome: 'gone' };
  const isInGrace =
    row.refreshGeneration === next && nowMs - Number(row.refreshRotatedAtMs) <= graceMs;
  if (affectedRows === 0 && !isInGrace) return { outcome: 'stolen', session: sessionOf(row) };
  return {
    outcome: 'good',
    session: sessionOf(row),
    appId: textOf(row.appId),
    claim: { sessionId, generation: next },
  };
}

/** A user's live sessions, the latest sign-in first. By SQL, since every client that starts asks it. */
export function liveSessions({ sql }: Shard, userId: bigint): Promise<Session[]> {
  return liveIn(sql, userId);
}

/** Those that ended at that time or later, the earliest first. */
export async function endedSince({ sql }: Shard, sinceMs: number) {
  const rows = await sql.query<{
    id: bigint;
    userId: bigint;
    endedAtMs: bigint;
    endReason: number;
  }>(
    `SELECT id, userId, endedAtMs, endReason FROM Session WHERE endedAtMs >= ?
     ORDER BY endedAtMs, id`,
    [sinceMs],
  );
  return rows.map((row): SessionEnd & { endedAtMs: number } => ({
    sessionId: row.id,
    userId: row.userId,
    reason: present(endReasons[row.endReason], 'an ended session says why'),
    endedAtMs: Number(row.endedAtMs),
  }));
}

/** When the newest end on this shard was, 0 where there is none. */
export async function newestEnd({ sql }: Shard): Promise<number> {
  return newestEndIn(sql);
}

/** Notes that these sessions were seen then; a later time that is there already stays. */
export async function seeSessions({ sql }: Shard, ids: readonly bigint[], atMs: number) {
  await sql.execute(
    `UPDATE Session SET lastSeenAtMs = ${sql.dialect.greatest('lastSeenAtMs', '?')}
     WHERE id IN (${marks(ids.length)})`,
    [atMs, ...ids],
  );
}

/** When each of these users was last seen, in any session of theirs that is still kept; without those who have none. */
export async function lastSeenOf({ sql }: Shard, userIds: readonly bigint[]) {
  const rows = await sql.query<{ userId: bigint; atMs: bigint }>(
    `SELECT userId, MAX(lastSeenAtMs) AS atMs FROM Session
     WHERE userId IN (${marks(userIds.length)}) GROUP BY userId`,
    userIds,
  );
  return rows.map(({ userId, atMs }) => [userId, Number(atMs)] as const);
}

/** Deletes up to `max` sessions that ended before that time; answers how many. */
export async function forgetEnded({ prisma }: Shard, beforeMs: number, max: number) {
  const rows = await prisma.session.findMany({
    where: { endedAtMs: { lt: BigInt(beforeMs) } },
    select: { id: true },
    take: max,
  });
  if (rows.length === 0) return 0;
  await prisma.session.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } });
  return rows.length;
}

/** All that ends sessions holds the user's row: so of two sign-ins the second one sees the first. */
async function liveBehindLock(
  tx: SqlTransaction,
  forUpdate: string,
  userId: bigint,
): Promise<Session[]> {
  const [users, live] = await Promise.all([
    tx.query<{ id: bigint }>(`SELECT id FROM User WHERE id = ?${forUpdate}`, [userId]),
    liveIn(tx, userId),
  ]);
  present(users[0], 'a session is a user’s');
  return live;
}

async function liveIn(reader: SqlReader, userId: bigint): Promise<Session[]> {
  const rows = await reader.query<SessionRow>(
    `SELECT ${columns} FROM Session s WHERE s.userId = ? AND s.endedAtMs IS NULL
     ORDER BY s.createdAtMs DESC, s.id DESC`,
    [userId],
  );
  return rows.map(sessionOf);
}

async function endIn(
  tx: SqlTransaction,
  sessions: readonly Session[],
  reason: EndReason,
  atMs: number,
): Promise<void> {
  if (sessions.length === 0) return;
  // Whoever looks for new ends looks behind those they know, and the clock of this node may be slow.
  const endedAtMs = Math.max(atMs, (await newestEndIn(tx)) + 1);
  await tx.execute(
    `UPDATE Session SET endedAtMs = ?, endReason = ? WHERE id IN (${marks(sessions.length)})`,
    [endedAtMs, endReasonCodes[reason], ...sessions.map(({ id }) => id)],
  );
}

async function newestEndIn(reader: SqlReader): Promise<number> {
  const rows = await reader.query<{ atMs: bigint | null }>(
    'SELECT MAX(endedAtMs) AS atMs FROM Session',
  );
  return Number(rows[0]?.atMs ?? 0);
}

async function tried<T>(work: () => Promise<T>): Promise<T> {
  for (let triesLeft = triesMax; ;) {
    try {
      return await work();
    } catch (error) {
      triesLeft -= 1;
      const mayPass =
        error instanceof SqlError && (error.kind === 'deadlock' || error.kind === 'lockTimeout');
      if (!mayPass || triesLeft === 0) throw error;
    }
  }
}

function sessionOf(row: SessionRow): Session {
  return {
    id: row.id,
    userId: row.userId,
    deviceId: textOf(row.deviceId),
    deviceName: row.deviceName,
    platform: platformOf(row.platform),
    createdAtMs: Number(row.createdAtMs),
    lastSeenAtMs: Number(row.lastSeenAtMs),
  };
}
