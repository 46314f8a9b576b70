import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Viewer } from '../session/session.ts';
import type { TopUp, Wallet, WalletEntry, WalletEntryPage } from './model.ts';

export type { TopUp, Wallet, WalletEntry, WalletEntryKind, WalletEntryPage } from './model.ts';

/**
 * The wallets of users. A wallet is there from the beginning, empty; only its entries change its balance, and each has a cause
 * of its own, so nothing is booked twice.
 */
export declare class Wallets implements Lifecycle {
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;

  /** The viewer's own. One statement. */
  mine(viewer: Viewer): Promise<Wallet>;

  /**
   * A page of the viewer's entries, newest first; one statement.
   * @param page.after a cursor as `entryCursor` gave it.
   * @throws {Fault} INVALID_ARGUMENT for a cursor that is none, or a size out of bounds.
   */
  entries(
    viewer: Viewer,
    page: { readonly first: number; readonly after: string | null },
  ): Promise<WalletEntryPage>;

  /** Where an entry stands in `entries`. */
  entryCursor(entry: WalletEntry): string;

  /** One of the viewer's own entries; null where there is none. One statement. */
  entry(viewer: Viewer, entryNo: number): Promise<WalletEntry | null>;

  /**
   * Puts money into circulation: the only way in. Whether the caller may is not asked here. Durable when it answers, and idempotent
   * by (user, key): again it answers the first entry.
   * @throws {Fault} INVALID_ARGUMENT for an amount that is no safe positive integer, a key or a reason out of form; NOT_FOUND for
   *   an unknown user, or one of another app than `appId` (null: any); IDEMPOTENCY_CONFLICT where the key was used with another
   *   amount or reason; FAILED_PRECONDITION where the balance would not be a safe integer any more; UNAVAILABLE
   */
  topUp(
    input: TopUp,
    appId: string | null,
  ): Promise<{ readonly entry: WalletEntry; readonly isDuplicate: boolean }>;
}
