import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { assert } from '../lib/assert.ts';
import { steadyClock } from '../lib/clock.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import { Tally } from '../lib/tally.ts';
import { StartupRefusal } from '../storage/startup-refusal.ts';
import type { Gate } from './gate.ts';
import { rawAnswer, transportHeaders } from './headers.ts';
import { createHttpHandler, type HttpDeps } from './http.ts';
import { Sockets, type SocketsDeps } from './socket.ts';
import { serveAsItIs, wantsWebSocket } from './upgrades.ts';

export interface ListenerDeps extends Omit<HttpDeps, 'limits'>, Omit<SocketsDeps, 'limits'> {
  readonly gate: Gate;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly log: Logger;
  /** 0: as many as there may be. */
  readonly connectionsPerAddress: number;
  readonly limits: HttpDeps['limits'] &
    SocketsDeps['limits'] & {
      readonly httpHeadersTimeoutMs: number;
      readonly httpRequestTimeoutMs: number;
      readonly httpIdleTimeoutMs: number;
    };
}

/** Longer than the idle time of common proxies, so that it is they who close. */
const keepAliveTimeoutMs = 75_000;
/** Beside its sockets and streams an address may hold as many wires for requests. */
const wiresPerConnection = 2;
/** Connections that may wait to be accepted, as far as the system lets them: more than come at once when a gate dies. */
const backlog = 4_096;
/** Slow requests are looked for this often in the time that their head may take. */
const checksPerTimeout = 5;

/**
 * The port: HTTP and WebSocket on one. While it drains it still listens, so that `/ready` can say so; new sockets are
 * refused with 503.
 */
export class Listener implements Lifecycle {
  readonly #deps: ListenerDeps;
  #server: Server | undefined;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
  }

  /** The port that it listens on. */
  get port(): number {
    const address = this.#server?.address();
    assert(address && typeof address === 'object', 'it listens on a port');
    return address.port;
  }

  /** @throws {StartupRefusal} where the port cannot be had. */
  async start(): Promise<void> {
    const { gate, host, limits, port } = this.#deps;
    await gate.start();
    const handler = createHttpHandler(this.#deps);
    const server = createServer(
      {
        requestTimeout: limits.httpRequestTimeoutMs,
        headersTimeout: limits.httpHeadersTimeoutMs,
        connectionsCheckingInterval: limits.httpHeadersTimeoutMs / checksPerTimeout,
        keepAliveTimeout: keepAliveTimeoutMs,
        requireHostHeader: false,
      },
      handler,
    );
    // Whatever else a request may expect, it gets an answer of ours.
    server.on('checkExpectation', handler);
    server.timeout = limits.httpIdleTimeoutMs;
    this.#boundWires(server);
    const sockets = new Sockets(this.#deps);
    server.on('upgrade', (request, socket, head) => {
      if (wantsWebSocket(request)) sockets.upgrade(request, socket, head);
      else serveAsItIs(server, request, socket, head);
    });
    await new Promise<AddressInfo | string | null>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? 'it is in use; set PORT' : error.message;
        reject(new StartupRefusal(`Cannot listen on ${host}:${port}: ${why}`));
      });
      server.listen({ port, host, backlog }, () => resolve(server.address()));
    }).catch(async (error: unknown) => {
      await gate.stop(0);
      throw error;
    });
    server.removeAllListeners('error');
    server.on('error', (error) => this.#deps.log.error({ err: error }, 'http.listenFailed'));
    this.#server = server;
  }

  /** What is no request is told so, and nobody holds more wires than they can use. */
  #boundWires(server: Server): void {
    const { connectionsPerAddress, publicUrl, trustedProxies } = this.#deps;
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
      else socket.end(rawAnswer(statusOf(error.code), transportHeaders(publicUrl)));
    });
    // Behind a proxy all wires are the proxy's: what it lets through is its business.
    if (trustedProxies > 0) return;
    const wires = new Tally(connectionsPerAddress * wiresPerConnection);
    const known = new WeakSet<Socket>();
    server.on('connection', (socket: Socket) => {
      // One that is served as it is comes twice.
      if (known.has(socket)) return;
      known.add(socket);
      const leave = wires.enter(socket.remoteAddress ?? '');
      if (leave) socket.once('close', leave);
      else socket.destroy();
    });
  }

  /** Drains the gate, then lets the requests under way finish, then closes the port. */
  async stop(graceMs: number): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const endMs = steadyClock.now() + graceMs;
    await this.#deps.gate.stop(graceMs);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const timer = setTimeout(
      () => server.closeAllConnections(),
      Math.max(0, endMs - steadyClock.now()),
    );
    await closed;
    clearTimeout(timer);
  }
}

function statusOf(code: string | undefined): string {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    default:
      return '400 Bad Request';
  }
}
