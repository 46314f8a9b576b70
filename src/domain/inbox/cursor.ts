import { Fault } from '../../lib/fault.ts';

/** A position in a user's inbox, as the cursor carries it. */
export interface Cursor {
  readonly userId: bigint;
  /** The name of the log that the offset counts in. */
  readonly epoch: bigint;
  readonly offset: bigint;
  /** Everything that happened until then has been told at this position; ms. */
  readonly atMs: number;
  /** Of the large groups that moved since `atMs` some have been told beyond it; absent: none. */
  readonly told?: ToldGroups | undefined;
}

/** In the midst of the notices of a page: groups up to that one were told as they were at that time, ms. */
export interface ToldGroups {
  readonly conversationId: bigint;
  readonly atMs: number;
}

const version = 1;
const byteCount = 1 + 8 + 8 + 8 + 6;
const toldByteCount = byteCount + 8 + 6;

/** The opaque text that a client keeps. */
export function encodeCursor({ userId, epoch, offset, atMs, told }: Cursor): string {
  const bytes = Buffer.allocUnsafe(told ? toldByteCount : byteCount);
  bytes.writeUInt8(version, 0);
  bytes.writeBigUInt64BE(userId, 1);
  bytes.writeBigUInt64BE(epoch, 9);
  bytes.writeBigUInt64BE(offset, 17);
  bytes.writeUIntBE(atMs, 25, 6);
  if (told) {
    bytes.writeBigUInt64BE(told.conversationId, byteCount);
    bytes.writeUIntBE(told.atMs, byteCount + 8, 6);
  }
  return bytes.toString('base64url');
}

/**
 * Reads what a client handed back. Whether the log still reaches back to it is another question.
 * @throws {Fault} INVALID_ARGUMENT where it is malformed, or another user's.
 */
export function decodeCursor(text: string, userId: bigint): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  const hasTold = bytes.length === toldByteCount;
  const isOurs =
    (bytes.length === byteCount || hasTold) &&
    bytes.toString('base64url') === text &&
    bytes.readUInt8(0) === version &&
    bytes.readBigUInt64BE(1) === userId;
  if (!isOurs) throw new Fault('INVALID_ARGUMENT', 'This is no cursor of your inbox.');
  return {
    userId,
    epoch: bytes.readBigUInt64BE(9),
    offset: bytes.readBigUInt64BE(17),
    atMs: bytes.readUIntBE(25, 6),
    told: hasTold
      ? {
          conversationId: bytes.readBigUInt64BE(byteCount),
          atMs: bytes.readUIntBE(byteCount + 8, 6),
        }
      : undefined,
  };
}
