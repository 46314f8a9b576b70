/** What appends to the logs that inbox-scripts.redis.ts describes. */
import { epochScript } from '../../storage/lua.ts';
import { gatesKey, staysKey } from '../nodes/stays.lua.ts';

/**
 * Puts entries into logs, all of them or none: `put` decides, `flush` writes and then publishes once for each gate that
 * has a user whose log got something. Whoever has no head is passed over. The texts of messages begin at ARGV[4]; the
 * text of what was not known is empty.
 */
const putting = `local epoch = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000
local heads = {}
local gates = {}

local function headOf(user)
  local head = heads[user]
  if head == nil then
    local known = redis.call('HMGET', 'fim:h:' .. epoch .. ':' .. user, 'e', 'o', 't')
    head = false
    if known[1] then
      head = {e = known[1], o = tonumber(known[2]), t = tonumber(known[3]), gates = {}, adds = {}}
      local at = redis.call('HGET', '${staysKey}', 'r' .. user)
      if at then
        for name in at:gmatch('<([^>]+)>') do head.gates[#head.gates + 1] = name end
      end
    end
    heads[user] = head
  end
  return head
end

local function gateOf(name)
  local gate = gates[name]
  if gate == nil then
    gate = false
    local lease = redis.call('ZSCORE', '${gatesKey}', name)
    if lease and tonumber(lease) > now then
      gate = {count = 0, entries = {}, index = {}, told = {}, texts = {}, has = {}}
    end
    gates[name] = gate
  end
  return gate
end

local function put(user, joined, value, count, firstText, lastText)
  local head = headOf(user)
  if not head then return end
  head.o = head.o + count
  local offset = string.format('%.0f', head.o)
  head.adds[#head.adds + 1] = {offset, value}
  for _, name in ipairs(head.gates) do
    local gate = gateOf(name)
    if gate then
      local index = gate.index[value]
      if not index then
        index = gate.count
        gate.count = index + 1
        gate.index[value] = index
        gate.entries[index + 1] = '"' .. value .. '"'
        for at = firstText, lastText do
          local text = ARGV[3 + at]
          if not gate.has[at] and text ~= '' then
            gate.has[at] = true
            gate.texts[#gate.texts + 1] = text
          end
        end
      end
      gate.told[#gate.told + 1] = index .. ',"' .. user .. '","' .. head.e .. '",' .. offset .. ',' .. joined
    end
  end
end

local function flush(kept)
  for user, head in pairs(heads) do
    if head and #head.adds > 0 then
      local key = 'fim:h:' .. epoch .. ':' .. user
      local log = 'fim:l:' .. epoch .. ':' .. user
      local isNew = redis.call('EXISTS', log) == 0
      for _, add in ipairs(head.adds) do redis.call('XADD', log, add[1] .. '-0', 'v', add[2]) end
      if head.o - head.t > kept * 1.25 then
        head.t = head.o - kept
        redis.call('XTRIM', log, 'MINID', string.format('%.0f-0', head.t + 1))
      end
      redis.call('HSET', key, 'o', string.format('%.0f', head.o), 't', string.format('%.0f', head.t))
      if isNew then redis.call('PEXPIREAT', log, string.format('%.0f', redis.call('PEXPIRETIME', key))) end
    end
  end
  for name, gate in pairs(gates) do
    if gate then
      redis.call('PUBLISH', 'gate:' .. name, '{"e":[' .. table.concat(gate.entries, ',') ..
        '],"d":[' .. table.concat(gate.told, ',') .. '],"m":[' .. table.concat(gate.texts, ',') ..
        '],"r":' .. ARGV[3] .. '}')
    end
  end
end

local function markOf(conversation)
  local text = redis.call('GET', 'fim:w:' .. epoch .. ':' .. conversation)
  if not text then return false end
  local next, members = text:match('^(%d+) (%d+)$')
  return {next = tonumber(next), members = tonumber(members)}
end

local function setMark(conversation, mark, ttl)
  redis.call('SET', 'fim:w:' .. epoch .. ':' .. conversation,
    string.format('%.0f %.0f', mark.next, mark.members), 'PX', ttl)
end
`;

