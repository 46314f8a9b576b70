import { Fault } from '../../lib/fault.ts';

/** A place in the list of a user's conversations: latest activity first, then the greater id. */
export interface ListPosition {
  readonly activityAtMs: number;
  readonly id: bigint;
}

const idMax = 2n ** 63n - 1n;

export function encodeListCursor({ activityAtMs, id }: ListPosition): string {
  return encode(`l:${activityAtMs}:${id}`);
}

/** @throws {Fault} INVALID_ARGUMENT */
export function decodeListCursor(cursor: string): ListPosition {
  const [, activityAtMs, id] = /^l:(\d{1,15}):(\d{1,19})$/.exec(decode(cursor)) ?? [];
  const position = { activityAtMs: Number(activityAtMs), id: BigInt(id ?? -1) };
  return checked(position, position.id, cursor, encodeListCursor);
}

export function encodeMemberCursor(userId: bigint): string {
  return encode(`m:${userId}`);
}

/** @throws {Fault} INVALID_ARGUMENT */
export function decodeMemberCursor(cursor: string): bigint {
  const [, userId] = /^m:(\d{1,19})$/.exec(decode(cursor)) ?? [];
  const id = BigInt(userId ?? -1);
  return checked(id, id, cursor, encodeMemberCursor);
}

function encode(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64url');
}

function decode(cursor: string): string {
  // Longer than any of ours: not worth decoding.
  return cursor.length > 64 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
}

/** Only what we would have written ourselves is a cursor: one position, one text. */
function checked<T>(position: T, id: bigint, cursor: string, encodeAgain: (value: T) => string): T {
  if (id < 0n || id > idMax || encodeAgain(position) !== cursor) {
    throw new Fault('INVALID_ARGUMENT', 'after is no cursor of this list');
  }
  return position;
}
