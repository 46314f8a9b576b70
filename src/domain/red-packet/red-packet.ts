import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Viewer } from '../session/session.ts';
import type { Claim, ClaimAnswer, RedPacket, SendRedPacketInput, SentRedPacket } from './model.ts';

export type {
  Claim,
  ClaimAnswer,
  ClaimStatus,
  RedPacket,
  RedPacketKind,
  RedPacketState,
  SendRedPacketInput,
  SentRedPacket,
} from './model.ts';

/**
 * Red packets: money that a member puts into a conversation and others take out of it. No money is made or lost on the way, whatever
 * dies in between.
 */
export declare class RedPackets implements Lifecycle {
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;

  /**
   * Debits the viewer's wallet and posts a message whose content is the packet: both or neither, over two shards. Where the conversation
   * refuses after the debit, the money comes back by an entry of its own, and the fault is thrown. Idempotent by
   * (viewer, conversation, clientMessageId): a retry gets the outcome of the first call, whatever became of the viewer since.
   * @throws {Fault} INVALID_ARGUMENT; NOT_FOUND for the conversation, or a recipient who is no member; FAILED_PRECONDITION where
   *   the balance does not reach; IDEMPOTENCY_CONFLICT where the key was used for anything else; UNAVAILABLE where the outcome is
   *   not known yet: retry with the same key.
   */
  send(viewer: Viewer, input: SendRedPacketInput): Promise<SentRedPacket>;

  /**
   * Takes the next share for the viewer, at most one per user and packet. Durable when it answers; the credit follows, and the
   * answer waits for it 2 s at most. Claims that arrive together share a transaction; a packet that is exhausted or expired is
   * answered from memory.
   * @throws {Fault} NOT_FOUND where the viewer may not see its message; FORBIDDEN where the packet is for another one, or is the
   *   viewer's own in a direct conversation; UNAVAILABLE
   */
  claim(viewer: Viewer, redPacketId: bigint): Promise<ClaimAnswer>;

  /** Those whose message the viewer may see, by id. One statement a shard. */
  byIds(viewer: Viewer, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, RedPacket>>;

  /**
   * The claims of packets, by packet id, first come first; a packet without claims is not in it. Whoever has a RedPacket may
   * see them. One statement a shard.
   */
  claims(packets: readonly RedPacket[]): Promise<ReadonlyMap<bigint, readonly Claim[]>>;

  /** The viewer's own claims of packets, by packet id. One statement a shard. */
  claimsOf(viewer: Viewer, packets: readonly RedPacket[]): Promise<ReadonlyMap<bigint, Claim>>;
}
