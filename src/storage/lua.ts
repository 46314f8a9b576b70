import { createHash } from 'node:crypto';
import { assert } from '../lib/assert.ts';

/** What stands at each place. */
export type Names = readonly string[];
/** What a script is given for a name of its header. */
export type LuaValue = string | number;
type ValuesOf<Of extends Names> = { readonly [At in keyof Of]: LuaValue };

/** What a script says of itself: in the words of those who call it, by position. */
interface EpochHeader<Argv extends Names, Each extends Names> {
  /** A sentence or more. */
  readonly does: string;
  readonly argv: Argv;
  /** What follows behind `argv`, any number of times. */
  readonly each?: Each;
  readonly returns: string;
}
export interface LuaHeader<
  Keys extends Names,
  Argv extends Names,
  Each extends Names,
> extends EpochHeader<Argv, Each> {
  readonly keys: Keys;
}

/** A Lua script of Redis: it runs whole, and nothing else runs meanwhile. */
export interface LuaScript<
  Keys extends Names = Names,
  Argv extends Names = Names,
  Each extends Names = Names,
> extends LuaHeader<Keys, Argv, Each> {
  readonly name: string;
  readonly text: string;
  /** By which Redis knows it again. */
  readonly sha: string;
}
export type EpochScript<Argv extends Names, Each extends Names> = LuaScript<
  readonly ['epoch'],
  readonly ['epoch', ...Argv],
  Each
>;

/** A value for each of its keys. */
export type KeysOf<Keys extends Names> = ValuesOf<Keys> & readonly LuaValue[];
/** A value for each of its arguments, and of an `EpochScript` for each but the epoch. */
export type ArgsOf<Argv extends Names, Each extends Names> = readonly LuaValue[] &
  (Each extends readonly [] ? ValuesOf<Argv> : readonly [...ValuesOf<Argv>, ...LuaValue[]]);

/** Where a Redis keeps what it is: a hash with `run`, `place` and `name`. */
export const epochKey = 'fim:epoch';

/** What a script answers that was told of another epoch than the one that holds. */
export const otherEpoch = 'EPOCH';

/**
 * A script that holds for one epoch: it is given `epochKey` as its first key and the epoch as its first argument, and does
 * nothing where another one holds, or none. Keys beyond the first it makes itself: everything is on one Redis, and Redis
 * Cluster is not promised.
 * @param header without that key and that argument; in `text` its ARGV begin with the second.
 */
export function epochScript<const Argv extends Names, const Each extends Names = readonly []>(
  name: string,
  header: EpochHeader<Argv, Each>,
  text: string,
): EpochScript<Argv, Each> {
  const guard = [
    `if redis.call('HGET', KEYS[1], 'name') ~= ARGV[1] then`,
    `  return redis.error_reply('${otherEpoch} another epoch holds')`,
    'end',
  ].join('\n');
  const whole = { ...header, keys: ['epoch'], argv: ['epoch', ...header.argv] } as const;
  return plainScript(name, whole, `${guard}\n${text}`);
}

/** A script that holds in any epoch. */
export function plainScript<
  const Keys extends Names,
  const Argv extends Names,
  const Each extends Names = readonly [],
>(name: string, header: LuaHeader<Keys, Argv, Each>, text: string): LuaScript<Keys, Argv, Each> {
  const whole = `-- ${name}\n${text}`;
  return { ...header, name, text: whole, sha: createHash('sha1').update(whole).digest('hex') };
}

/** What stands behind a script in EVAL: as many keys and arguments as its header names. */
export function givenTo(
  script: LuaScript,
  keys: readonly LuaValue[],
  args: readonly LuaValue[],
): [keyCount: number, ...LuaValue[]] {
  const more = args.length - script.argv.length;
  const each = script.each?.length ?? 0;
  const fits = each > 0 ? more >= 0 && more % each === 0 : more === 0;
  assert(keys.length === script.keys.length && fits, `${script.name} is given what it names`);
  return [keys.length, ...keys, ...args];
}

/** Finds out what a Redis is, and in which epoch. */
export const claimEpoch = plainScript(
  'claim-epoch',
  {
    does: 'Begins a new epoch where this Redis is not what the one that holds was given to, or where that has ended.',
    keys: ['epoch'],
    argv: ['what this Redis is', 'its place among all', 'name of a new epoch'],
    each: ['name of an epoch that has ended'],
    returns: 'The name of the epoch that holds from now on.',
  },
  `local known = redis.call('HMGET', KEYS[1], 'run', 'place', 'name')
local holds = known[1] == ARGV[1] and known[2] == ARGV[2] and known[3]
for i = 4, #ARGV do if known[3] == ARGV[i] then holds = false end end
if holds then return known[3] end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'place', ARGV[2], 'name', ARGV[3])
return ARGV[3]`,
);
