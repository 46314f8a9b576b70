import { createHash } from 'node:crypto';
import { decodeCursor, type Cursor } from '../../src/domain/inbox/inbox.ts';
import { demand } from '../runner/void.ts';
import type { Seen } from './protocol.ts';

/** An event as the client's document asks for it; only what is checked here. */
export interface ViewedEvent {
  readonly __typename: string;
  readonly cursor: string;
  readonly at: string;
  readonly message?: {
    readonly id: string;
    readonly seq: number;
    readonly conversation: { readonly id: string };
    readonly content: { readonly text?: string };
  };
}

interface Line {
  readonly firstSeq: number;
  lastSeq: number;
  chain: string;
}

/** A hash over a message and all before it: two chains are alike where the messages are, in number, order and text. */
export function chainOf(before: string, seq: number, id: string, text: string): string {
  return createHash('sha1').update(`${before}\n${seq} ${id}\n${text}`).digest('base64');
}

/** Events that lie at an offset of their own; the others tell where the log is. */
const ofLog: ReadonlySet<string> = new Set([
  'MessageAdded',
  'MessageChanged',
  'ReadAdvanced',
  'ConversationChanged',
  'ConversationRemoved',
]);

/** What one client has seen of its inbox: takes each event, and nothing for granted. */
export class View {
  /** Of the last event that was taken. */
  cursor: string | null = null;
  /** Messages that were taken. */
  messages = 0;
  longestDelayMs = 0;
  readonly #userId: bigint;
  #position: Cursor | null = null;
  readonly #lines = new Map<string, Line>();

  constructor(userId: bigint) {
    this.#userId = userId;
  }

  /** @throws {VoidRun} where an event is missing, comes twice or in another place. */
  take(event: ViewedEvent): void {
    const position = decodeCursor(event.cursor, this.#userId);
    const before = this.#position;
    if (before) {
      const next = before.offset + (ofLog.has(event.__typename) ? 1n : 0n);
      demand(
        position.epoch === before.epoch && position.offset === next,
        `${event.__typename} came at offset ${position.offset} of ${position.epoch} after ${before.offset} of ${before.epoch}`,
      );
    }
    demand(event.__typename !== 'InboxReset', 'the inbox was reset');
    this.#position = position;
    this.cursor = event.cursor;
    if (event.__typename === 'MessageAdded' && event.message) this.#takeMessage(event.message);
    if (before && event.message) {
      this.longestDelayMs = Math.max(this.longestDelayMs, Date.now() - Date.parse(event.at));
    }
  }

  seen(): Seen[] {
    return [...this.#lines].map(([conversationId, line]) => ({ conversationId, ...line }));
  }

  #takeMessage({ id, seq, conversation, content }: NonNullable<ViewedEvent['message']>): void {
    this.messages += 1;
    const line = this.#lines.get(conversation.id);
    const chain = chainOf(line?.chain ?? '', seq, id, content.text ?? '');
    if (!line) {
      this.#lines.set(conversation.id, { firstSeq: seq, lastSeq: seq, chain });
      return;
    }
    demand(seq === line.lastSeq + 1, `seq ${seq} of ${conversation.id} came after ${line.lastSeq}`);
    line.lastSeq = seq;
    line.chain = chain;
  }
}
