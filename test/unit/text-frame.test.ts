import { expect, test } from 'vitest';
import { encodeTextFrames } from '../../src/gate/text-frame.ts';

/** The texts of the frames, read as RFC 6455 says. */
function read(frames: string | Buffer): string[] {
  const bytes = typeof frames === 'string' ? Buffer.from(frames, 'latin1') : frames;
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    expect(bytes[at]).toBe(0x81);
    let length = bytes.readUInt8(at + 1);
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
      expect(length).toBeGreaterThan(125);
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
      expect(length).toBeGreaterThan(0xffff);
    }
    texts.push(bytes.subarray(at, at + length).toString('utf8'));
    at += length;
  }
  expect(at).toBe(bytes.length);
  return texts;
}

const outgoing = (text: string) => ({ text, bytes: Buffer.byteLength(text) });

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
  'a text of %i characters arrives, ASCII or not',
  (length) => {
    for (const character of ['x', 'é', '漢']) {
      const text = character.repeat(length);
      expect(read(encodeTextFrames([outgoing(text)]))).toEqual([text]);
    }
  },
);

test('several in one write arrive in order, whatever stands beside what', () => {
  const texts = ['{"a":1}', 'é', '', 'x'.repeat(70_000), '😀 and more', '{}'];
  expect(read(encodeTextFrames(texts.map(outgoing)))).toEqual(texts);
  const ascii = texts.filter((text) => /^[ -~]*$/.test(text));
  const frames = encodeTextFrames(ascii.map(outgoing));
  expect(typeof frames).toBe('string');
  expect(read(frames)).toEqual(ascii);
});
