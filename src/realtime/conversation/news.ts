import {
  decodeBody,
  decodeMessage,
  encodeBody,
  encodeMessage,
  eventCount,
} from '../../domain/timeline/timeline.ts';
import type { Message, OutboxPart } from '../../domain/timeline/timeline.ts';

/** What happened to a conversation in one commit. */
export interface News {
  readonly part: OutboxPart;
  readonly atMs: number;
  /** By seq, those of the conversation that were added or changed; those that are missing its timeline has. */
  readonly messages: ReadonlyMap<number, Message>;
}

/** The eventNo after the last of them. */
export function nextEventNo({ part }: News): number {
  return part.items.reduce((next, item) => next + eventCount(item), part.firstEventNo);
}

/** News as text, for other nodes: lines of JSON, the part, then the messages. */
export function encodeNews({ part, atMs, messages }: News, charsMax: number): string {
  const begin = [String(atMs), encodeBody({ parts: [part] })];
  const text = [...begin, ...[...messages.values()].map(encodeMessage)].join('\n');
  return text.length > charsMax ? begin.join('\n') : text;
}

/** Reads what `encodeNews` wrote. @throws for anything else. */
export function decodeNews(text: string): News {
  const [atMs, body, ...messages] = text.split('\n');
  const [part] = decodeBody(body ?? '').parts;
  if (!part) throw new Error('news of no conversation');
  return {
    part,
    atMs: Number(atMs),
    messages: bySeq(messages.map((line) => decodeMessage(JSON.parse(line)))),
  };
}

/** Messages of one conversation. */
export function bySeq(messages: readonly Message[]): ReadonlyMap<number, Message> {
  return new Map(messages.map((message) => [message.seq, message]));
}
