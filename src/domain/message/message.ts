import { Fault } from '../../lib/fault.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import { checkClientId, noSuchConversation } from '../conversation/conversation.ts';
import type { Membership } from '../conversation/conversation.ts';
import type { Viewer } from '../session/session.ts';
import type { DraftContent, Member, Message } from '../timeline/timeline.ts';
import { changesAfter } from './changes.ts';
import { checkContent } from './content.ts';
import { historyPage } from './history.ts';
import { messagesBySeqs } from './lookups.ts';
import { ReadCounts } from './read-counts.ts';
import { ReadWriter } from './reads.ts';
import type {
  ChangesPage,
  HistoryPage,
  HistoryPageInput,
  MessageKey,
  MessagesDeps,
  SendInput,
  SentMessageKey,
} from './shapes.ts';

export type {
  ChangesPage,
  HistoryPage,
  HistoryPageInput,
  MessageKey,
  MessagesDeps,
  SendInput,
  SentMessageKey,
} from './shapes.ts';

/**
 * Messages as the members see them, and what members do with them.
 *
 * Every statement that reads a content joins the viewer's membership, as it is at that moment. What
 * is sent, edited and recalled goes, its form checked, to the timeline writer without any statement
 * before it: the writer decides alone what is allowed, and it is durable when the call answers.
 */
export class Messages implements Lifecycle {
  readonly #shards: ShardMap;
  readonly #timelines: MessagesDeps['timelines'];
  readonly #reads: ReadWriter;
  readonly #readCounts: ReadCounts;

  constructor(deps: MessagesDeps) {
    this.#shards = deps.shards;
    this.#timelines = deps.timelines;
    this.#reads = new ReadWriter(deps);
    this.#readCounts = new ReadCounts(deps.shards);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Waits for reads that are queued. */
  stop(graceMs: number): Promise<void> {
    this.#readCounts.stop();
    return this.#reads.stop(graceMs);
  }

  /**
   * Appends to the timeline. Idempotent for ever by (conversation, sender, clientMessageId).
   * @throws {Fault} INVALID_ARGUMENT; PAYLOAD_TOO_LARGE; NOT_FOUND, also where replyToSeq names
   *   nothing that the viewer sees; IDEMPOTENCY_CONFLICT where the key was used with another
   *   payload; UNAVAILABLE: retry with the same key.
   */
  async send(
    viewer: Viewer,
    input: SendInput,
  ): Promise<{ message: Message; isDuplicate: boolean }> {
    const { conversationId, replyToSeq } = input;
    return this.#timelines.submit({
      kind: 'send',
      conversationId,
      actorId: viewer.userId,
      clientMessageId: checkClientId('clientMessageId', input.clientMessageId),
      content: checkContent(input.content),
      replyToSeq,
    });
  }

  /**
   * What `send` would be refused with now, whoever sends whatever to that conversation: UNAVAILABLE while more come
   * than can be written in time. Null: it would be looked at.
   */
  busy(conversationId: bigint): Fault | null {
    return this.#timelines.busy(conversationId);
  }

  /**
   * @throws {Fault} INVALID_ARGUMENT, also for another kind of content; PAYLOAD_TOO_LARGE;
   *   NOT_FOUND; FAILED_PRECONDITION; FORBIDDEN
   */
  async edit(
    viewer: Viewer,
    conversationId: bigint,
    seq: number,
    content: DraftContent,
  ): Promise<Message> {
    const { message } = await this.#timelines.submit({
      kind: 'edit',
      conversationId,
      actorId: viewer.userId,
      seq,
      content: checkContent(content),
    });
    return message;
  }

  /** Idempotent. @throws {Fault} NOT_FOUND; FAILED_PRECONDITION; FORBIDDEN */
  async recall(viewer: Viewer, conversationId: bigint, seq: number): Promise<Message> {
    const { message } = await this.#timelines.submit({
      kind: 'recall',
      conversationId,
      actorId: viewer.userId,
      seq,
    });
    return message;
  }

  /**
   * A page of history, oldest first: the first ones after `after`, or the last ones before
   * `before`; both may bound; without a size the last 50. One statement. `hasNextPage` and
   * `hasPreviousPage` say exactly whether the viewer may see anything after its last and before its
   * first message, bounds or no bounds; an empty page stands where it would begin or, asked from
   * the end, would end.
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND where the viewer has left since they entered.
   */
  async page(membership: Membership, input: HistoryPageInput): Promise<HistoryPage> {
    const { viewerId, head } = membership;
    const page = await historyPage(this.#shards, viewerId, head.id, input);
    if (!page) throw noSuchConversation();
    return page;
  }

  /**
   * `page` for one who has not entered, where nothing but history is asked of the conversation: one
   * statement instead of two. Null where `Conversations.enter` answers null.
   * @throws {Fault} INVALID_ARGUMENT, before anything is read.
   */
  pageUnentered(
    viewer: Viewer,
    conversationId: bigint,
    input: HistoryPageInput,
  ): Promise<HistoryPage | null> {
    return historyPage(this.#shards, viewer.userId, conversationId, input);
  }

  /**
   * In the order of the keys; null where there is no such message, or the viewer may not see it.
   * One statement a shard, and one more for each further 400 keys.
   */
  bySeqs(viewer: Viewer, keys: readonly MessageKey[]): Promise<(Message | null)[]> {
    return messagesBySeqs(this.#shards, viewer, keys);
  }

  /**
   * Messages that changed after that changeSeq, each once, ordered by its latest change, as they
   * are now. `endChangeSeq` is what to go on from: all up to it is in the pages so far. One
   * statement, which looks through a bounded part of the log: a page may hold less than `first`
   * though there is more.
   * @throws {Fault} INVALID_ARGUMENT, also for one beyond the conversation's; NOT_FOUND where the
   *   viewer has left since they entered.
   */
  changes(membership: Membership, after: number, first: number): Promise<ChangesPage> {
    return changesAfter(this.#shards, membership, after, first);
  }

  /**
   * In the order of the keys: how many members at present, other than the sender, have read it; 0
   * where the viewer may not see it. Statements as `bySeqs`; in a large group one more, which all who ask at one time
   * share, and may wait for. What was committed before the call counts, on whichever node.
   * @throws {Fault} UNAVAILABLE
   */
  readCounts(viewer: Viewer, keys: readonly SentMessageKey[]): Promise<number[]> {
    return this.#readCounts.of(viewer, keys);
  }

  /**
   * The viewer has seen everything up to seq. Monotonic: a smaller seq changes nothing, one above
   * lastSeq is clamped. Those that arrive together are one transaction; durable when it answers,
   * and told later, coalesced.
   * @returns the viewer's membership after it.
   * @throws {Fault} INVALID_ARGUMENT for a negative seq; NOT_FOUND; UNAVAILABLE
   */
  async markRead(viewer: Viewer, conversationId: bigint, seq: number): Promise<Member> {
    if (!Number.isSafeInteger(seq) || seq < 0) {
      throw new Fault('INVALID_ARGUMENT', 'seq must not be negative');
    }
    return this.#reads.submit({ conversationId, userId: viewer.userId, seq });
  }
}
