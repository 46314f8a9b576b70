/**
 * What the inbox logs are in Redis. `<E>` is the Redis' epoch, so nothing of an old one is ever read:
 *
 * | key | what |
 * |---|---|
 * | `fim:h:<E>:<user>` | head, a hash: `e` the log's own epoch, `o` its last offset, `t` trimmed up to, `s` last seen, ms |
 * | `fim:l:<E>:<user>` | entries, a stream: the id is the last offset that the entry takes, its one field `v` the entry's text |
 * | `fim:w:<E>:<conversation>` | watermark: `<next eventNo> <eventNo of the last change of members>` |
 * | `fim:r:<E>:<conversation>` | read positions told, a hash by member |
 *
 * Head and entries expire together when nobody has said for long that they read them: such a log is dropped. What
 * guards a conversation outlives every entry of it. What appends to them reads besides,
 * of stays.lua.ts, at which gates a user's inbox is open, and how long those live.
 */
import { epochScript } from '../../storage/lua.ts';

export const openLogs = epochScript(
  'open-logs',
  {
    does: 'Heads of users, made where they are missing, and what follows a cursor; a sign that they are there.',
    argv: [
      'now in ms',
      'ms that a log lives without a sign',
      'ms that a sign may be old',
      'how many entries of each',
    ],
    each: [
      'user',
      'name of a new log',
      "epoch of the log that a cursor is of, or ''",
      'first offset wanted',
    ],
    returns:
      'Of each epoch, last offset, trimmed offset, last seen, entries: of each its stream id and its fields.',
  },
  `local now, lives, seen, count = ARGV[2], ARGV[3], tonumber(ARGV[2]) - tonumber(ARGV[4]), ARGV[5]
local opened = {}
for i = 6, #ARGV, 4 do
  local head = 'fim:h:' .. ARGV[1] .. ':' .. ARGV[i]
  local log = 'fim:l:' .. ARGV[1] .. ':' .. ARGV[i]
  local known = redis.call('HMGET', head, 'e', 'o', 't', 's')
  local entries = {}
  if not known[1] then
    redis.call('DEL', log)
    redis.call('HSET', head, 'e', ARGV[i + 1], 'o', '0', 't', '0', 's', now)
    redis.call('PEXPIRE', head, lives)
    known = {ARGV[i + 1], '0', '0', now}
  else
    if tonumber(known[4]) < seen then
      redis.call('HSET', head, 's', now)
      redis.call('PEXPIRE', head, lives)
      redis.call('PEXPIRE', log, lives)
      known[4] = now
    end
    if known[1] == ARGV[i + 2] and tonumber(known[2]) >= tonumber(ARGV[i + 3]) then
      entries = redis.call('XRANGE', log, ARGV[i + 3] .. '-0', '+', 'COUNT', count)
    end
  end
  known[5] = entries
  opened[#opened + 1] = known
end
return opened`,
);

export const touchLogs = epochScript(
  'touch-logs',
  {
    does: 'A sign that users are there, where they have a log.',
    argv: ['now in ms', 'ms that a log lives without a sign'],
    each: ['user'],
    returns: 'Nothing.',
  },
  `for i = 4, #ARGV do
  local head = 'fim:h:' .. ARGV[1] .. ':' .. ARGV[i]
  if redis.call('PEXPIRE', head, ARGV[3]) == 1 then
    redis.call('HSET', head, 's', ARGV[2])
    redis.call('PEXPIRE', 'fim:l:' .. ARGV[1] .. ':' .. ARGV[i], ARGV[3])
  end
end`,
);

export const readHeads = epochScript(
  'read-heads',
  {
    does: 'Heads of users.',
    argv: [],
    each: ['user'],
    returns: 'Of each epoch, last offset, trimmed offset, last seen; all nil where there is none.',
  },
  `local heads = {}
for i = 2, #ARGV do
  heads[i - 1] = redis.call('HMGET', 'fim:h:' .. ARGV[1] .. ':' .. ARGV[i], 'e', 'o', 't', 's')
end
return heads`,
);

export const readLog = epochScript(
  'read-log',
  {
    does: 'Entries after an offset, in order.',
    argv: ['user', 'epoch of their log', 'first offset wanted', 'how many entries'],
    returns: 'Of each its stream id and its fields; none where their log is another.',
  },
  `if redis.call('HGET', 'fim:h:' .. ARGV[1] .. ':' .. ARGV[2], 'e') ~= ARGV[3] then return {} end
return redis.call('XRANGE', 'fim:l:' .. ARGV[1] .. ':' .. ARGV[2], ARGV[4] .. '-0', '+', 'COUNT', ARGV[5])`,
);
