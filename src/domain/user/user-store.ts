import { textOf, utf8 } from '../../lib/text.ts';
import { Prisma } from '../../storage/generated/mysql/client.ts';
import type { Shard } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
import type { User } from './model.ts';

/** What a row of User says of a person, the secret left out. */
interface UserRow {
  readonly id: bigint;
  readonly appId: Uint8Array;
  readonly username: Uint8Array;
  readonly displayName: string;
  readonly createdAtMs: bigint;
}

/** A user and the hash of their password: what only signing in needs. */
export interface Account {
  readonly user: User;
  readonly passwordHash: string;
}

/** Inserts, unless the id or the name is there already. */
export async function insertUser(
  { prisma }: Shard,
  { user, passwordHash }: Account,
): Promise<'inserted' | 'taken'> {
  const row = {
    id: user.id,
    appId: utf8(user.appId),
    username: utf8(user.username),
    displayName: user.displayName,
    passwordHash,
    createdAtMs: BigInt(user.createdAtMs),
  };
  try {
    // One statement, where `create` would also begin, read back and commit.
    await prisma.user.createMany({ data: [row] });
    return 'inserted';
  } catch (error) {
    if (isUniqueViolation(error)) return 'taken';
    throw error;
  }
}

export async function accountByUsername(
  { prisma }: Shard,
  appId: string,
  username: string,
): Promise<Account | null> {
  const row = await prisma.user.findUnique({
    where: { appId_username: { appId: utf8(appId), username: utf8(username) } },
  });
  return row && { user: userOf(row), passwordHash: row.passwordHash };
}

/** One statement. By SQL, since every page of messages asks it. */
export async function usersByIds({ sql }: Shard, ids: readonly bigint[]): Promise<User[]> {
  const rows = await sql.query<UserRow>(
    `SELECT id, appId, username, displayName, createdAtMs FROM User WHERE id IN (${marks(ids.length)})`,
    ids,
  );
  return rows.map(userOf);
}

/** Whether there is such a user. */
export async function updateDisplayName(
  { prisma }: Shard,
  id: bigint,
  displayName: string,
): Promise<boolean> {
  const { count } = await prisma.user.updateMany({ where: { id }, data: { displayName } });
  return count > 0;
}

function userOf(row: UserRow): User {
  return {
    id: row.id,
    appId: textOf(row.appId),
    username: textOf(row.username),
    displayName: row.displayName,
    createdAtMs: Number(row.createdAtMs),
  };
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
