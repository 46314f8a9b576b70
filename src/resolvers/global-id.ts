import { Fault } from '../lib/fault.ts';

/** What has a global id: its type, and what its row is found by. */
export type GlobalId =
  | { readonly type: 'User' | 'Conversation' | 'Session'; readonly id: bigint }
  | { readonly type: 'Message'; readonly conversationId: bigint; readonly seq: number };

type Named = Exclude<GlobalId['type'], 'Message'>;

const prefixes: Readonly<Record<GlobalId['type'], string>> = {
  User: 'u_',
  Conversation: 'c_',
  Message: 'm_',
  Session: 's_',
};
const radix = 36;
const idMax = 2n ** 63n - 1n;
const seqMax = 2n ** 31n - 1n;

/** The global id of a user, a conversation or a session. */
export function encodeId(type: Named, id: bigint): string {
  return prefixes[type] + id.toString(radix);
}

/** The global id of a message. */
export function encodeMessageId(conversationId: bigint, seq: number): string {
  return `${prefixes.Message}${conversationId.toString(radix)}_${seq.toString(radix)}`;
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
    case prefixes.Message:
      return message(body);
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
    throw new Fault('INVALID_ARGUMENT', `${name} is not the id of a ${type.toLowerCase()}.`);
  }
  return id;
}

function named(type: Named, body: string): GlobalId | null {
  const id = digits(body, idMax);
  return id === null ? null : { type, id };
}

function message(body: string): GlobalId | null {
  const [head = '', tail = '', ...more] = body.split('_');
  const conversationId = digits(head, idMax);
  const seq = digits(tail, seqMax);
  if (conversationId === null || seq === null || more.length > 0) return null;
  return { type: 'Message', conversationId, seq: Number(seq) };
}

/** A positive number as the encoders write it: lower case, no leading zero. */
function digits(text: string, max: bigint): bigint | null {
  if (!/^[1-9a-z][0-9a-z]{0,12}$/.test(text)) return null;
  let value = 0n;
  for (const digit of text) value = value * BigInt(radix) + BigInt(Number.parseInt(digit, radix));
  return value <= max ? value : null;
}
