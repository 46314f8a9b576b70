import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { demand, VoidRun } from '../runner/void.ts';
import { asError } from './done.ts';
import { frameHead, FrameReader, opcodes } from './frames.ts';
import { joined, openTcp } from './tcp.ts';

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const closeWithinMs = 2_000;
const normalClosure = 1000;

export interface WireListener {
  opened(): void;
  /** What it throws ends the wire. */
  text(text: string): void;
  /** Once, unless we closed it ourselves. @param closeCode where the server gave one. */
  failed(error: Error, closeCode?: number): void;
}

/** A WebSocket that does what a load generator needs and nothing else: text frames, pongs, a close. */
export class Wire {
  readonly #socket: Socket;
  readonly #listener: WireListener;
  readonly #frames = new FrameReader((opcode, bytes, start, end) =>
    this.#frame(opcode, bytes, start, end),
  );
  readonly #key = randomBytes(16).toString('base64');
  /** What came of the server's answer to the handshake; null: all of it. */
  #handshake: Buffer | null = Buffer.alloc(0);
  #isClosing = false;

  constructor(url: string, protocol: string, listener: WireListener) {
    const { host, pathname } = new URL(url);
    this.#listener = listener;
    this.#socket = openTcp(new URL(url), (bytes) => this.#take(bytes));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new VoidRun('the server closed a socket')));
    this.#socket.write(
      [
        `GET ${pathname} HTTP/1.1`,
        `Host: ${host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${this.#key}`,
        `Sec-WebSocket-Protocol: ${protocol}`,
        '\r\n',
      ].join('\r\n'),
    );
  }

  /** One text frame, in one write. */
  send(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (bytes === text.length) {
      this.#socket.write(frameHead(opcodes.text, bytes) + text, 'latin1');
    } else {
      this.#socket.cork();
      this.#socket.write(frameHead(opcodes.text, bytes), 'latin1');
      this.#socket.write(text, 'utf8');
      this.#socket.uncork();
    }
  }

  /** As a network that breaks. */
  cut(): void {
    this.#socket.destroy();
  }

  /** Resolves when the connection is gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      const killer = setTimeout(() => this.#socket.destroy(), closeWithinMs);
      this.#socket.once('close', () => {
        clearTimeout(killer);
        resolve();
      });
      this.#sendClose(normalClosure);
    });
  }

  #take(bytes: Buffer): void {
    try {
      if (this.#handshake === null) this.#frames.take(bytes);
      else this.#shakeHands(joined(this.#handshake, bytes));
    } catch (error) {
      this.#fail(asError(error));
      this.#socket.destroy();
    }
  }

  #shakeHands(bytes: Buffer): void {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) {
      this.#handshake = Buffer.from(bytes);
      return;
    }
    const head = bytes.toString('latin1', 0, end);
    const accept = createHash('sha1')
      .update(this.#key + acceptSuffix)
      .digest('base64');
    demand(
      head.startsWith('HTTP/1.1 101 ') && head.includes(accept),
      `the server opened no socket: ${head.slice(0, 200)}`,
    );
    this.#handshake = null;
    this.#listener.opened();
    this.#frames.take(bytes.subarray(end + 4));
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === opcodes.text) {
      this.#listener.text(bytes.toString('utf8', start, end));
    } else if (opcode === opcodes.ping) {
      const echo = bytes.toString('latin1', start, end);
      this.#socket.write(frameHead(opcodes.pong, echo.length) + echo, 'latin1');
    } else if (opcode === opcodes.close) {
      const code = end - start < 2 ? 0 : bytes.readUInt16BE(start);
      this.#fail(new VoidRun(`the server closed a socket with ${code}`), code);
      this.#sendClose(normalClosure);
      this.#socket.end();
    } else {
      demand(opcode === opcodes.pong, `the server sent a frame of kind ${opcode}`);
    }
  }

  #sendClose(code: number): void {
    const payload = String.fromCharCode(code >>> 8, code & 0xff);
    this.#socket.write(frameHead(opcodes.close, payload.length) + payload, 'latin1');
  }

  #fail(error: Error, closeCode?: number): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#listener.failed(error, closeCode);
  }
}
