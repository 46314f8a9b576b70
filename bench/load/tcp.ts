import { connect, type Socket } from 'node:net';

/** Reads of all connections come here, one after the other: no memory is allocated for any of them. */
const received = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * A connection for which the generator pays little: no stream machinery between the system and `onBytes`.
 * @param onBytes takes what came; the bytes are overwritten after the call. It must not throw.
 */
export function openTcp(url: URL, onBytes: (bytes: Buffer) => void): Socket {
  return connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: {
      buffer: received,
      callback(length) {
        onBytes(received.subarray(0, length));
        return true;
      },
    },
  });
}

/** Bytes of which the whole has not come yet, before those that have come now. */
export function joined(rest: Buffer | null, bytes: Buffer): Buffer {
  return rest === null ? bytes : Buffer.concat([rest, bytes]);
}

/** What is left of the bytes of a read, kept beyond it. */
export function keptOf(bytes: Buffer, from: number): Buffer | null {
  return from === bytes.length ? null : Buffer.from(bytes.subarray(from));
}
