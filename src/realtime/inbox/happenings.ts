import type { Happening } from '../../domain/inbox/inbox.ts';
import type { Message } from '../../domain/timeline/timeline.ts';
import { walletKey, type Telling } from './append-job.ts';
import type { LogEntry, LogEvent } from './log-entry.ts';
import type { Regime } from '../conversation/regimes.ts';
import { messageKey } from './timeline-reads.ts';
import type { MessageKey } from './timeline-reads.ts';

/** What a log entry tells, at its offset. */
export interface Told {
  readonly offset: bigint;
  readonly happening: Happening;
}

/** The messages that some events are about, each once. */
export function keysOf(events: Iterable<LogEvent>): MessageKey[] {
  const keys = new Map<string, MessageKey>();
  for (const event of events) {
    for (const key of eventKeys(event)) keys.set(messageKey(key), key);
  }
  return [...keys.values()];
}

function eventKeys(event: LogEvent): MessageKey[] {
  if (event.kind !== 'added' && event.kind !== 'changed') return [];
  const { conversationId } = event;
  if (event.kind === 'changed') return [{ conversationId, seq: event.seq }];
  return Array.from({ length: event.count }, (_, index) => ({
    conversationId,
    seq: event.firstSeq + index,
  }));
}

/**
 * Tells entries of many logs by values that they share: one per thing that happened, however many users it is told to.
 */
export function happeningsOf({ messages, regimes, wallets }: Telling): (entry: LogEntry) => Told[] {
  const shared = new Map<string, Happening>();
  const share = (key: string, make: () => Happening): Happening => {
    const known = shared.get(key);
    if (known) return known;
    const made = make();
    shared.set(key, made);
    return made;
  };
  return ({ event, lastOffset }) => {
    if (event.kind === 'wallet') {
      const entry = wallets?.get(walletKey(event));
      return entry ? [{ offset: lastOffset, happening: { kind: 'WalletChanged', entry } }] : [];
    }
    const { conversationId } = event;
    if (event.kind === 'added') {
      const tellOne = (seq: number, offset: bigint): Told[] => {
        const key = messageKey({ conversationId, seq });
        const message = messages.get(key);
        if (!message) return [];
        const make = (): Happening => ({ kind: 'MessageAdded', conversationId, seq, message });
        return [{ offset, happening: share(`a ${key}`, make) }];
      };
      if (event.count === 1) return tellOne(event.firstSeq, lastOffset);
      return eventKeys(event).flatMap(({ seq }, index) =>
        tellOne(seq, lastOffset - BigInt(event.count - 1 - index)),
      );
    }
    const happening = tellSmall(event, messages, regimes, share);
    return happening ? [{ offset: lastOffset, happening }] : [];
  };
}

function tellSmall(
  event: Exclude<LogEvent, { kind: 'added' | 'wallet' }>,
  messages: ReadonlyMap<string, Message>,
  regimes: ReadonlyMap<bigint, Regime>,
  share: (key: string, make: () => Happening) => Happening,
): Happening | null {
  const { conversationId } = event;
  switch (event.kind) {
    case 'changed': {
      const { seq, changeSeq } = event;
      const message = messages.get(messageKey(event));
      if (!message) return null;
      return share(`c ${conversationId} ${changeSeq}`, () => ({
        kind: 'MessageChanged',
        conversationId,
        seq,
        changeSeq,
        message,
      }));
    }
    case 'read': {
      const { userId, readSeq } = event;
      return share(`r ${conversationId} ${userId} ${readSeq}`, () => ({
        kind: 'ReadAdvanced',
        conversationId,
        userId,
        readSeq,
      }));
    }
    case 'conversation': {
      const isLarge = regimes.get(conversationId)?.isLarge ?? false;
      return share(`v ${conversationId} ${isLarge}`, () => ({
        kind: 'ConversationChanged',
        conversationId,
        isLarge,
      }));
    }
    case 'removed':
      return share(`x ${conversationId}`, () => ({ kind: 'ConversationRemoved', conversationId }));
    case 'advanced': {
      const { crossing, isLarge } = regimes.get(conversationId) ?? { crossing: null };
      // An entry in the log is a crossing.
      if (!crossing) return null;
      const { lastSeq, changeSeq } = crossing;
      const make = (): Happening => ({
        kind: 'ConversationAdvanced',
        conversationId,
        lastSeq,
        changeSeq,
        isLarge,
      });
      return share(`n ${conversationId} ${lastSeq}`, make);
    }
  }
}
