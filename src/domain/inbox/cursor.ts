import { Fault } from '../../lib/fault.ts';

/** A position in a user's inbox, as the cursor carries it. */
export interface Cursor {
  readonly userId: bigint;
  /** The name of the log that the offset counts in. */
  readonly epoch: bigint;
  readonly offset: bigint;
  /** Everything that happened until then has been told at this position; ms. */
  readonly atMs: number;
}

const version = 1;
const byteCount = 1 + 8 + 8 + 8 + 6;

/** The opaque text that a client keeps. */
export function encodeCursor({ userId, epoch, offset, atMs }: Cursor): string {
  const bytes = Buffer.allocUnsafe(byteCount);
  bytes.writeUInt8(version, 0);
  bytes.writeBigUInt64BE(userId, 1);
  bytes.writeBigUInt64BE(epoch, 9);
  bytes.writeBigUInt64BE(offset, 17);
  bytes.writeUIntBE(atMs, 25, 6);
  return bytes.toString('base64url');
}

/**
 * Reads what a client handed back. Whether the log still reaches back to it is another question.
 * @throws {Fault} INVALID_ARGUMENT where it is malformed, or another user's.
 */
export function decodeCursor(text: string, userId: bigint): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  const isOurs =
    bytes.length === byteCount &&
    bytes.toString('base64url') === text &&
    bytes.readUInt8(0) === version &&
    bytes.readBigUInt64BE(1) === userId;
  if (!isOurs) throw new Fault('INVALID_ARGUMENT', 'This is no cursor of your inbox.');
  return {
    userId,
    epoch: bytes.readBigUInt64BE(9),
    offset: bytes.readBigUInt64BE(17),
    atMs: bytes.readUIntBE(25, 6),
  };
}
