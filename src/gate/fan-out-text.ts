import { randomBytes } from 'node:crypto';

/** Stands in an event's text where each subscriber's cursor goes. Random, so that no client can write it. */
export const cursorHole = randomBytes(24).toString('base64url');
const quotedHole = JSON.stringify(cursorHole);

/** The text of an execution result, but for the cursors. */
export class SharedText {
  readonly #parts: readonly string[];
  readonly #bytes: number;

  constructor(text: string) {
    this.#parts = text.split(quotedHole);
    this.#bytes = this.#parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  }

  /** A `next` message for one subscriber, and its length as UTF-8. */
  frame(head: FrameHead, cursor: string): { text: string; bytes: number } {
    const parts = this.#parts;
    const quoted = `"${cursor}"`;
    let text = head.text + (parts[0] ?? '');
    for (let index = 1; index < parts.length; index += 1) text += quoted + (parts[index] ?? '');
    const holes = parts.length - 1;
    return { text: `${text}}`, bytes: head.bytes + this.#bytes + holes * quoted.length + 1 };
  }
}

/** How the `next` messages of an operation begin. */
export interface FrameHead {
  readonly text: string;
  readonly bytes: number;
}

export function frameHead(operationId: string): FrameHead {
  const text = `{"id":${JSON.stringify(operationId)},"type":"next","payload":`;
  return { text, bytes: Buffer.byteLength(text) };
}
