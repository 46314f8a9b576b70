import { demand } from '../runner/void.ts';
import { joined } from './tcp.ts';

/** Takes a whole response. */
export type OnResponse = (status: number, body: string) => void;

/** Cuts what comes over a connection that is kept open into responses, with a length or in chunks (RFC 9112). */
export class HttpReader {
  readonly #onResponse: OnResponse;
  #rest: Buffer | null = null;

  constructor(onResponse: OnResponse) {
    this.#onResponse = onResponse;
  }

  /** @throws {VoidRun} for what is no response, or one that does not say where it ends. */
  take(bytes: Buffer): void {
    const all = joined(this.#rest, bytes);
    this.#rest = null;
    const headEnd = all.indexOf('\r\n\r\n');
    const response = headEnd === -1 ? null : responseIn(all, headEnd);
    if (!response) {
      this.#rest = Buffer.from(all);
      return;
    }
    // One request is in flight, so nothing may follow its response.
    demand(response.end === all.length, 'the server sent more than a response');
    this.#onResponse(response.status, response.body);
  }
}

interface Response {
  readonly status: number;
  readonly body: string;
  /** Where what follows begins. */
  readonly end: number;
}

/** @returns null where a part of it has not come yet. */
function responseIn(bytes: Buffer, headEnd: number): Response | null {
  const head = bytes.toString('latin1', 0, headEnd);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  const start = headEnd + 4;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return end > bytes.length ? null : { status, body: bytes.toString('utf8', start, end), end };
  }
  demand(/\r\ntransfer-encoding: *chunked/i.test(head), `no length: ${head.slice(0, 200)}`);
  return chunksIn(bytes, start, status);
}

function chunksIn(bytes: Buffer, start: number, status: number): Response | null {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    demand(size >= 0, 'the server sent a chunk without a size');
    const end = lineEnd + 2 + size + 2;
    if (end > bytes.length) return null;
    if (size === 0) return { status, body: Buffer.concat(parts).toString('utf8'), end };
    parts.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
