import type { SqlValue, TextStatement } from './sql.ts';

/** A text that is longer is left to the driver: in hexadecimal it would take twice as much of a packet, which has a limit. */
const hexCharsMax = 32_768;

/**
 * The statement with its values in the text. A mark costs three times as much on its way through the driver, and the server
 * more for what the driver has escaped. What is left to the driver is left as marks.
 */
export function spellValues({ text, params = [] }: TextStatement): TextStatement {
  if (params.length === 0) return { text };
  const parts = text.split('?');
  // The driver says so.
  if (parts.length !== params.length + 1) return { text, params };
  const left: SqlValue[] = [];
  let spelled = parts[0] ?? '';
  for (const [index, value] of params.entries()) {
    spelled += literal(value, left) + (parts[index + 1] ?? '');
  }
  return { text: spelled, params: left };
}

/**
 * A value as SQL: bytes and texts in hexadecimal, so that nothing in them can be taken for anything else.
 * @param left gets what becomes a mark.
 */
export function literal(value: SqlValue, left: SqlValue[]): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'string' && value.length <= hexCharsMax) {
    return `_utf8mb4 x'${Buffer.from(value).toString('hex')}'`;
  }
  if (value instanceof Uint8Array) return `x'${hexOf(value)}'`;
  left.push(value);
  return '?';
}

function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}
