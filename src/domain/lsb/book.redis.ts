import { plainScript } from '../../storage/lua.ts';
import type { RedisBucket } from '../../storage/redis.ts';
import { dialMs, ticketSlotMs, type BookTimes, type GateBook, type GateTidings } from './book.ts';
import type { GateReport, KnownGate } from './model.ts';

/**
 * What gates say of themselves, on one Redis, whatever the epoch:
 *
 * - `reportsKey`: a hash, by gate, of when it said so in ms of Redis' clock, and its report as JSON: `<ms> <json>`.
 * - `ticketsKey`: a hash, by gate and slot of time (`<gate>|<slot>`), of how many clients were sent there.
 *
 * What does not count any more goes with the next exchange, so they hold some dozens of fields per gate at most.
 */
export const reportsKey = 'fim:lsb:reports';
export const ticketsKey = 'fim:lsb:tickets';
const keys = [reportsKey, ticketsKey] as const;

export const exchangeScript = plainScript(
  'lsb-exchange',
  {
    does: 'Takes what a node has to say, and answers what all have said.',
    keys: ['reports', 'tickets'],
    argv: ['ms of a lease', 'ms of a dial', 'ms of a slot', "a gate, or ''", "its report, or ''"],
    each: ['a gate to which clients were sent', 'how many'],
    returns: 'For each gate whose lease holds its report and how many tickets count.',
  },
  `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease, dial, slot = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[4], string.format('%.0f', now) .. ' ' .. ARGV[5])
end
for i = 6, #ARGV, 2 do
  local field = string.format('%s|%.0f', ARGV[i], math.floor(now / slot))
  redis.call('HINCRBY', KEYS[2], field, ARGV[i + 1])
end
local said, names, counts = {}, {}, {}
local reports = redis.call('HGETALL', KEYS[1])
for i = 1, #reports, 2 do
  local at, report = string.match(reports[i + 1], '^(%d+) (.*)$')
  if tonumber(at) + lease <= now then
    redis.call('HDEL', KEYS[1], reports[i])
  else
    names[#names + 1] = reports[i]
    said[reports[i]] = { tonumber(at), report }
    counts[reports[i]] = 0
  end
end
local tickets = redis.call('HGETALL', KEYS[2])
for i = 1, #tickets, 2 do
  local name, number = string.match(tickets[i], '^(.*)|(%d+)$')
  if said[name] and (number + 1) * slot > said[name][1] - dial then
    counts[name] = counts[name] + tickets[i + 1]
  else
    redis.call('HDEL', KEYS[2], tickets[i])
  end
end
local answer = {}
for _, name in ipairs(names) do
  answer[#answer + 1] = said[name][2]
  answer[#answer + 1] = counts[name]
end
return answer`,
);

/** In a Redis that nodes share; all times are those of its clock. */
export class RedisGateBook implements GateBook {
  readonly #bucket: RedisBucket;
  readonly #times: BookTimes;

  constructor({ bucket, limits }: { readonly bucket: RedisBucket; readonly limits: BookTimes }) {
    this.#bucket = bucket;
    this.#times = limits;
  }

  /**
   * One call.
   * @throws {Fault} UNAVAILABLE where Redis does not answer.
   */
  async exchange({ report, tickets }: GateTidings): Promise<readonly KnownGate[]> {
    const [id, said] = report ? [report.id, JSON.stringify(report)] : ['', ''];
    const times = [this.#times.gateLeaseMs, dialMs, ticketSlotMs] as const;
    const args = [...times, id, said, ...[...tickets].flat()] as const;
    const answer = (await this.#bucket.run(exchangeScript, keys, args)) as (string | number)[];
    const gates: KnownGate[] = [];
    for (let index = 0; index < answer.length; index += 2) {
      const known = JSON.parse(String(answer[index])) as GateReport;
      gates.push({ ...known, tickets: Number(answer[index + 1]) });
    }
    return gates;
  }

  /**
   * One call.
   * @throws {Fault} UNAVAILABLE where Redis does not answer.
   */
  async forget(gateId: string): Promise<void> {
    await this.#bucket.call('HDEL', reportsKey, gateId);
  }
}
