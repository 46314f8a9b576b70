import { Fault } from './fault.ts';

/** How many Unicode code points a text has: what "characters" means everywhere. A lone surrogate counts as one. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let index = 1; index < text.length; index += 1) {
    if (isLow(text.charCodeAt(index)) && isHigh(text.charCodeAt(index - 1))) count -= 1;
  }
  return count;
}

/** Whether every surrogate has its other half, so that the text survives UTF-8. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** How many bytes the text takes as UTF-8. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The text as UTF-8: what columns of identifying text hold. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Making one costs more than what it decodes here: ids and names. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that `utf8` made bytes of. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Both ends included; in code points. */
export interface TextBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * The text as it was given, where it is well-formed and within bounds. U+0000 is refused, since SQLite's drivers end a text
 * there.
 * @param name what the caller knows it as, for the message.
 * @throws {Fault} INVALID_ARGUMENT
 */
export function checkText(name: string, value: string, { min, max }: TextBounds): string {
  // A text that is far too long is not worth counting.
  const count = value.length > 2 * max ? value.length : codePoints(value);
  if (count < min || count > max) {
    throw new Fault('INVALID_ARGUMENT', `${name} must have ${min} to ${max} characters`);
  }
  if (!isWellFormed(value)) {
    throw new Fault('INVALID_ARGUMENT', `${name} holds half a surrogate pair`);
  }
  if (value.includes('\0')) throw new Fault('INVALID_ARGUMENT', `${name} holds U+0000`);
  return value;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
