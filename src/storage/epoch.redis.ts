import type { Redis } from 'ioredis';
import { claimEpoch, epochKey, givenTo } from './lua.ts';

/** What a Redis is, over which connection ever: its process, and how often that was made a primary. */
export interface RedisIdentity {
  readonly run: string;
  /** The replication id that it had when it was promoted; zeros where it never was. */
  readonly promotion: string;
  /** By which policy it drops keys before their time where it is full; null: by none. */
  readonly evictsBy: string | null;
}

/**
 * Asks a Redis what it is.
 * @throws where it is not to be written to: a replica, or one that is still reading its file.
 */
export async function identify(client: Redis): Promise<RedisIdentity> {
  const info = await client.info();
  const run = /^run_id:(\w+)/m.exec(info)?.[1];
  const promotion = promotionIn(info);
  if (run === undefined || promotion === null || /^loading:1/m.test(info)) {
    throw new Error('this Redis is not to be written to yet');
  }
  return { run, promotion, evictsBy: evictionIn(info) };
}

/** Whether it is what it was, and in the same epoch. Less than all of `identify`, since it is asked all the time. */
export async function isAsBefore(
  client: Redis,
  { promotion }: RedisIdentity,
  epoch: bigint,
): Promise<boolean> {
  const [info, name] = await Promise.all([
    client.info('replication'),
    client.hget(epochKey, 'name'),
  ]);
  return promotionIn(info) === promotion && name === String(epoch);
}

/**
 * The epoch that holds from now on.
 * @param fresh a name for a new one.
 * @param ended names of some that have ended: where one of them is kept, it was kept by a Redis that was away meanwhile.
 */
export async function claim(
  client: Redis,
  { run, promotion }: RedisIdentity,
  place: string,
  fresh: bigint,
  ended: Iterable<bigint>,
): Promise<bigint> {
  const args = [`${run}.${promotion}`, place, String(fresh), ...[...ended].map(String)] as const;
  const given = givenTo(claimEpoch, [epochKey], args);
  return BigInt(String(await client.eval(claimEpoch.text, ...given)));
}

function evictionIn(info: string): string | null {
  const isBounded = /^maxmemory:[1-9]/m.test(info);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  return isBounded && policy !== 'noeviction' ? policy : null;
}

/** Null: it is a replica. */
function promotionIn(info: string): string | null {
  if (!/^role:master/m.test(info)) return null;
  return /^master_replid2:(\w+)/m.exec(info)?.[1] ?? '';
}
