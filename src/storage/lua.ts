import { createHash } from 'node:crypto';

/** A Lua script of Redis: it runs whole, and nothing else runs meanwhile. */
export interface LuaScript {
  readonly name: string;
  readonly text: string;
  /** By which Redis knows it again. */
  readonly sha: string;
}

/** Where a Redis keeps what it is: a hash with `run`, `place` and `name`. */
export const epochKey = 'fim:epoch';

/** What a script answers that was told of another epoch than the one that holds. */
export const otherEpoch = 'EPOCH';

/**
 * A script that holds for one epoch: it is given `epochKey` as its first key and the epoch as its first argument, and does
 * nothing where another one holds, or none.
 *
 * Its text begins with a header: what it does, its ARGV from the second on, what it returns. Keys beyond the first
 * it makes itself: everything is on one Redis, and Redis Cluster is not promised.
 */
export function epochScript(name: string, text: string): LuaScript {
  const guard = [
    `if redis.call('HGET', KEYS[1], 'name') ~= ARGV[1] then`,
    `  return redis.error_reply('${otherEpoch} another epoch holds')`,
    'end',
  ].join('\n');
  return plainScript(name, `${guard}\n${text}`);
}

/** A script that holds in any epoch. */
export function plainScript(name: string, text: string): LuaScript {
  const whole = `-- ${name}\n${text}`;
  return { name, text: whole, sha: createHash('sha1').update(whole).digest('hex') };
}

/**
 * Finds out what this Redis is, and in which epoch.
 * ARGV: what it is, the place of this Redis among all, a name for a new epoch, names of epochs that have ended.
 * Returns: the name of the epoch that holds from now on.
 */
export const claimEpoch = plainScript(
  'claim-epoch',
  `local known = redis.call('HMGET', KEYS[1], 'run', 'place', 'name')
local holds = known[1] == ARGV[1] and known[2] == ARGV[2] and known[3]
for i = 4, #ARGV do if known[3] == ARGV[i] then holds = false end end
if holds then return known[3] end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'place', ARGV[2], 'name', ARGV[3])
return ARGV[3]`,
);
