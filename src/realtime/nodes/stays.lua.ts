import { plainScript } from '../../storage/lua.ts';

/**
 * What gates say of whom they have, on the Redis of a bucket of users, whatever the epoch. Gates are named `node.life`; a
 * gate's name stands in angle brackets.
 *
 * - `staysKey`: a hash, by stay (`stays.ts`), of the gates where it is: `<a><b>`. Never empty.
 * - `gatesKey`: a sorted set of gates, by the ms of Redis' clock when their lease ends.
 * - `fim:gate:<name>`: a set of the stays that a gate has, for whoever sweeps it.
 *
 * A user who comes to their first gate, or leaves their last one, is told of on `presenceChannel`: `<user id> 1`, or
 * `<user id> 0 <ms>`.
 */
export const staysKey = 'fim:stays';
export const gatesKey = 'fim:gates';
export const presenceChannel = 'presence';

const shared = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function come(field, name)
  local gates = redis.call('HGET', KEYS[1], field)
  if gates and string.find(gates, name, 1, true) then return end
  redis.call('HSET', KEYS[1], field, (gates or '') .. name)
  if not gates and string.sub(field, 1, 1) == 'o' then
    redis.call('PUBLISH', '${presenceChannel}', string.sub(field, 2) .. ' 1')
  end
end
local function go(field, name, at)
  local gates = redis.call('HGET', KEYS[1], field)
  local from, to = string.find(gates or '', name, 1, true)
  if not from then return end
  gates = string.sub(gates, 1, from - 1) .. string.sub(gates, to + 1)
  if gates ~= '' then redis.call('HSET', KEYS[1], field, gates) return end
  redis.call('HDEL', KEYS[1], field)
  if string.sub(field, 1, 1) == 'o' then
    redis.call('PUBLISH', '${presenceChannel}', string.sub(field, 2) .. ' 0 ' .. at)
  end
end
`;

/** To repeat it does no harm. */
export const moveScript = plainScript(
  'move',
  {
    does: 'Says who came to a gate and who left it.',
    keys: ['stays', 'gates'],
    argv: ['the gate'],
    each: ['a stay', "'1' or '0'", 'when that was in ms'],
    returns: 'Nothing.',
  },
  `${shared}
local name, key = '<' .. ARGV[1] .. '>', 'fim:gate:' .. ARGV[1]
-- So that it is swept even if it never says another word.
redis.call('ZADD', KEYS[2], 'NX', now + 10000, ARGV[1])
for i = 2, #ARGV, 3 do
  if ARGV[i + 1] == '1' then
    come(ARGV[i], name)
    redis.call('SADD', key, ARGV[i])
  else
    go(ARGV[i], name, ARGV[i + 2])
    redis.call('SREM', key, ARGV[i])
  end
end`,
);

export const leaseScript = plainScript(
  'lease',
  {
    does: 'Says that a gate lives.',
    keys: ['stays', 'gates'],
    argv: ['the gate', 'ms of its lease'],
    returns:
      '1 where its lease held until now, 0 where its stays were passed over, or forgotten; then gates whose lease has ended.',
  },
  `${shared}
local lease = redis.call('ZSCORE', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
return {lease and tonumber(lease) > now and 1 or 0, redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 10)}`,
);

export const sweepScript = plainScript(
  'sweep',
  {
    does: 'Forgets stays of a gate whose lease has ended, some at a time; at last the gate.',
    keys: ['stays', 'gates'],
    argv: ['the gate', 'how many at most'],
    returns: 'How many it took; fewer than asked for: none is left.',
  },
  `${shared}
local lease = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not lease or tonumber(lease) > now then return 0 end
local fields = redis.call('SPOP', 'fim:gate:' .. ARGV[1], ARGV[2])
for _, field in ipairs(fields) do go(field, '<' .. ARGV[1] .. '>', string.format('%.0f', lease)) end
if #fields < tonumber(ARGV[2]) then redis.call('ZREM', KEYS[2], ARGV[1]) end
return #fields`,
);
