import { Fault } from '../lib/fault.ts';

/** What has a global id: its type, and what its row is found by. */
export type GlobalId =
  | { readonly type: 'User' | 'Conversation' | 'Session' | 'RedPacket'; readonly id: bigint }
  | { readonly type: 'Message'; readonly conversationId: bigint; readonly seq: number }
  | { readonly type: 'WalletEntry'; readonly userId: bigint; readonly entryNo: number };

type Named = Exclude<GlobalId['type'], 'Message' | 'WalletEntry'>;

const prefixes: Readonly<Record<GlobalId['type'], string>> = {
  User: 'u_',
  Conversation: 'c_',
  Message: 'm_',
  Session: 's_',
  RedPacket: 'r_',
  WalletEntry: 'w_',
};
const words: Readonly<Record<Named, string>> = {
  User: 'user',
  Conversation: 'conversation',
  Session: 'session',
  RedPacket: 'red packet',
};
const radix = 36;
const idMax = 2n ** 63n - 1n;
/** Of a number within a conversation or a wallet. */
const numberMax = 2n ** 31n - 1n;

/** The global id of a user, a conversation, a session or a red packet. */
export function encodeId(type: Named, id: bigint): string {
  return prefixes[type] + id.toString(radix);
}

/** The global id of a message. */
export function encodeMessageId(conversationId: bigint, seq: number): string {
  return `${prefixes.Message}${conversationId.toString(radix)}_${seq.toString(radix)}`;
}

/** The global id of an entry of a wallet. */
export function encodeEntryId(userId: bigint, entryNo: number): string {
  return `${prefixes.WalletEntry}${userId.toString(radix)}_${entryNo.toString(radix)}`;
}

/** Reads a global id; null where `text` is not exactly what the encoders write. */
export function decodeId(text: string): GlobalId | null {
  const body = text.slice(2);
  switch (text.slice(0, 2)) {
    case prefixes.User:
      return named('User', body);
    case prefixes.Conversation:
      return named('Conversation', body);
    case prefixes.Session:
      return named('Session', body);
    case prefixes.RedPacket:
      return named('RedPacket', body);
    case prefixes.Message: {
      const place = pair(body);
      return place && { type: 'Message', conversationId: place.id, seq: place.number };
    }
    case prefixes.WalletEntry: {
      const place = pair(body);
      return place && { type: 'WalletEntry', userId: place.id, entryNo: place.number };
    }
    default:
      return null;
  }
}

/** The id that a query was given for a `type`; null where it is malformed or of another type. */
export function decodeIdOf(type: Named, text: string): bigint | null {
  const id = decodeId(text);
  return id?.type === type ? id.id : null;
}

/**
 * The id that a mutation or a subscription was given for a `type`.
 * @throws {Fault} INVALID_ARGUMENT where it is malformed or of another type.
 */
export function idArgument(type: Named, text: string, name: string): bigint {
  const id = decodeIdOf(type, text);
  if (id === null) {
    throw new Fault('INVALID_ARGUMENT', `${name} is not the id of a ${words[type]}.`);
  }
  return id;
}

function named(type: Named, body: string): GlobalId | null {
  const id = digits(body, idMax);
  return id === null ? null : { type, id };
}

/** A number within what an id stands for. */
function pair(body: string): { id: bigint; number: number } | null {
  const [head = '', tail = '', ...more] = body.split('_');
  const id = digits(head, idMax);
  const number = digits(tail, numberMax);
  if (id === null || number === null || more.length > 0) return null;
  return { id, number: Number(number) };
}

const lowDigits = 7;
const lowFactor = BigInt(radix) ** BigInt(lowDigits);

/** A positive number as the encoders write it: lower case, no leading zero. */
function digits(text: string, max: bigint): bigint | null {
  if (!/^[1-9a-z][0-9a-z]{0,12}$/.test(text)) return null;
  // In two halves, of which each is exact as a number.
  const half = Math.max(0, text.length - lowDigits);
  const high = half === 0 ? 0n : BigInt(Number.parseInt(text.slice(0, half), radix));
  const low = BigInt(Number.parseInt(text.slice(half), radix));
  const value = high * lowFactor + low;
  return value <= max ? value : null;
}
