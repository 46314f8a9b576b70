import DataLoader from 'dataloader';
import type { Doors } from '../doors.ts';
import type { Membership } from '../domain/conversation/conversation.ts';
import type { Claim, RedPacket } from '../domain/red-packet/red-packet.ts';
import type { Session, Viewer } from '../domain/session/session.ts';
import type { Head, Message } from '../domain/timeline/timeline.ts';
import type { User } from '../domain/user/user.ts';
import { present } from '../lib/assert.ts';
import { limits } from '../limits.ts';

/** Where a message stands. */
export interface MessageKey {
  readonly conversationId: bigint;
  readonly seq: number;
}

/** A message whose readers are to be counted. */
export interface ReadCountKey extends MessageKey {
  readonly senderId: bigint | null;
}

/** No statement has more marks than every engine takes. */
const batches = { maxBatchSize: limits.idsPerCallMax };

const place = ({ conversationId, seq }: MessageKey) => `${conversationId}:${seq}`;

/**
 * Gathers what the fields of one operation ask for one by one into one question a shard, and asks
 * nothing twice. It holds answers for its viewer, as they were when first asked for: one set for an
 * operation, or for an event, and a new one after each mutation.
 */
export class Loaders {
  readonly #viewer: Viewer | null;
  readonly #doors: Doors;
  #users: DataLoader<bigint, User | null> | undefined;
  #liveSessions: Promise<readonly Session[]> | undefined;
  #sessions: DataLoader<bigint, Session | null> | undefined;
  #memberships: DataLoader<bigint, Membership | null> | undefined;
  #publicHeads: DataLoader<bigint, PublicHead | null> | undefined;
  #messages: DataLoader<MessageKey, Message | null, string> | undefined;
  #readCounts: DataLoader<ReadCountKey, number, string> | undefined;
  #redPackets: DataLoader<bigint, RedPacket | null> | undefined;
  #redPacketClaims: DataLoader<RedPacket, readonly Claim[], bigint> | undefined;
  #ownClaims: DataLoader<RedPacket, Claim | null, bigint> | undefined;

  constructor(viewer: Viewer | null, doors: Doors) {
    this.#viewer = viewer;
    this.#doors = doors;
  }

  /** Users by id; null for one who does not exist. */
  get users(): DataLoader<bigint, User | null> {
    return (this.#users ??= new DataLoader(async (ids) => {
      const users = await this.#doors.users.byIds(ids);
      return ids.map((id) => users.get(id) ?? null);
    }, batches));
  }

  /** All live sessions of the viewer's, the latest sign-in first. */
  get liveSessions(): Promise<readonly Session[]> {
    return (this.#liveSessions ??= this.#doors.sessions.live(this.#requireViewer()));
  }

  /** The viewer's live sessions by id; null for any other. */
  get sessions(): DataLoader<bigint, Session | null> {
    return (this.#sessions ??= new DataLoader(async (ids) => {
      const live = await this.liveSessions;
      return ids.map((id) => live.find((session) => session.id === id) ?? null);
    }));
  }

  /** The viewer's memberships by conversation; null where they are no member. */
  get memberships(): DataLoader<bigint, Membership | null> {
    return (this.#memberships ??= new DataLoader(async (ids) => {
      const memberships = await this.#doors.conversations.enterAll(this.#requireViewer(), ids);
      return ids.map((id) => memberships.get(id) ?? null);
    }, batches));
  }

  /** What even one who is no member any more may know of a conversation. */
  get publicHeads(): DataLoader<bigint, PublicHead | null> {
    return (this.#publicHeads ??= new DataLoader((ids) =>
      Promise.all(ids.map((id) => this.#doors.conversations.publicHead(id))),
    ));
  }

  /** Messages by place; null where there is none that the viewer may see. */
  get messages(): DataLoader<MessageKey, Message | null, string> {
    return (this.#messages ??= new DataLoader<MessageKey, Message | null, string>(
      (keys) => this.#doors.messages.bySeqs(this.#requireViewer(), keys),
      { cacheKeyFn: place },
    ));
  }

  /** How many have read a message. */
  get readCounts(): DataLoader<ReadCountKey, number, string> {
    return (this.#readCounts ??= new DataLoader<ReadCountKey, number, string>(
      (keys) => this.#doors.messages.readCounts(this.#requireViewer(), keys),
      { cacheKeyFn: place },
    ));
  }

  /** Red packets by id; null where the viewer may not see the message of one. */
  get redPackets(): DataLoader<bigint, RedPacket | null> {
    return (this.#redPackets ??= new DataLoader(async (ids) => {
      const packets = await this.#doors.redPackets.byIds(this.#requireViewer(), ids);
      return ids.map((id) => packets.get(id) ?? null);
    }, batches));
  }

  /** Who took what of a red packet, first come first. */
  get redPacketClaims(): DataLoader<RedPacket, readonly Claim[], bigint> {
    return (this.#redPacketClaims ??= new DataLoader<RedPacket, readonly Claim[], bigint>(
      async (packets) => {
        const claims = await this.#doors.redPackets.claims(packets);
        return packets.map(({ id }) => claims.get(id) ?? []);
      },
      { ...batches, cacheKeyFn: ({ id }) => id },
    ));
  }

  /** What the viewer took of a red packet; null: nothing. */
  get ownClaims(): DataLoader<RedPacket, Claim | null, bigint> {
    return (this.#ownClaims ??= new DataLoader<RedPacket, Claim | null, bigint>(
      async (packets) => {
        const claims = await this.#doors.redPackets.claimsOf(this.#requireViewer(), packets);
        return packets.map(({ id }) => claims.get(id) ?? null);
      },
      { ...batches, cacheKeyFn: ({ id }) => id },
    ));
  }

  #requireViewer(): Viewer {
    return present(this.#viewer, 'nobody reads without a viewer');
  }
}

type PublicHead = Pick<Head, 'id' | 'kind' | 'createdAtMs'>;
