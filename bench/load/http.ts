import type { Socket } from 'node:net';
import { demand, VoidRun } from '../runner/void.ts';
import { asError } from './done.ts';
import { HttpReader } from './http-reader.ts';
import { Refusal, type GraphqlError } from './refusal.ts';
import { openTcp } from './tcp.ts';

/** One that was idle for longer may be closed by the server just when it is asked. */
const idleMaxMs = 2_000;

interface Call {
  readonly request: string;
  readonly resolve: (data: never) => void;
  readonly reject: (error: Error) => void;
}

/** Connections that are kept open, as browsers and SDKs do, each with one request in flight. */
export class LoadHttp {
  readonly #url: URL;
  readonly #max: number;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #queue: Call[] = [];

  constructor(serverUrl: string, connections: number) {
    this.#url = new URL(`${serverUrl}/graphql`);
    this.#max = connections;
  }

  /**
   * @param payload the body, as `operation` makes it.
   * @throws {Refusal}
   */
  request<Data>(payload: string, accessToken: string): Promise<Data> {
    return new Promise<Data>((resolve, reject) => {
      const request = this.#textOf(payload, accessToken);
      this.#queue.push({ request, resolve, reject });
      this.#next();
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #next(): void {
    const connection = this.#usable() ?? this.#opened();
    const call = connection && this.#queue.shift();
    if (call) connection.ask(call);
    else if (connection) this.#idle.push(connection);
  }

  #usable(): Connection | undefined {
    for (let some = this.#idle.pop(); some; some = this.#idle.pop()) {
      if (performance.now() - some.idleSince < idleMaxMs) return some;
      some.close();
    }
    return undefined;
  }

  #opened(): Connection | undefined {
    if (this.#all.size === this.#max) return undefined;
    const connection: Connection = new Connection(this.#url, {
      idle: () => {
        this.#idle.push(connection);
        if (this.#queue.length > 0) this.#next();
      },
      closed: () => {
        this.#all.delete(connection);
        const place = this.#idle.indexOf(connection);
        if (place !== -1) this.#idle.splice(place, 1);
        if (this.#queue.length > 0) this.#next();
      },
    });
    this.#all.add(connection);
    return connection;
  }

  #textOf(payload: string, accessToken: string): string {
    return (
      `POST ${this.#url.pathname} HTTP/1.1\r\nhost: ${this.#url.host}\r\n` +
      'content-type: application/json\r\naccept: application/json\r\n' +
      `authorization: Bearer ${accessToken}\r\n` +
      `content-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`
    );
  }
}

class Connection {
  idleSince = performance.now();
  readonly #socket: Socket;
  readonly #on: { idle(): void; closed(): void };
  readonly #responses = new HttpReader((status, body) => this.#answered(status, body));
  #call: Call | undefined;

  constructor(url: URL, on: { idle(): void; closed(): void }) {
    this.#on = on;
    this.#socket = openTcp(url, (bytes) => this.#take(bytes));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => {
      this.#fail(new VoidRun('the server closed a connection'));
      on.closed();
    });
  }

  ask(call: Call): void {
    this.#call = call;
    const { request } = call;
    // What is ASCII goes out without a pass over it.
    this.#socket.write(request, Buffer.byteLength(request) === request.length ? 'latin1' : 'utf8');
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    try {
      this.#responses.take(bytes);
    } catch (error) {
      this.#fail(asError(error));
      this.#socket.destroy();
    }
  }

  #answered(status: number, body: string): void {
    const call = this.#call;
    demand(call !== undefined, 'the server answered what nobody asked');
    if (status !== 200) throw new VoidRun(`HTTP ${status}: ${body.slice(0, 200)}`);
    const { data, errors } = JSON.parse(body) as { data: never; errors?: GraphqlError[] };
    this.#call = undefined;
    if (errors) call.reject(new Refusal(errors));
    else call.resolve(data);
    this.idleSince = performance.now();
    this.#on.idle();
  }

  #fail(error: Error): void {
    this.#call?.reject(error);
    this.#call = undefined;
  }
}
