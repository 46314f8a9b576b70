import { Fault } from '../../lib/fault.ts';
import { checkText, isWellFormed, utf8Length } from '../../lib/text.ts';
import { limits } from '../../limits.ts';
import type { DraftContent } from '../timeline/timeline.ts';

/**
 * The content as it was given, where a member may write such a thing.
 * @throws {Fault} INVALID_ARGUMENT for an empty text, half a surrogate pair anywhere, a type of no
 *   or too many characters, data that is no JSON or nests too deep; PAYLOAD_TOO_LARGE
 */
export function checkContent(content: DraftContent): DraftContent {
  if (content.kind === 'TEXT') checkTextContent(content.text);
  else {
    checkText('type', content.type, { min: 1, max: limits.customTypeCharsMax });
    checkData(content.data);
  }
  return content;
}

function checkTextContent(text: string): void {
  if (text === '') throw invalid('text must not be empty');
  if (utf8Length(text) > limits.textBytesMax) throw tooLarge('text', limits.textBytesMax);
  if (!isWellFormed(text)) throw invalid('text holds half a surrogate pair');
}

function checkData(data: unknown): void {
  checkValue(data, limits.customDepthMax);
  if (utf8Length(JSON.stringify(data)) > limits.customBytesMax) {
    throw tooLarge('data', limits.customBytesMax);
  }
}

/** @param levels how many arrays and objects may still stand around each other here. */
function checkValue(value: unknown, levels: number): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw invalid('data is no JSON');
      return;
    case 'string':
      if (!isWellFormed(value)) throw invalid('data holds half a surrogate pair');
      return;
    case 'object':
      if (value === null) return;
      if (levels === 0) throw invalid(`data nests deeper than ${limits.customDepthMax} levels`);
      checkMembers(value, levels - 1);
      return;
    default:
      throw invalid('data is no JSON');
  }
}

function checkMembers(value: object, levels: number): void {
  if (Array.isArray(value)) {
    for (const element of value as unknown[]) checkValue(element, levels);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw invalid('data is no JSON');
  for (const [key, member] of Object.entries(value)) {
    if (!isWellFormed(key)) throw invalid('data holds half a surrogate pair');
    checkValue(member, levels);
  }
}

function invalid(message: string): Fault {
  return new Fault('INVALID_ARGUMENT', message);
}

function tooLarge(name: string, bytesMax: number): Fault {
  return new Fault('PAYLOAD_TOO_LARGE', `${name} may take ${bytesMax} bytes at most`);
}
