import { present } from '../../lib/assert.ts';
import type { WalletEntry } from './model.ts';

const kinds = ['TOP_UP', 'RED_PACKET_SENT', 'RED_PACKET_CLAIMED', 'RED_PACKET_REFUNDED'] as const;

/** An entry, with what only its row knows. */
export interface StoredEntry {
  readonly entry: WalletEntry;
  readonly cause: string;
  readonly reason: string | null;
}

export interface EntryRow extends Omit<WalletEntry, 'kind' | 'createdAtMs'> {
  readonly kind: number;
  readonly cause: Uint8Array;
  readonly reason: string | null;
  readonly createdAtMs: bigint;
}

export const entryColumns = [
  'userId',
  'entryNo',
  'kind',
  'amount',
  'balance',
  'cause',
  'redPacketId',
  'reason',
  'createdAtMs',
] as const satisfies readonly (keyof EntryRow)[];

export function storedOf(row: EntryRow): StoredEntry {
  return { entry: entryOf(row), cause: Buffer.from(row.cause).toString(), reason: row.reason };
}

export function entryOf(row: EntryRow): WalletEntry {
  return {
    userId: row.userId,
    entryNo: row.entryNo,
    kind: present(kinds[row.kind], 'a wallet entry of unknown kind'),
    amount: row.amount,
    balance: row.balance,
    redPacketId: row.redPacketId,
    createdAtMs: Number(row.createdAtMs),
  };
}

/** The values of `entryColumns`. */
export function entryValues({ entry, cause, reason }: StoredEntry) {
  return [
    entry.userId,
    entry.entryNo,
    kinds.indexOf(entry.kind),
    entry.amount,
    entry.balance,
    Buffer.from(cause),
    entry.redPacketId,
    reason,
    entry.createdAtMs,
  ];
}
