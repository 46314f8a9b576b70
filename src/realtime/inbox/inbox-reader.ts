import type { Cursor, Happening } from '../../domain/inbox/inbox.ts';
import type { Viewer } from '../../domain/session/session.ts';
import type { WalletEntry, Wallets } from '../../domain/wallet/wallet.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { keysOf } from './happenings.ts';
import type { InboxLog } from './inbox-log.ts';
import { offsetCount } from './log-entry.ts';
import type { LogEntry, LogEvent } from './log-entry.ts';
import type { ReplayRead, ReplayReads, ReplayMembership } from './replay-reads.ts';
import { messageKey } from './timeline-reads.ts';

/** A stretch of a user's log, as they may see it now. */
export interface ReplayPage {
  readonly events: readonly Replayed[];
  /** The offset up to which the page goes, whether or not its last events may be seen. */
  readonly position: bigint;
}

export interface Replayed {
  readonly offset: bigint;
  readonly atMs: number;
  /** The same value for all who read it at one time. */
  readonly happening: Happening;
  /** The first message that the reader may see in its conversation. */
  readonly joinedSeq: number;
}

export interface InboxReaderDeps {
  readonly inboxLog: InboxLog;
  readonly failpoints: Failpoints;
  readonly reads: Pick<ReplayReads, 'read'>;
  readonly wallets: Pick<Wallets, 'entriesBetween'>;
}

/** Reads the log again for a user: what they may not see any more is passed over, what they may is as it is now. */
export class InboxReader {
  readonly #deps: InboxReaderDeps;

  constructor(deps: InboxReaderDeps) {
    this.#deps = deps;
  }

  /**
   * What follows an offset, at most so many offsets of it. Null where the log does not reach back to it: events are
   * missing that were there. Nothing where another log has taken its place.
   * @param read entries that follow on it, where they are at hand: the page goes no further.
   */
  async page(
    viewer: Viewer,
    { epoch, offset }: Pick<Cursor, 'epoch' | 'offset'>,
    eventsMax: number,
    read?: readonly LogEntry[],
  ): Promise<ReplayPage | null> {
    const { failpoints, inboxLog } = this.#deps;
    const isOff = failpoints.hasBug('replay-off-by-one');
    const after = isOff ? offset + 1n : offset;
    const atHand = isOff ? undefined : read;
    const entries =
      atHand ?? (await inboxLog.read(viewer.userId, { epoch, offset: after }, eventsMax));
    failpoints.reach('during-replay');
    const wanted = cut(entries, after, eventsMax);
    if (wanted === null) return null;
    const last = wanted.at(-1);
    if (!last) return { events: [], position: after };
    const ids = new Set(
      wanted.flatMap(({ event }) =>
        event.kind === 'removed' || event.kind === 'wallet' ? [] : [event.conversationId],
      ),
    );
    const keys = keysOf(wanted.map(({ event }) => event));
    const [found, walletEntries] = await Promise.all([
      this.#deps.reads.read({ userId: viewer.userId, conversationIds: [...ids], keys }),
      this.#walletEntries(viewer, wanted),
    ]);
    const seen = { ...found, walletEntries };
    const events = wanted.flatMap((entry) => replay(entry, seen));
    return { events, position: last.lastOffset };
  }

  /** By number. Those of a page follow on each other. */
  async #walletEntries(
    viewer: Viewer,
    entries: readonly LogEntry[],
  ): Promise<ReadonlyMap<number, WalletEntry>> {
    const numbers = entries.flatMap(({ event }) => (event.kind === 'wallet' ? event.entryNo : []));
    const [first, last] = [numbers[0], numbers.at(-1)];
    if (first === undefined || last === undefined) return new Map();
    const found = await this.#deps.wallets.entriesBetween(viewer, first, last);
    return new Map(found.map((entry) => [entry.entryNo, entry]));
  }
}

