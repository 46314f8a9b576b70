import { entriesBetween, type EntryRange } from '../../domain/wallet/wallet.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Logger } from '../../lib/log.ts';
import { pairsCondition, pairsOf } from '../../storage/pairs.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { UntoldRounds } from '../../storage/untold-rounds.ts';
import { walletKey, type Stretch } from './append-job.ts';
import type { InboxLog } from './inbox-log.ts';
import type { Router } from './router.ts';

export interface WalletNoticesDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly inboxLog: InboxLog;
  readonly router: Router;
  readonly limits: {
    readonly walletNoticesBatchMax: number;
    readonly walletNoticesApartMs: number;
    readonly moneyNoticesPollMs: number;
  };
}

/** How long after a failure it is tried again, in ms. */
const againMs = 200;

/**
 * Tells the entries of wallets to their users: each of them, in order, once. A wallet is a source of events of its own, whose numbers are
 * its entries'; the watermark of that source on the user's shard passes over what was told before. Which are still to be told is a row
 * written with them, and deleted where nothing came since.
 */
export function walletNotices(deps: WalletNoticesDeps): UntoldRounds<EntryRange> {
  return new UntoldRounds({
    ...deps,
    failure: 'wallet.tell_failed',
    rowsMax: deps.limits.walletNoticesBatchMax,
    read: untoldAfter,
    tell: (shard, untold) => tell(deps, shard, untold),
    apartMs: deps.limits.walletNoticesApartMs,
    againMs,
    pollMs: deps.limits.moneyNoticesPollMs,
  });
}

async function tell(
  { inboxLog, router, clock, failpoints }: WalletNoticesDeps,
  shard: Shard,
  untold: readonly EntryRange[],
): Promise<boolean> {
  const heard = untold.filter(({ userId }) => router.has(userId));
  const entries = await entriesBetween(shard.sql, heard);
  const wallets = new Map(entries.map((entry) => [walletKey(entry), entry]));
  const telling = { messages: new Map(), regimes: new Map(), wallets };
  const atMs = clock.now();
  failpoints.reach('before-wallet-told');
  await Promise.all(
    inboxLog.places.map(async (place) => {
      const there = untold.filter(({ userId }) => inboxLog.placeOf(userId) === place);
      if (there.length === 0) return;
      const stretches = there.map((range) => stretchOf(range, atMs));
      await inboxLog.append(place, { kind: 'events', stretches, telling });
    }),
  );
  failpoints.reach('before-wallet-forgotten');
  await forget(shard, untold);
  return false;
}

/** A wallet's own source of events: no conversation has an id below 0. */
function sourceOf(userId: bigint): bigint {
  return -userId;
}

function stretchOf({ userId, firstEntryNo, lastEntryNo }: EntryRange, atMs: number): Stretch {
  const recipients = [{ userId, joinedSeq: 0 }];
  return {
    conversationId: sourceOf(userId),
    firstEventNo: firstEntryNo,
    nextEventNo: lastEntryNo + 1,
    membersEventNo: 0,
    // What came before is told, or it would be untold as well.
    isWhole: true,
    atMs,
    events: Array.from({ length: lastEntryNo - firstEntryNo + 1 }, (_, index) => {
      const entryNo = firstEntryNo + index;
      return { eventNo: entryNo, event: { kind: 'wallet', userId, entryNo }, recipients };
    }),
  };
}

function untoldAfter(
  { sql }: Shard,
  after: EntryRange | null,
  rowsMax: number,
): Promise<EntryRange[]> {
  return sql.query<EntryRange>(
    'SELECT userId, firstEntryNo, lastEntryNo FROM UntoldWallet WHERE userId > ? ORDER BY userId LIMIT ?',
    [after?.userId ?? 0n, rowsMax],
  );
}

/** Forgets what was told, where nothing came since. */
async function forget({ sql }: Shard, told: readonly EntryRange[]): Promise<void> {
  const exact = pairsOf(told, ({ userId, lastEntryNo }) => [userId, lastEntryNo]);
  const { text, params } = pairsCondition(['userId', 'lastEntryNo'], exact);
  await sql.execute(`DELETE FROM UntoldWallet WHERE ${text}`, params);
}
