import { present } from '../../lib/assert.ts';
import { insertRows } from '../../storage/inserts.ts';
import type { Statement } from '../../storage/sql.ts';
import type { RedPacket, RedPacketKind, RedPacketState } from './model.ts';

const kinds = ['LUCKY', 'EQUAL'] as const satisfies readonly RedPacketKind[];
const states = ['OPEN', 'EXHAUSTED', 'EXPIRED'] as const satisfies readonly RedPacketState[];
/** `RedPacket.state` of one that its conversation refused: nobody ever sees it. */
const returnedCode = states.length;

export const openCode = states.indexOf('OPEN');

export function kindCode(kind: RedPacketKind): number {
  return kinds.indexOf(kind);
}

export function kindOf(code: number): RedPacketKind {
  return present(kinds[code], 'a red packet of unknown kind');
}

export function stateCode(state: RedPacketState): number {
  return states.indexOf(state);
}

/** A row of RedPacket, without its shares: they are read where a claim is decided, and nowhere else. */
export interface RedPacketRow extends Omit<
  RedPacket,
  'kind' | 'state' | 'seq' | 'createdAtMs' | 'expiresAtMs'
> {
  readonly kind: number;
  readonly state: number;
  /** Null where it was refused. */
  readonly seq: number | null;
  readonly createdAtMs: bigint;
  readonly expiresAtMs: bigint;
}

export const packetColumns = [
  'id',
  'conversationId',
  'seq',
  'senderId',
  'kind',
  'state',
  'greeting',
  'total',
  'count',
  'claimedCount',
  'claimedTotal',
  'refundedTotal',
  'recipientId',
  'bestShareNo',
  'createdAtMs',
  'expiresAtMs',
] as const satisfies readonly (keyof RedPacketRow)[];

/** @param row of one that was not refused. */
export function packetOf(row: RedPacketRow): RedPacket {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: present(row.seq, 'a red packet without a message'),
    senderId: row.senderId,
    kind: kindOf(row.kind),
    state: present(states[row.state], 'a red packet in an unknown state'),
    greeting: row.greeting,
    total: row.total,
    count: row.count,
    claimedCount: row.claimedCount,
    claimedTotal: row.claimedTotal,
    refundedTotal: row.refundedTotal,
    recipientId: row.recipientId,
    bestShareNo: row.bestShareNo,
    createdAtMs: Number(row.createdAtMs),
    expiresAtMs: Number(row.expiresAtMs),
  };
}

/** What a packet is made of, wherever it stands. */
export interface PacketSeed {
  readonly id: bigint;
  readonly conversationId: bigint;
  readonly senderId: bigint;
  readonly kind: RedPacketKind;
  readonly greeting: string;
  readonly total: bigint;
  readonly count: number;
  readonly recipientId: bigint | null;
}

/** A packet that was posted. */
export function insertPosted(
  seed: PacketSeed,
  posted: {
    readonly seq: number;
    readonly shares: readonly bigint[];
    readonly senderMayClaim: boolean;
    readonly createdAtMs: number;
    readonly expiresAtMs: number;
  },
): Statement[] {
  const { seq, shares, senderMayClaim, createdAtMs, expiresAtMs } = posted;
  return insertPacket(seed, {
    seq,
    state: openCode,
    shares: JSON.stringify(shares.map(Number)),
    refundedTotal: 0n,
    senderMayClaim,
    createdAtMs,
    expiresAtMs,
    faultCode: null,
    faultMessage: null,
  });
}

/** A packet that its conversation refused: it stays, so that nothing can accept it any more. */
export function insertRefused(
  seed: PacketSeed,
  fault: { readonly code: string; readonly message: string },
  atMs: number,
): Statement[] {
  return insertPacket(seed, {
    seq: null,
    state: returnedCode,
    shares: '[]',
    refundedTotal: seed.total,
    senderMayClaim: false,
    createdAtMs: atMs,
    expiresAtMs: atMs,
    faultCode: fault.code,
    faultMessage: fault.message,
  });
}

/** What claims, and its end, change of a packet. */
export function updatePacket(packet: RedPacket): Statement {
  return {
    text:
      'UPDATE RedPacket SET state = ?, claimedCount = ?, claimedTotal = ?, refundedTotal = ?, bestShareNo = ?' +
      ' WHERE id = ?',
    params: [
      stateCode(packet.state),
      packet.claimedCount,
      packet.claimedTotal,
      packet.refundedTotal,
      packet.bestShareNo,
      packet.id,
    ],
  };
}

/** Rises with each change: nothing is claimed of an expired one. */
export function versionOf({ claimedCount, state }: RedPacket): number {
  return state === 'EXPIRED' ? claimedCount + 1 : claimedCount;
}

function insertPacket(
  seed: PacketSeed,
  rest: Readonly<Record<string, string | number | bigint | boolean | null>>,
): Statement[] {
  const row = { ...seed, kind: kindCode(seed.kind), claimedCount: 0, claimedTotal: 0n, ...rest };
  return insertRows('RedPacket', Object.keys(row), [Object.values(row)]);
}
