import { Fault } from '../../lib/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import { slotOf, type IdSource } from '../../lib/id.ts';
import type { Shards } from '../../storage/shards.ts';
import { SqlError, type Statement } from '../../storage/sql.ts';
import type { Conversations } from '../conversation/conversation.ts';
import type { Viewer } from '../session/session.ts';
import { isBetweenTwo } from '../timeline/timeline.ts';
import type { PostRedPacket, TimelineWriter } from '../timeline/timeline.ts';
import { departures, type Transfer } from '../transfer/transfer.ts';
import type { Wallets } from '../wallet/wallet.ts';
import type { RedPacketRules, SendRedPacketInput, SentRedPacket } from './model.ts';
import { insertPosted, insertRefused } from './packet-rows.ts';
import { messageAt, packetById } from './reads.ts';
import { checkSend, payloadHashOf, type CheckedSend } from './send-check.ts';
import { insertSending, noteDone, seedOf, sendingByKey, sendingByTransfer } from './send-rows.ts';
import type { Fate, Sending, StoredSending } from './send-rows.ts';
import { splitEqual, splitLucky } from './split.ts';

export interface SendsDeps {
  readonly shards: Pick<Shards, 'all' | 'of'>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly conversations: Pick<Conversations, 'enterOrFault' | 'membersOf'>;
  readonly timelines: TimelineWriter;
  readonly wallets: Pick<Wallets, 'pay'>;
  readonly rulesOf: (appId: string) => RedPacketRules;
  /** Sees to a transfer that was sent, and ends when it has arrived. */
  readonly seeTo: (
    transfer: Transfer,
    deliver?: () => Promise<readonly Statement[]>,
  ) => Promise<void>;
}

/** What a conversation made of a packet. */
type Decision = Exclude<Fate, { kind: 'PENDING' }>;

/** How often ids are drawn anew because another process drew the same. */
const strikesMax = 3;

/**
 * From a wallet into a conversation. The debit, the transfer and the sending, pending, commit together on the sender's shard; the conversation's
 * writer then posts the packet, or refuses it and sends the money back by the same commit; at last the sending is noted to be
 * done or returned. Each step can be repeated by anybody who finds it undone.
 */
export class Sends {
  readonly #deps: SendsDeps;
  readonly #posting = new Map<bigint, Promise<Decision>>();

  constructor(deps: SendsDeps) {
    this.#deps = deps;
  }

  /** @throws {Fault} as RedPackets.send. */
  async send(viewer: Viewer, input: SendRedPacketInput): Promise<SentRedPacket> {
    const rules = this.#deps.rulesOf(viewer.appId);
    const checked = checkSend(input, rules);
    const key = { ...checked, senderId: viewer.userId };
    const before = await sendingByKey(this.#deps.shards.of(viewer.userId).sql, key);
    if (before) return this.#answer(before, true, checked);
    await this.#mustBePossible(viewer, checked);
    const { stored, isDuplicate } = await this.#pay(viewer.userId, checked, rules);
    return this.#answer(stored, isDuplicate, checked);
  }

  /**
   * Sees to a debit whose packet may not be posted yet: what of it is to be noted on the sender's shard.
   * @throws {Fault} UNAVAILABLE
   */
  async resume({ id, userId }: Transfer): Promise<Statement[]> {
    const stored = await sendingByTransfer(this.#deps.shards.of(userId).sql, id);
    if (!stored) throw new Error(`a debit without its sending: ${id}`);
    const { sending, fate } = stored;
    if (fate.kind !== 'PENDING') return [];
    return notesOf(sending, await this.#post(sending));
  }

  /** @throws {Fault} NOT_FOUND; FAILED_PRECONDITION */
  async #mustBePossible(
    viewer: Viewer,
    { conversationId, recipientId }: CheckedSend,
  ): Promise<void> {
    const { conversations } = this.#deps;
    const membership = await conversations.enterOrFault(viewer, conversationId);
    if (recipientId === null) return;
    if (recipientId === viewer.userId && isBetweenTwo(membership.head)) {
      throw new Fault('FAILED_PRECONDITION', 'Between two a red packet is for the other side.');
    }
    const members = await conversations.membersOf(membership, [recipientId]);
    if (!members.has(recipientId)) throw new Fault('NOT_FOUND', 'There is no such member.');
  }

  async #pay(
    senderId: bigint,
    checked: CheckedSend,
    { shareMax, ttlMs }: RedPacketRules,
  ): Promise<{ stored: StoredSending; isDuplicate: boolean }> {
    const { ids, clock, wallets, shards, failpoints } = this.#deps;
    const { conversationId, clientMessageId, total } = checked;
    for (let strikes = 0; ; strikes += 1) {
      const sending: Sending = {
        ...checked,
        transferId: ids.next(slotOf(senderId)),
        redPacketId: ids.next(slotOf(conversationId)),
        senderId,
        payloadHash: payloadHashOf(checked),
        shareMax,
        ttlMs,
        createdAtMs: clock.now(),
      };
      const { redPacketId } = sending;
      try {
        const { isDuplicate } = await wallets.pay({
          userId: senderId,
          amount: total,
          cause: `send:${conversationId}:${clientMessageId}`,
          redPacketId,
          beside: [...departures([transferOf(sending)]), ...insertSending(sending)],
        });
        failpoints.reach('after-debit');
        if (!isDuplicate) return { stored: { sending, fate: { kind: 'PENDING' } }, isDuplicate };
        const stored = await sendingByKey(shards.of(senderId).sql, sending);
        if (!stored) throw new Error(`a debit without its sending: ${redPacketId}`);
        return { stored, isDuplicate };
      } catch (error) {
        const isStrike = error instanceof SqlError && error.kind === 'unique';
        if (!isStrike || strikes === strikesMax) throw error;
      }
    }
  }

  async #answer(
    { sending, fate }: StoredSending,
    isDuplicate: boolean,
    checked: CheckedSend,
  ): Promise<SentRedPacket> {
    if (Buffer.compare(sending.payloadHash, payloadHashOf(checked)) !== 0) {
      throw new Fault('IDEMPOTENCY_CONFLICT', 'This clientMessageId was used for another message.');
    }
    const decision = fate.kind === 'PENDING' ? await this.#seen(sending) : fate;
    if (decision.kind === 'RETURNED') throw decision.fault;
    const { sql } = this.#deps.shards.of(sending.conversationId);
    const [message, redPacket] = await Promise.all([
      messageAt(sql, sending.conversationId, decision.seq),
      packetById(sql, sending.redPacketId),
    ]);
    if (!message || !redPacket)
      throw new Error(`a sending without its packet: ${sending.transferId}`);
    return { message, redPacket, isDuplicate };
  }

