import type { ShardMap } from '../../storage/per-shard.ts';
import { checkEntries } from './arrivals.ts';
import { checkTransfers } from './departures.ts';
import { checkOrigins } from './origins.ts';
import { checkPackets } from './packets.ts';
import { problemsOf, sumsOf, type Sums } from './sums.ts';

/** What an audit found. Amounts are whole minor units. */
export interface LedgerReport {
  /** Whether no money was made or lost. */
  readonly isSound: boolean;
  /** What came in by top-ups. */
  readonly issued: bigint;
  readonly wallets: bigint;
  /** What is left in red packets. */
  readonly openPackets: bigint;
  /** What has left its source and was not there yet. Where shards were asked one after the other, it may be told negative. */
  readonly inFlight: bigint;
  readonly entries: number;
  readonly packets: number;
  readonly transfers: number;
  /** In words; empty: it is sound. At most some hundreds. */
  readonly problems: readonly string[];
}

/** Enough to see what is wrong. */
const problemsShown = 200;

/** The books of all shards, for whoever wants to see that they are right. */
export class Ledger {
  readonly #shards: ShardMap;

  constructor(deps: { readonly shards: ShardMap }) {
    this.#shards = deps.shards;
  }

  /**
   * Proves that wallets + what is left in packets + transfers in flight = issued; that of each packet claimed + refunded + left =
   * total; and that every transfer has one cause and was booked once, and every packet was paid for.
   *
   * It reads while the system runs. What must agree at one moment is read by one statement. Between shards there is no common
   * moment, but rows are never altered and money leaves before it arrives: so what has arrived is read first and its source afterwards,
   * and what nobody sees to any more first and where it went afterwards. Nothing that is underway looks like a mistake.
   * It reads every row: minutes, where there are many millions.
   */
  async check(): Promise<LedgerReport> {
    const shards = this.#shards.all;
    const sums = await Promise.all(shards.map(({ sql }) => sumsOf(sql)));
    const walks: string[] = [];
    for (const shard of shards) {
      walks.push(
        ...(await checkEntries(this.#shards, shard)),
        ...(await checkTransfers(this.#shards, shard)),
        ...(await checkPackets(shard)),
        ...(await checkOrigins(this.#shards, shard)),
      );
    }
    const problems = [
      ...sums.flatMap((ofShard, index) => problemsOf(ofShard, shards[index]?.index ?? index)),
      ...balance(sums),
      ...walks,
    ];
    return {
      isSound: problems.length === 0,
      ...figuresOf(sums),
      problems: problems.slice(0, problemsShown),
    };
  }
}

function figuresOf(sums: readonly Sums[]): Omit<LedgerReport, 'isSound' | 'problems'> {
  const all = (pick: (of: Sums) => bigint): bigint =>
    sums.reduce((total, ofShard) => total + pick(ofShard), 0n);
  return {
    issued: all(({ issued }) => issued),
    wallets: all(({ wallets }) => wallets),
    openPackets: all(({ packetTotals, claimed, refunded }) => packetTotals - claimed - refunded),
    inFlight: all(
      ({ sends, claims, refunds, arrived, packetTotals }) =>
        sends + claims + refunds - arrived - packetTotals,
    ),
    entries: Number(all(({ entryCount }) => entryCount)),
    packets: Number(all(({ packetCount }) => packetCount)),
    transfers: Number(all(({ transferCount }) => transferCount)),
  };
}

function balance(sums: readonly Sums[]): string[] {
  const { issued, wallets, openPackets, inFlight } = figuresOf(sums);
  const found = wallets + openPackets + inFlight;
  const wrong = found === issued ? [] : [`${issued} were issued, ${found} are there`];
  // On one shard it is all of one moment.
  const isMade = sums.length === 1 && inFlight < 0n;
  return isMade ? [...wrong, `${-inFlight} arrived that never left`] : wrong;
}
