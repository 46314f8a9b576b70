import type { CommittedRow } from '../../domain/timeline/timeline.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { Fault } from '../../lib/fault.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import type { AppendOutcome, Stretch } from '../inbox/append-job.ts';
import type { Arrivals } from './arrivals.ts';
import type { InboxLog, LogPlace } from '../inbox/inbox-log.ts';
import type { MemberLists } from './member-lists.ts';
import { stretchesOf, tellingOf } from './row-stretches.ts';
import { LeftToRelay } from './shared-lane.ts';
import { about, readRows, undoneIds } from './undone-rows.ts';

export interface CarrierDeps {
  readonly shards: Shards;
  readonly source: Shard;
  readonly place: LogPlace;
  readonly inboxLog: InboxLog;
  readonly memberLists: MemberLists;
  readonly arrivals: Arrivals;
  readonly epoch: () => bigint | null;
  readonly failpoints: Failpoints;
  /** Undone rows before one of which it is known whether they are here; where there are more, the relay comes to them. */
  readonly earlierIdsMax: number;
}

interface Whole {
  readonly conversations: ReadonlySet<bigint>;
  readonly onlyIn: bigint;
}

/** Nobody there is concerned. */
const nothingDone: AppendOutcome = { isStale: false, behind: new Set(), epoch: 0n };

/** Rows before one that are looked through for what is missing; where there are more, the relay comes to them in order. */
const earlierRowsMax = 1_000;

/**
 * Takes rows of one shard to the logs of one place. Where the logs lack what came before, as another node is slower or died,
 * it takes that there first.
 */
export class Carrier {
  readonly #deps: CarrierDeps;

  constructor(deps: CarrierDeps) {
    this.#deps = deps;
  }

  /** @throws {LeftToRelay} where too much comes before. */
  async carry(rows: readonly CommittedRow[]): Promise<void> {
    const { epoch: epochOf, failpoints } = this.#deps;
    // What arrives in another epoch than this is to come again.
    const epoch = epochOf();
    if (epoch === null) throw begunAnew();
    if (failpoints.hasBug('done-before-append')) this.#arrived(rows);
    const first = await this.#append(rows);
    if (first.behind.size > 0) {
      // What is done in one epoch is not in the next, and it may have begun with that very append.
      if (epochOf() !== epoch) throw begunAnew();
      const earlier = await this.#earlier(epoch, rows, first.behind);
      const all = [...earlier, ...about(rows, first.behind)].sort((a, b) => (a.id < b.id ? -1 : 1));
      const left = await this.#append(all, { conversations: first.behind, onlyIn: first.epoch });
      if (left.behind.size > 0) throw begunAnew();
    }
    if (epochOf() !== epoch) throw begunAnew();
    this.#arrived(rows);
  }

  #arrived(rows: readonly CommittedRow[]): void {
    const { arrivals, place } = this.#deps;
    arrivals.add(
      rows.map(({ id }) => id),
      place.index,
    );
  }

  /** @param whole of which conversations nothing is missing before these rows, and in which epoch of the place. */
  async #append(rows: readonly CommittedRow[], whole?: Whole): Promise<AppendOutcome> {
    const { inboxLog, memberLists, place, shards } = this.#deps;
    const isOurs = (userId: bigint): boolean => inboxLog.placeOf(userId) === place;
    const stretches = await stretchesOf(rows, memberLists, isOurs);
    if (stretches.length === 0) return nothingDone;
    // Who hears of it only the logs know.
    const telling = await tellingOf(rows, stretches, shards, () => true);
    if (!whole) return inboxLog.append(place, { kind: 'events', stretches, telling });
    const { conversations, onlyIn } = whole;
    const known = wholeIn(stretches, conversations);
    return inboxLog.append(place, { kind: 'events', stretches: known, telling, onlyIn });
  }

  /** Of the rows before, what is not done, as far as it is about some conversations. */
  async #earlier(
    epoch: bigint,
    rows: readonly CommittedRow[],
    conversationIds: ReadonlySet<bigint>,
  ): Promise<CommittedRow[]> {
    const { arrivals, earlierIdsMax, place, source } = this.#deps;
    const before = rows.reduce((most, { id }) => (id > most ? id : most), 0n);
    const own = new Set(rows.map(({ id }) => id));
    // While another place is away rows are not done that have long been here.
    const ids = await undoneIds(source, epoch, { after: 0n, before }, earlierIdsMax + 1);
    const wanted = ids.filter((id) => !own.has(id) && !arrivals.has(id, place.index));
    if (ids.length > earlierIdsMax || wanted.length > earlierRowsMax) {
      throw new LeftToRelay('too much comes before');
    }
    return about(await readRows(source, wanted), conversationIds);
  }
}

/**
 * Each stretch of those conversations says that nothing is missing before it: what is not among them is there already, or is
 * gone for good. Else one hole would hold up all behind it for ever.
 */
function wholeIn(stretches: readonly Stretch[], conversations: ReadonlySet<bigint>): Stretch[] {
  return stretches.map((stretch) =>
    conversations.has(stretch.conversationId) ? { ...stretch, isWhole: true } : stretch,
  );
}

function begunAnew(): Fault {
  return new Fault('UNAVAILABLE', 'The inbox logs began anew.');
}
