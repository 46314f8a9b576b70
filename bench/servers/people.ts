import { createHash } from 'node:crypto';
import { signAccessToken } from '../../src/domain/session/access-tokens.ts';
import { loadKeyRing } from '../../src/domain/session/key-file.ts';
import type { KeyRing } from '../../src/domain/session/key-ring.ts';
import { platformCodes } from '../../src/domain/session/platform.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { IdSource, slotOf, slotOfKey } from '../../src/lib/id.ts';
import { utf8 } from '../../src/lib/text.ts';
import { encodeId } from '../../src/resolvers/global-id.ts';
import { Shards, type ShardsConfig } from '../../src/storage/shards.ts';
import { rowMarks, type SqlValue } from '../../src/storage/sql.ts';

/** Somebody who is signed in. */
export interface Person {
  /** As the API has it. */
  readonly id: string;
  readonly username: string;
  readonly accessToken: string;
}

const tokenLifeMs = 8 * 60 * 60_000;
const rowsPerStatement = 500;

/** The keys of a run, which servers get by ACCESS_TOKEN_KEYS. */
export function keysIn(file: string): Promise<KeyRing> {
  return loadKeyRing({ path: file, isMadeIfMissing: true });
}

/**
 * Puts users and their sessions into shards that no server has open: registering thousands would hash thousands of
 * passwords. They have none, so they come in by their access tokens alone. Brings the tables up to date first.
 */
export async function seedPeople(
  storage: ShardsConfig,
  keys: KeyRing,
  count: number,
): Promise<Person[]> {
  const shards = new Shards(storage, {
    clock: systemClock,
    onLost: (reason) => {
      throw reason;
    },
  });
  await shards.start();
  try {
    const ids = new IdSource({ clock: systemClock });
    const people = Array.from({ length: count }, (_, index) => rowsOf(ids, `person_${index}`));
    for (const shard of shards.all) {
      const own = people.filter(({ userId }) => shards.of(userId) === shard);
      await insertAll(
        own.map(({ user }) => user),
        (rows) =>
          shard.sql.execute(
            `INSERT INTO User (id, appId, username, displayName, passwordHash, createdAtMs) VALUES ${rowMarks(rows.length, 6)}`,
            rows.flat(),
          ),
      );
      await insertAll(
        own.map(({ session }) => session),
        (rows) =>
          shard.sql.execute(
            `INSERT INTO Session (id, userId, deviceId, platform, createdAtMs, lastSeenAtMs, refreshGeneration, refreshRotatedAtMs) VALUES ${rowMarks(rows.length, 8)}`,
            rows.flat(),
          ),
      );
    }
    return people.map(({ userId, sessionId, username }) => ({
      id: encodeId('User', userId),
      username,
      accessToken: tokenFor(keys, userId, sessionId),
    }));
  } finally {
    await shards.stop(1_000);
  }
}

/** A token as sign-in gives it, for longer than any run takes. */
export function tokenFor(keys: KeyRing, userId: bigint, sessionId: bigint): string {
  const now = Date.now();
  const expiresAtMs = Math.floor((now + tokenLifeMs) / 1000) * 1000;
  return signAccessToken(keys, { userId, sessionId, appId: 'default', expiresAtMs }, now);
}

/** What a contender verifies such tokens with, as JWT plugins do. */
export function tokenSecretOf({ first }: KeyRing): string {
  return first.access.export().toString('base64url');
}

/** A text of so many characters that says where it belongs, so that no two are alike. */
export function textOf(key: string, length: number): string {
  const hash = createHash('sha256').update(key).digest('base64url');
  return `${key} ${hash.repeat(Math.ceil(length / hash.length))}`.slice(0, length);
}

function rowsOf(ids: IdSource, username: string) {
  const now = Date.now();
  const userId = ids.next(slotOfKey('default', username));
  const sessionId = ids.next(slotOf(userId));
  const user: SqlValue[] = [
    ...[userId, utf8('default'), utf8(username)],
    ...[`Person ${username}`, 'no password', now],
  ];
  const session: SqlValue[] = [
    ...[sessionId, userId, utf8('device-1'), platformCodes.OTHER],
    ...[now, now, 1, now],
  ];
  return { userId, sessionId, username, user, session };
}

async function insertAll(
  rows: readonly SqlValue[][],
  insert: (rows: readonly SqlValue[][]) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsPerStatement) {
    await insert(rows.slice(at, at + rowsPerStatement));
  }
}
