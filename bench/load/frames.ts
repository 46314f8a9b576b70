import { demand } from '../runner/void.ts';
import { joined, keptOf } from './tcp.ts';

/** What a WebSocket frame is, of those that a server may send here (RFC 6455). */
export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const finalBit = 0x80;
const maskBit = 0x80;
/** A mask of zeros is a mask, and leaves the bytes as they are. */
const zeroMask = '\0\0\0\0';

/**
 * The head of a client's frame, a character for each byte; so many bytes of payload follow as they are.
 * @param bytes below 64 KiB, which is what the server takes.
 */
export function frameHead(opcode: number, bytes: number): string {
  demand(bytes < 0x1_00_00, `a frame of ${bytes} bytes is too long`);
  return bytes < 126
    ? String.fromCharCode(finalBit | opcode, maskBit | bytes) + zeroMask
    : String.fromCharCode(finalBit | opcode, maskBit | 126, bytes >>> 8, bytes & 0xff) + zeroMask;
}

/** Takes a whole frame, whose payload is from `start` to `end`; the bytes are overwritten after the call. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts what comes from a server into frames. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest: Buffer | null = null;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @throws {VoidRun} for a frame that no server should send to us. */
  take(bytes: Buffer): void {
    const all = joined(this.#rest, bytes);
    let at = 0;
    while (all.length - at >= 2) {
      const first = all[at] ?? 0;
      const second = all[at + 1] ?? 0;
      demand(
        (first & 0xf0) === finalBit,
        'the server sent a part of a message, or a compressed one',
      );
      demand(second < maskBit, 'the server sent a masked frame');
      const headBytes = second < 126 ? 2 : second === 126 ? 4 : 10;
      if (all.length - at < headBytes) break;
      const start = at + headBytes;
      const length =
        second < 126
          ? second
          : second === 126
            ? all.readUInt16BE(at + 2)
            : Number(all.readBigUInt64BE(at + 2));
      if (all.length - start < length) break;
      at = start + length;
      this.#onFrame(first & 0x0f, all, start, at);
    }
    this.#rest = keptOf(all, at);
  }
}