  /** The conversation's decision; whoever sees to the debit notes it. */
  #seen(sending: Sending): Promise<Decision> {
    const deciding = this.#post(sending);
    const deliver = async (): Promise<Statement[]> => notesOf(sending, await deciding);
    this.#deps.seeTo(transferOf(sending), deliver).catch(() => undefined);
    return deciding;
  }

  /** Once at a time, whoever asks. */
  #post(sending: Sending): Promise<Decision> {
    const { transferId } = sending;
    const known = this.#posting.get(transferId);
    if (known) return known;
    const posting = this.#submit(sending).finally(() => this.#posting.delete(transferId));
    this.#posting.set(transferId, posting);
    return posting;
  }

  async #submit(sending: Sending): Promise<Decision> {
    const { timelines, failpoints, seeTo } = this.#deps;
    const returned: Transfer[] = [];
    const draft = this.#draftOf(sending, (transfer) => returned.push(transfer));
    const result = await timelines.submit(draft);
    failpoints.reach('after-post');
    if (result.kind === 'accepted') return { kind: 'DONE', seq: result.message.seq };
    const transfer = returned.at(-1);
    // Where somebody else had it refused, they see to what went back.
    if (!result.isDuplicate && transfer) await seeTo(transfer).catch(() => undefined);
    return { kind: 'RETURNED', fault: result.fault };
  }

  #sharesOf({ kind, total, count, shareMax }: Sending): bigint[] {
    if (this.#deps.failpoints.hasBug('rounding')) {
      return new Array<bigint>(count).fill(total / BigInt(count));
    }
    const input = { total: Number(total), count, shareMax };
    return kind === 'LUCKY' ? splitLucky(input) : splitEqual(input);
  }

  #draftOf(sending: Sending, onReturned: (transfer: Transfer) => unknown): PostRedPacket {
    const { ids } = this.#deps;
    const { conversationId, senderId, redPacketId, clientMessageId, payloadHash } = sending;
    const { total, recipientId, ttlMs } = sending;
    const seed = seedOf(sending);
    return {
      kind: 'postRedPacket',
      conversationId,
      actorId: senderId,
      clientMessageId,
      payloadHash,
      redPacketId,
      recipientId,
      accepted: ({ seq, createdAtMs, isBetweenTwo }) =>
        insertPosted(seed, {
          seq,
          shares: this.#sharesOf(sending),
          senderMayClaim: !isBetweenTwo,
          createdAtMs,
          expiresAtMs: createdAtMs + ttlMs,
        }),
      refused: (fault, atMs) => {
        const transfer: Transfer = {
          id: ids.next(slotOf(conversationId)),
          kind: 'RETURN',
          redPacketId,
          userId: senderId,
          amount: total,
          createdAtMs: atMs,
        };
        onReturned(transfer);
        return [...insertRefused(seed, fault, atMs), ...departures([transfer])];
      },
    };
  }
}

/** That it was returned is noted with the entry that brings the money back. */
function notesOf(sending: Sending, decision: Decision): Statement[] {
  return decision.kind === 'DONE' ? [noteDone(sending, decision.seq)] : [];
}

function transferOf({ transferId, redPacketId, senderId, total, createdAtMs }: Sending): Transfer {
  return {
    id: transferId,
    kind: 'SEND',
    redPacketId,
    userId: senderId,
    amount: total,
    createdAtMs,
  };
}
