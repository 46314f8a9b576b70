/** A text on its way to a WebSocket, with its length as UTF-8. */
export interface OutgoingText {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Complete, unmasked WebSocket text frames (RFC 6455), one behind the other, ready for one write.
 * A string is to be written as latin1: where all is ASCII, that spares the pass through UTF-8.
 */
export function encodeTextFrames(texts: readonly OutgoingText[]): string | Buffer {
  if (texts.every(({ text, bytes }) => bytes === text.length)) {
    let run = '';
    for (const { text, bytes } of texts) run += frameHeader(bytes) + text;
    return run;
  }
  return Buffer.concat(
    texts.flatMap(({ text, bytes }) => [
      Buffer.from(frameHeader(bytes), 'latin1'),
      Buffer.from(text, 'utf8'),
    ]),
  );
}

/** Final text frame of so many bytes, each byte a character. */
function frameHeader(bytes: number): string {
  if (bytes < 126) return String.fromCharCode(0x81, bytes);
  if (bytes < 0x1_00_00) return String.fromCharCode(0x81, 126, bytes >>> 8, bytes & 0xff);
  const high = Math.floor(bytes / 0x1_00_00_00_00);
  const octets = [24, 16, 8, 0].map((shift) => (bytes >>> shift) & 0xff);
  const highOctets = [24, 16, 8, 0].map((shift) => (high >>> shift) & 0xff);
  return String.fromCharCode(0x81, 127, ...highOctets, ...octets);
}