/**
 * The job is JSON: `kept` events of a log, `ttl` of a watermark in ms, `s` stretches,
 * each of a conversation `c` from eventNo `f` to before `n`, its members' eventNo `m`, `w` where all before it is done, `at`
 * ms, `r` lists of user, joinedSeq, …, and `e` events: eventNo `n`, whom it is about `a` where that is not `c`, kind `k`, position `p`, count `q`, seq `x`, subject `u`,
 * list `r`, first text `t`.
 */
export const appendStretches = epochScript(
  'append-stretches',
  {
    does: 'Appends stretches of events, each where its watermark says that it is next or that only its end is new.',
    argv: ['job', 'regimes'],
    each: ['text of a message'],
    returns:
      'The conversations of which something may be missing before what the job has; of them nothing more was appended.',
  },
  `${putting}
local job = cjson.decode(ARGV[2])
local marks, moved, behind, late = {}, {}, {}, {}

local function tell(s, e, next)
  local p, q, t = e.p, e.q, e.t
  local done = next - e.n
  if done > 0 then
    if e.k ~= 0 or done >= q then return end
    p, q, t = p + done, q - done, t + done
  end
  local head = e.k .. ',' .. (e.a or s.c) .. ','
  local tail = ',' .. e.x .. ',' .. e.u .. ',' .. string.format('%.0f', s.at)
  local whole = head .. p .. ',' .. q .. tail
  local list = s.r[e.r]
  for i = 1, #list, 2 do
    local user, joined = list[i], list[i + 1]
    if e.k == 0 then
      local hidden = joined - p
      if hidden <= 0 then
        put(user, joined, whole, q, t, t + q - 1)
      elseif hidden < q then
        put(user, joined, head .. joined .. ',' .. (q - hidden) .. tail, q - hidden, t + hidden, t + q - 1)
      end
    elseif e.k ~= 1 or e.x >= joined then
      put(user, joined, whole, 1, t, e.k == 1 and t or 0)
    end
  end
end

for _, s in ipairs(job.s) do
  local mark = marks[s.c]
  if mark == nil then
    mark = markOf(s.c)
    marks[s.c] = mark
  end
  local next = mark and mark.next or (s.f == 1 and 1 or 0)
  if s.w and next < s.f then next = s.f end
  if behind[s.c] or next < s.f then
    if not behind[s.c] then late[#late + 1] = s.c end
    behind[s.c] = true
  elseif s.n > next then
    for _, e in ipairs(s.e) do tell(s, e, next) end
    marks[s.c] = {next = s.n, members = math.max(mark and mark.members or 0, s.m)}
    moved[s.c] = true
  end
end
flush(job.kept)
for conversation in pairs(moved) do setMark(conversation, marks[conversation], job.ttl) end
return late`,
);

/**
 * The job is JSON: `kept`, `ttl` as above, conversation `c`, reader `u`, position `p`, `m` the eventNo of
 * the last change of members that the recipients know, `w` where all until then was told, `at` ms, and `r` recipients: user,
 * joinedSeq, eventNo of their joining, ….
 */
export const appendRead = epochScript(
  'append-read',
  {
    does: 'Appends a read position, where it is newer than the one told.',
    argv: ['job', 'regimes'],
    returns:
      "'done'; 'stale' where the members have changed since; 'behind' where it is not known what they were told.",
  },
  `${putting}
local job = cjson.decode(ARGV[2])
local mark = markOf(job.c)
if not mark then
  if not job.w then return 'behind' end
  mark = {next = job.m + 1, members = job.m}
  setMark(job.c, mark, job.ttl)
end
if mark.members > job.m then return 'stale' end
local told = 'fim:r:' .. epoch .. ':' .. job.c
local last = redis.call('HGET', told, job.u)
if last and tonumber(last) >= job.p then return 'done' end
local value = '2,' .. job.c .. ',' .. job.p .. ',1,,' .. job.u .. ',' .. string.format('%.0f', job.at)
for i = 1, #job.r, 3 do
  -- Whose joining is not told yet will be shown the read with it.
  if job.r[i + 2] < mark.next then put(job.r[i], job.r[i + 1], value, 1, 1, 0) end
end
flush(job.kept)
redis.call('HSET', told, job.u, job.p)
redis.call('PEXPIRE', told, job.ttl)
return 'done'`,
);