/** Exactly what lies after an offset, up to so many offsets; null where the first entries are gone. */
function cut(entries: readonly LogEntry[], after: bigint, eventsMax: number): LogEntry[] | null {
  const wanted: LogEntry[] = [];
  let position = after;
  for (const entry of entries) {
    const first = entry.lastOffset - BigInt(offsetCount(entry.event)) + 1n;
    const room = BigInt(eventsMax) - (position - after);
    if (room <= 0n) break;
    if (first > position + 1n) return null;
    const last = entry.lastOffset - position > room ? position + room : entry.lastOffset;
    wanted.push(part(entry, position + 1n - first, last));
    position = last;
  }
  return wanted;
}

/** An entry from so many offsets after its beginning on, up to a last one. */
function part(entry: LogEntry, skipped: bigint, lastOffset: bigint): LogEntry {
  const { event } = entry;
  if (event.kind !== 'added') return entry;
  const count = event.count - Number(skipped) - Number(entry.lastOffset - lastOffset);
  return {
    ...entry,
    lastOffset,
    event: { ...event, firstSeq: event.firstSeq + Number(skipped), count },
  };
}

/** What the entries of a page are about, as far as the viewer may see it. */
interface Read extends ReplayRead {
  readonly walletEntries: ReadonlyMap<number, WalletEntry>;
}

function replay(entry: LogEntry, read: Read): Replayed[] {
  const { event, lastOffset, atMs } = entry;
  if (event.kind === 'wallet') {
    const walletEntry = read.walletEntries.get(event.entryNo);
    if (!walletEntry) return [];
    const happening = { kind: 'WalletChanged', entry: walletEntry } as const;
    return [{ offset: lastOffset, atMs, happening, joinedSeq: 0 }];
  }
  const { conversationId } = event;
  if (event.kind === 'removed') {
    const happening = { kind: 'ConversationRemoved', conversationId } as const;
    return [{ offset: lastOffset, atMs, happening, joinedSeq: 0 }];
  }
  const membership = read.memberships.get(conversationId);
  if (!membership) return [];
  const { joinedSeq } = membership;
  if (event.kind === 'added') {
    return keysOf([event]).flatMap((key, index): Replayed[] => {
      const message = read.messages.get(messageKey(key));
      if (!message) return [];
      const offset = lastOffset - BigInt(event.count - 1 - index);
      const happening = shared(message, 'added', () => {
        return { kind: 'MessageAdded', conversationId, seq: key.seq, message };
      });
      return [{ offset, atMs, happening, joinedSeq }];
    });
  }
  const happening = replaySmall(event, membership, read);
  return happening ? [{ offset: lastOffset, atMs, happening, joinedSeq }] : [];
}

function replaySmall(
  event: Exclude<LogEvent, { kind: 'added' | 'wallet' | 'removed' }>,
  { head }: ReplayMembership,
  { messages }: Read,
): Happening | null {
  const { conversationId } = event;
  const { isLarge, lastSeq, changeSeq } = head;
  switch (event.kind) {
    case 'changed': {
      const message = messages.get(messageKey(event));
      if (!message) return null;
      return shared(message, `changed ${event.changeSeq}`, () => ({
        kind: 'MessageChanged',
        conversationId,
        seq: event.seq,
        changeSeq: event.changeSeq,
        message,
      }));
    }
    case 'read': {
      const { userId, readSeq } = event;
      return shared(head, `read ${userId} ${readSeq}`, () => {
        return { kind: 'ReadAdvanced', conversationId, userId, readSeq };
      });
    }
    case 'conversation':
      return shared(head, 'conversation', () => {
        return { kind: 'ConversationChanged', conversationId, isLarge };
      });
    case 'advanced':
      return shared(head, 'advanced', () => {
        return { kind: 'ConversationAdvanced', conversationId, lastSeq, changeSeq, isLarge };
      });
  }
}

/** By what was read at one time, and what is told of it. */
const happenings = new WeakMap<object, Map<string, Happening>>();

/** What is told of the same thing to all who read it at one time is one value, so it is worked out once for them. */
function shared(of: object, what: string, make: () => Happening): Happening {
  const known = happenings.get(of) ?? new Map<string, Happening>();
  happenings.set(of, known);
  const happening = known.get(what) ?? make();
  known.set(what, happening);
  return happening;
}
