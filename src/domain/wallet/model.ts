/** Amounts are whole minor units, bigint; ids are bigint, times ms since 1970. */

/** Why a wallet's balance changed. */
export type WalletEntryKind =
  'TOP_UP' | 'RED_PACKET_SENT' | 'RED_PACKET_CLAIMED' | 'RED_PACKET_REFUNDED';

/** One change of a wallet: never altered, never deleted. The amounts of a wallet's entries sum to its balance. */
export interface WalletEntry {
  readonly userId: bigint;
  /** 1, 2, 3 … within its wallet, without a gap. */
  readonly entryNo: number;
  readonly kind: WalletEntryKind;
  /** Negative where money left. */
  readonly amount: bigint;
  /** The balance after it. */
  readonly balance: bigint;
  /** Null for a top-up. */
  readonly redPacketId: bigint | null;
  readonly createdAtMs: number;
}

/** A wallet, as it is now. */
export interface Wallet {
  readonly userId: bigint;
  /** Never below 0. */
  readonly balance: bigint;
}

/** Newest first. */
export interface WalletEntryPage {
  readonly entries: readonly WalletEntry[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** Money that comes from outside. */
export interface TopUp {
  readonly userId: bigint;
  /** Positive. */
  readonly amount: bigint;
  /** The same key is the same top-up; 1 to 64 characters. */
  readonly key: string;
  /** For whoever looks at the books later; 1 to 256 characters. */
  readonly reason: string;
}
