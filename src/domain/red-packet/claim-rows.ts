import type { Claim, RedPacket } from './model.ts';

/** A claim, with the transfer that takes it to the claimer's wallet. */
export interface StoredClaim {
  readonly redPacketId: bigint;
  readonly userId: bigint;
  readonly shareNo: number;
  readonly amount: bigint;
  readonly claimedAtMs: number;
  readonly transferId: bigint;
}

export interface ClaimRow extends Omit<StoredClaim, 'claimedAtMs'> {
  readonly claimedAtMs: bigint;
}

export const claimColumns = [
  'redPacketId',
  'userId',
  'shareNo',
  'amount',
  'claimedAtMs',
  'transferId',
] as const satisfies readonly (keyof ClaimRow)[];

export function storedClaimOf(row: ClaimRow): StoredClaim {
  return { ...row, claimedAtMs: Number(row.claimedAtMs) };
}

/** The values of `claimColumns`. */
export function claimValues(claim: StoredClaim): (bigint | number)[] {
  return claimColumns.map((column) => claim[column]);
}

/** A claim as whoever sees the packet may know it. */
export function claimOf(
  { redPacketId, userId, shareNo, amount, claimedAtMs }: StoredClaim,
  { bestShareNo }: Pick<RedPacket, 'bestShareNo'>,
): Claim {
  return { redPacketId, userId, shareNo, amount, claimedAtMs, isBest: bestShareNo === shareNo };
}
