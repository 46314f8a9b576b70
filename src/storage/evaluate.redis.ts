import type { Redis } from 'ioredis';
import { givenTo, type LuaScript, type LuaValue } from './lua.ts';
import { refusalOf } from './redis-refusals.ts';

/** Runs a script, by its name where this Redis knows it already. Rejects as Redis refuses it. */
export async function evaluated(
  client: Redis,
  script: LuaScript,
  keys: readonly LuaValue[],
  args: readonly LuaValue[],
): Promise<unknown> {
  const given = givenTo(script, keys, args);
  try {
    return await client.evalsha(script.sha, ...given);
  } catch (error) {
    if (!refusalOf(error).startsWith('NOSCRIPT')) throw error;
    return client.eval(script.text, ...given);
  }
}
