import { Fault, type FaultCode } from '../../lib/fault.ts';
import { textOf } from '../../lib/text.ts';
import { insertRows } from '../../storage/inserts.ts';
import type { SqlReader, SqlValue, Statement } from '../../storage/sql.ts';
import type { RedPacketKind } from './model.ts';
import { kindCode, kindOf, type PacketSeed } from './packet-rows.ts';
import type { Refusal } from './reads.ts';

const states = { PENDING: 0, DONE: 1, RETURNED: 2 } as const;

/** What a sender asked for when their wallet was debited. */
export interface Sending {
  readonly transferId: bigint;
  readonly redPacketId: bigint;
  readonly senderId: bigint;
  readonly conversationId: bigint;
  readonly clientMessageId: string;
  readonly payloadHash: Uint8Array;
  readonly kind: RedPacketKind;
  readonly total: bigint;
  readonly count: number;
  readonly greeting: string;
  readonly recipientId: bigint | null;
  readonly shareMax: number;
  readonly ttlMs: number;
  readonly createdAtMs: number;
}

/** What became of it; pending: the conversation has not decided, or nobody has noted it yet. */
export type Fate =
  | { readonly kind: 'PENDING' }
  | { readonly kind: 'DONE'; readonly seq: number }
  | { readonly kind: 'RETURNED'; readonly fault: Fault };

export interface StoredSending {
  readonly sending: Sending;
  readonly fate: Fate;
}

interface SendRow {
  readonly transferId: bigint;
  readonly redPacketId: bigint;
  readonly senderId: bigint;
  readonly conversationId: bigint;
  readonly clientMessageId: Uint8Array;
  readonly payloadHash: Uint8Array;
  readonly kind: number;
  readonly total: bigint;
  readonly count: number;
  readonly greeting: string;
  readonly recipientId: bigint | null;
  readonly shareMax: bigint;
  readonly ttlMs: bigint;
  readonly createdAtMs: bigint;
  readonly state: number;
  readonly seq: number | null;
  readonly faultCode: string | null;
  readonly faultMessage: string | null;
}

export const sendColumns = [
  'transferId',
  'redPacketId',
  'senderId',
  'conversationId',
  'clientMessageId',
  'payloadHash',
  'kind',
  'total',
  'count',
  'greeting',
  'recipientId',
  'shareMax',
  'ttlMs',
  'createdAtMs',
  'state',
  'seq',
  'faultCode',
  'faultMessage',
] as const satisfies readonly (keyof SendRow)[];

const select = `SELECT ${sendColumns.join(', ')} FROM RedPacketSend`;

/** Written with the debit. */
export function insertSending(sending: Sending): Statement[] {
  const row: { readonly [K in keyof SendRow]: SqlValue } = {
    ...sending,
    clientMessageId: Buffer.from(sending.clientMessageId),
    kind: kindCode(sending.kind),
    state: states.PENDING,
    seq: null,
    faultCode: null,
    faultMessage: null,
  };
  return insertRows('RedPacketSend', sendColumns, [sendColumns.map((column) => row[column])]);
}

/** Notes that the packet was posted. */
export function noteDone({ transferId }: Sending, seq: number): Statement {
  return {
    text: `UPDATE RedPacketSend SET state = ?, seq = ? WHERE transferId = ? AND state = ?`,
    params: [states.DONE, seq, transferId, states.PENDING],
  };
}

/** Notes, with the entry that brings the money back, that the conversation refused. */
export function noteReturned(packet: Refusal): Statement {
  return {
    text:
      'UPDATE RedPacketSend SET state = ?, faultCode = ?, faultMessage = ?' +
      ' WHERE senderId = ? AND conversationId = ? AND redPacketId = ? AND state = ?',
    params: [
      states.RETURNED,
      packet.faultCode,
      packet.faultMessage,
      packet.senderId,
      packet.conversationId,
      packet.id,
      states.PENDING,
    ],
  };
}

/** What was sent under a key. */
export async function sendingByKey(
  sql: SqlReader,
  key: {
    readonly senderId: bigint;
    readonly conversationId: bigint;
    readonly clientMessageId: string;
  },
): Promise<StoredSending | null> {
  const [row] = await sql.query<SendRow>(
    `${select} WHERE senderId = ? AND conversationId = ? AND clientMessageId = ?`,
    [key.senderId, key.conversationId, Buffer.from(key.clientMessageId)],
  );
  return row ? storedOf(row) : null;
}

/** What a debit was for. */
export async function sendingByTransfer(
  sql: SqlReader,
  transferId: bigint,
): Promise<StoredSending | null> {
  const [row] = await sql.query<SendRow>(`${select} WHERE transferId = ?`, [transferId]);
  return row ? storedOf(row) : null;
}

export function seedOf(sending: Sending): PacketSeed {
  const { redPacketId: id, conversationId, senderId, kind } = sending;
  const { greeting, total, count, recipientId } = sending;
  return { id, conversationId, senderId, kind, greeting, total, count, recipientId };
}

function storedOf({ state, seq, faultCode, faultMessage, ...row }: SendRow): StoredSending {
  const sending = {
    ...row,
    clientMessageId: textOf(row.clientMessageId),
    kind: kindOf(row.kind),
    shareMax: Number(row.shareMax),
    ttlMs: Number(row.ttlMs),
    createdAtMs: Number(row.createdAtMs),
  };
  return { sending, fate: fateOf(state, seq, faultCode, faultMessage) };
}

function fateOf(
  state: number,
  seq: number | null,
  faultCode: string | null,
  faultMessage: string | null,
): Fate {
  if (state === states.DONE && seq !== null) return { kind: 'DONE', seq };
  if (state !== states.RETURNED) return { kind: 'PENDING' };
  const fault = new Fault((faultCode ?? 'INTERNAL') as FaultCode, faultMessage ?? '');
  return { kind: 'RETURNED', fault };
}
