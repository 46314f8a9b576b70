import { slotCount } from '../lib/id.ts';
import { StartupRefusal } from './startup-refusal.ts';

/** Slots `first` to `last`, both included, live on the shard of that index. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly shard: number;
}

/** Equal ranges, in the order of the shards. */
export function evenSlotMap(shards: number): SlotRange[] {
  return Array.from({ length: shards }, (_, shard) => ({
    first: Math.ceil((shard * slotCount) / shards),
    last: Math.ceil(((shard + 1) * slotCount) / shards) - 1,
    shard,
  }));
}

/**
 * The shard of each slot.
 * @throws {StartupRefusal} unless every slot has exactly one shard and every shard a slot.
 */
export function shardOfSlots(map: readonly SlotRange[], shards: number): readonly number[] {
  const owners = new Array<number>(slotCount).fill(-1);
  for (const { first, last, shard } of map) {
    if (shard < 0 || shard >= shards)
      throw refusal(`names shard ${shard}, but there are ${shards}`);
    if (first > last || first < 0 || last >= slotCount)
      throw refusal(`has the range ${first}-${last}`);
    for (let slot = first; slot <= last; slot += 1) {
      if (owners[slot] !== -1) throw refusal(`names slot ${slot} twice`);
      owners[slot] = shard;
    }
  }
  const missing = owners.indexOf(-1);
  if (missing !== -1) throw refusal(`leaves out slot ${missing}`);
  for (let shard = 0; shard < shards; shard += 1) {
    if (!owners.includes(shard)) throw refusal(`gives shard ${shard} nothing`);
  }
  return owners;
}

/** One text for one map, however it was written: `0-511=0,512-1023=1`. */
export function slotMapText(owners: readonly number[]): string {
  const parts: string[] = [];
  let first = 0;
  for (let slot = 1; slot <= owners.length; slot += 1) {
    if (owners[slot] === owners[first]) continue;
    parts.push(`${first}-${slot - 1}=${owners[first]}`);
    first = slot;
  }
  return parts.join(',');
}

function refusal(what: string): StartupRefusal {
  return new StartupRefusal(
    `The slot map ${what}. It must name each slot from 0 to ${slotCount - 1} once.`,
  );
}
