import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Logger } from '../lib/log.ts';
import { closings, reasonText } from './close-codes.ts';
import type { Transport } from './connection.ts';
import type { Gate } from './gate.ts';
import { addressOf } from './address.ts';
import { FramePace } from './frames.ts';
import { rawAnswer, transportHeaders } from './headers.ts';
import { isAllowedOrigin } from './origin.ts';
import { createProtocol, type ProtocolDeps } from './protocol.ts';
import { encodeTextFrames } from './text-frame.ts';

export interface SocketsDeps extends ProtocolDeps {
  readonly gate: Gate;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: number;
  readonly operationsPerSecond: number;
  readonly log: Logger;
  readonly limits: ProtocolDeps['limits'] & {
    readonly frameBytesMax: number;
    readonly socketCloseTimeoutMs: number;
    readonly pendingInitsMax: number;
  };
}

/** Turns HTTP upgrades into connections that speak graphql-transport-ws. */
export class Sockets {
  readonly #deps: SocketsDeps;
  readonly #server: WebSocketServer;
  readonly #protocol: ReturnType<typeof createProtocol>;
  readonly #pace: FramePace;
  /** Those that have not said a word yet. */
  readonly #pending = new Set<WebSocket>();

  constructor(deps: SocketsDeps) {
    this.#deps = deps;
    this.#protocol = createProtocol(deps);
    this.#pace = new FramePace(deps);
    // Apart, since the types do not know closeTimeout yet.
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: deps.limits.frameBytesMax,
      maxFragments: 256,
      maxBufferedChunks: 4_096,
      autoPong: false,
      closeTimeout: deps.limits.socketCloseTimeoutMs,
      handleProtocols,
    };
    this.#server = new WebSocketServer(options);
    this.#server.on('wsClientError', (_error: Error, socket: Duplex) => {
      this.#refuse(socket, '400 Bad Request', { 'sec-websocket-version': '13' });
    });
  }

  /** To be called with each `upgrade` of the HTTP server: answers it, one way or the other. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { origin, host } = request.headers;
    const { gate, limits, log } = this.#deps;
    const address = addressOf(request, this.#deps.trustedProxies);
    if (request.url?.split('?')[0] !== '/graphql') {
      this.#refuse(socket, '404 Not Found');
    } else if (gate.isDraining) {
      this.#refuse(socket, '503 Service Unavailable');
    } else if (!isAllowedOrigin(origin, host, this.#deps.allowedOrigins)) {
      log.warn({ origin: origin?.slice(0, 200) }, 'socket.originRefused');
      this.#refuse(socket, '403 Forbidden');
    } else if (this.#pending.size >= limits.pendingInitsMax) {
      this.#refuse(socket, '503 Service Unavailable', { 'retry-after': '1' });
    } else if (!gate.hasRoomFor(address, null)) {
      this.#refuse(socket, '429 Too Many Requests', { 'retry-after': '5' });
    } else {
      this.#server.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, socket, address));
    }
  }

  #refuse(socket: Duplex, status: string, headers: Readonly<Record<string, string>> = {}): void {
    socket.end(rawAnswer(status, { ...transportHeaders(this.#deps.publicUrl), ...headers }));
  }

  #accept(ws: WebSocket, socket: Duplex, address: string): void {
    const { gate, log } = this.#deps;
    const connection = gate.open(transportOf(ws, socket), address);
    this.#pending.add(ws);
    this.#pace.keep(ws, socket);
    ws.on('ping', () => gate.heard(connection));
    ws.on('error', (error) => log.debug({ err: error }, 'socket.failed'));
    ws.on('pong', () => gate.heard(connection));
    let onMessage: ((text: string) => Promise<void>) | undefined;
    const closed = this.#protocol.opened(
      {
        protocol: ws.protocol,
        send: (text) => this.#protocol.send(connection, text),
        close: (code, reason) =>
          connection.close({ code: code ?? closings.internalError.code, reason: reason ?? '' }),
        onMessage: (listener) => (onMessage = listener),
      },
      { connection },
    );
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      gate.heard(connection);
      this.#pending.delete(ws);
      if (!connection.isOpen) return;
      if (isBinary) {
        connection.close(closings.badRequest);
        return;
      }
      const text = data.toString('utf8');
      onMessage?.(text).catch((error: unknown) => {
        if (isOfServer(text)) {
          connection.close(closings.badRequest);
          return;
        }
        log.error({ err: error }, 'socket.messageFailed');
        connection.close(closings.internalError);
      });
    });
    ws.once('close', (code, reason) => {
      this.#pending.delete(ws);
      gate.left(connection);
      closed(code, reason.toString('utf8')).catch((error: unknown) =>
        log.error({ err: error }, 'socket.closeFailed'),
      );
    });
  }
}

/** Whether a message is one that only servers send: graphql-ws takes it as valid, and then fails over it. */
function isOfServer(text: string): boolean {
  const { type } = JSON.parse(text) as { type: unknown };
  return type === 'connection_ack' || type === 'next' || type === 'error';
}

/**
 * Frames are written to the socket itself, several in one write; `ws` writes its own (ping, close) whole and at once,
 * so the two never mingle.
 */
function transportOf(ws: WebSocket, socket: Duplex): Transport {
  return {
    write(texts, taken) {
      if (!socket.writable) {
        taken();
        return;
      }
      const frames = encodeTextFrames(texts);
      if (typeof frames === 'string') socket.write(frames, 'latin1', () => taken());
      else socket.write(frames, () => taken());
    },
    ping: () => ws.ping(),
    close: (closing) => ws.close(closing.code, reasonText(closing)),
    terminate: () => ws.terminate(),
  };
}
