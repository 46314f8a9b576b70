import type { LockedPacket } from './claim-load.ts';

/** Closes a packet, once its claims are what they will be for ever: now it is known whose was best. */
export function close(locked: LockedPacket, state: 'EXHAUSTED' | 'EXPIRED'): void {
  const { packet, shares } = locked;
  let bestShareNo: number | null = null;
  if (packet.kind === 'LUCKY') {
    for (let shareNo = 0; shareNo < packet.claimedCount; shareNo += 1) {
      const best = bestShareNo === null ? 0n : (shares[bestShareNo] ?? 0n);
      if ((shares[shareNo] ?? 0n) > best) bestShareNo = shareNo;
    }
  }
  locked.packet = { ...packet, state, bestShareNo };
}
