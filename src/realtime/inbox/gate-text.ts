import { decodeMessage, encodeMessage } from '../../domain/timeline/timeline.ts';
import type { Message } from '../../domain/timeline/timeline.ts';
import type { Appended, Telling } from './append-job.ts';
import { decodeEntry } from './entry-text.ts';
import type { Regime } from '../conversation/regimes.ts';
import { messageKey } from './timeline-reads.ts';

/** What the logs of users of one gate got in one call. */
export interface GateText {
  readonly appended: readonly Appended[];
  readonly telling: Telling;
}

/** As the append script writes it: each entry and message once. */
interface Written {
  /** Entries, as `encodeEntry` has them. */
  readonly e: readonly string[];
  /** Who got them: index of the entry, user, epoch of their log, offset, joinedSeq; and so on. */
  readonly d: readonly (string | number)[];
  readonly m: readonly unknown[];
  readonly r: readonly WrittenRegime[];
}

type WrittenRegime = readonly [
  conversationId: string,
  isLarge: number,
  crossingLastSeq: number | null,
  crossingChangeSeq: number | null,
];

const fieldsPerDelivery = 5;

/** A message, to be handed to the append script. */
export function messageText(message: Message | undefined): string {
  // What the reader of the text does not find there it reads from the log.
  return message ? encodeMessage(message) : '';
}

/** The regimes, to be handed to the append script; what is not there is small, and did not cross. */
export function regimesText(regimes: ReadonlyMap<bigint, Regime>): string {
  const written = [...regimes].flatMap(([id, { isLarge, crossing }]): WrittenRegime[] =>
    isLarge || crossing
      ? [[String(id), Number(isLarge), crossing?.lastSeq ?? null, crossing?.changeSeq ?? null]]
      : [],
  );
  return JSON.stringify(written);
}

/** Reads what the append script published. */
export function decodeGateText(text: string): GateText {
  const { e, d, m, r } = JSON.parse(text) as Written;
  const entries = e.map(decodeEntry);
  const appended: Appended[] = [];
  for (let at = 0; at < d.length; at += fieldsPerDelivery) {
    const entry = entries[Number(d[at])];
    if (!entry) throw new Error('a delivery of no entry');
    appended.push({
      userId: BigInt(d[at + 1] ?? 0),
      epoch: BigInt(d[at + 2] ?? 0),
      entry: { ...entry, lastOffset: BigInt(d[at + 3] ?? 0) },
      joinedSeq: Number(d[at + 4]),
    });
  }
  const messages = new Map(m.map(decodeMessage).map((one) => [messageKey(one), one] as const));
  const regimes = new Map(
    r.map(([id, isLarge, lastSeq, changeSeq]) => [
      BigInt(id),
      {
        isLarge: isLarge === 1,
        crossing: lastSeq === null ? null : { lastSeq, changeSeq: changeSeq ?? 0 },
      },
    ]),
  );
  return { appended, telling: { messages, regimes } };
}
