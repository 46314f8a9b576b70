import type { AppendJob, Recipient, Stretch } from './append-job.ts';
import { fieldsOf } from './entry-text.ts';
import { messageText, regimesText } from './gate-text.ts';
import { keysOf } from './happenings.ts';
import { messageKey } from './timeline-reads.ts';

type EventsJob = Extract<AppendJob, { kind: 'events' }>;
type ReadJob = Extract<AppendJob, { kind: 'read' }>;

export interface AppendBounds {
  readonly kept: number;
  readonly ttl: number;
}

/** Stretches in their order, so many entries in each part, but for a stretch that alone has more. */
export function partsOf(stretches: readonly Stretch[], entriesMax: number): Stretch[][] {
  const parts: Stretch[][] = [];
  let entries = Infinity;
  for (const stretch of stretches) {
    const more = stretch.events.reduce((sum, { recipients }) => sum + recipients.length, 0);
    const part = parts.at(-1);
    if (!part || entries + more > entriesMax) {
      parts.push([stretch]);
      entries = more;
    } else {
      part.push(stretch);
      entries += more;
    }
  }
  return parts;
}

/** The arguments of `appendStretches`. */
export function stretchesArgs(
  stretches: readonly Stretch[],
  { telling }: EventsJob,
  bounds: AppendBounds,
): [job: string, regimes: string, ...texts: string[]] {
  const texts: string[] = [];
  const written = stretches.map((stretch) => {
    // Events that go to the same members mostly share their list.
    const indexes = new Map<readonly Recipient[], number>();
    const lists: (string | number)[][] = [];
    const e = stretch.events.map(({ event, eventNo, recipients }) => {
      let r = indexes.get(recipients);
      if (r === undefined) {
        r = lists.push(recipients.flatMap(({ userId, joinedSeq }) => [String(userId), joinedSeq]));
        indexes.set(recipients, r);
      }
      const { about, kind, position, count, seq, subject } = fieldsOf(event);
      const t = texts.length + 1;
      for (const key of keysOf([event])) {
        texts.push(messageText(telling.messages.get(messageKey(key))));
      }
      // A wallet is a source of events of its own, and no conversation.
      const a = about === stretch.conversationId ? undefined : String(about);
      return { n: eventNo, a, k: kind, p: position, q: count, x: seq, u: subject, r, t };
    });
    return {
      c: String(stretch.conversationId),
      f: stretch.firstEventNo,
      n: stretch.nextEventNo,
      m: stretch.membersEventNo,
      w: stretch.isWhole ?? false,
      at: stretch.atMs,
      r: lists,
      e,
    };
  });
  return [JSON.stringify({ ...bounds, s: written }), regimesText(telling.regimes), ...texts];
}

/** The arguments of `appendRead`. */
export function readArgs(job: ReadJob, bounds: AppendBounds): [job: string, regimes: string] {
  const { conversationId, userId, readSeq } = job.event;
  const r = job.recipients.flatMap((one) => [String(one.userId), one.joinedSeq, one.joinedEventNo]);
  const written = {
    ...bounds,
    c: String(conversationId),
    u: String(userId),
    p: readSeq,
    m: job.membersEventNo,
    w: job.isWhole ?? false,
    at: job.atMs,
    r,
  };
  return [JSON.stringify(written), regimesText(job.telling.regimes)];
}
