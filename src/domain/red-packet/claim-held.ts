import { heldOf } from '../../storage/patience.ts';
import type { SqlTransaction } from '../../storage/sql.ts';
import type { LockedPacket } from './claim-load.ts';

/** Locks those of some wallets of the packets' shard that nobody holds, and answers whose others do. */
export type LockFree = (
  tx: SqlTransaction,
  userIds: readonly bigint[],
) => Promise<ReadonlySet<bigint>>;

/** What of a batch others hold, by id. */
export interface Held {
  readonly packets: ReadonlySet<bigint>;
  readonly wallets: ReadonlySet<bigint>;
}

export const nothingHeld: Held = { packets: new Set(), wallets: new Set() };

/**
 * Finds what was passed over. Also locks the wallets that money may go to, so that nobody waits for those after the decision.
 * @param asked what was to be locked, and the wallets of who claims.
 */
export async function findHeld(
  tx: SqlTransaction,
  packets: ReadonlyMap<bigint, LockedPacket>,
  asked: { readonly packetIds: readonly bigint[]; readonly userIds: readonly bigint[] },
  {
    isHere,
    lockFree,
  }: { readonly isHere: (userId: bigint) => boolean; readonly lockFree: LockFree },
): Promise<Held> {
  const passedOver = asked.packetIds.filter((id) => !packets.has(id));
  const senders = [...packets.values()].map(({ packet }) => packet.senderId);
  const users = new Set([...asked.userIds, ...senders].filter(isHere));
  const inOrder = [...users].sort((a, b) => (a < b ? -1 : 1));
  return {
    packets: await heldOf(tx, { table: 'RedPacket', key: 'id' }, passedOver),
    wallets: await lockFree(tx, inOrder),
  };
}
