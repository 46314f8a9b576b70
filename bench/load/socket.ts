import { WebSocket } from 'ws';
import { VoidRun } from '../runner/void.ts';

/** An answer with errors, or a refused subscription; voids the run where nobody expects it. */
export class Refusal extends VoidRun {
  override name = 'Refusal';
  readonly errors: readonly GraphqlError[];

  constructor(errors: readonly GraphqlError[]) {
    super(`refused: ${JSON.stringify(errors).slice(0, 500)}`);
    this.errors = errors;
  }

  get code(): unknown {
    return this.errors[0]?.extensions?.['code'];
  }

  get retryAfterMs(): unknown {
    return this.errors[0]?.extensions?.['retryAfterMs'];
  }
}

interface GraphqlError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly data?: unknown; readonly errors?: readonly GraphqlError[] };
}

interface Waiting {
  readonly resolve: (data: never) => void;
  readonly reject: (error: Error) => void;
}

/** The payload of an operation, of which only the variables differ from call to call. */
export function operation(document: string): (variables: object) => string {
  const head = `{"query":${JSON.stringify(document)},"variables":`;
  return (variables) => `${head}${JSON.stringify(variables)}}`;
}

/** One graphql-transport-ws connection that costs the generator little, and takes nothing for granted. */
export class LoadSocket {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #events = new Map<string, (data: never) => void>();
  #operations = 0;
  #isClosing = false;
  #failure: Error | undefined;

  /** Resolves when the server has acknowledged the connection. */
  static async open(url: string, connectionParams: object): Promise<LoadSocket> {
    const socket = new WebSocket(url, 'graphql-transport-ws', {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      // A mask of zeros is a mask, and costs no pass over the bytes.
      generateMask: (mask) => mask.fill(0),
    });
    const opened = new LoadSocket(socket);
    await new Promise<void>((resolve, reject) => {
      opened.#waiting.set('', { resolve, reject });
      socket.once('open', () => {
        socket.send(JSON.stringify({ type: 'connection_init', payload: connectionParams }));
      });
    });
    return opened;
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(data.toString('utf8')));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', (code) => {
      if (!this.#isClosing) this.#fail(new VoidRun(`the server closed a socket with ${code}`));
    });
  }

  /** @throws {Refusal} */
  request<Data>(payload: string): Promise<Data> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = String((this.#operations += 1));
    return new Promise<Data>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
    });
  }

  /** What refuses or ends it makes `check` throw. */
  subscribe(payload: string, onEvent: (data: never) => void): void {
    const id = String((this.#operations += 1));
    this.#events.set(id, onEvent);
    this.#socket.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const killer = setTimeout(() => this.#socket.terminate(), 2_000);
      this.#socket.once('close', () => {
        clearTimeout(killer);
        resolve();
      });
      this.#socket.close(1000);
    });
  }

  /** @throws what ended the connection, or a subscription on it, against our will. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as Frame;
    const { id = '', type, payload } = frame;
    if (type === 'next') {
      this.#next(id, payload ?? {});
    } else if (type === 'error') {
      const refusal = new Refusal(errorsOf(frame.payload));
      if (this.#events.delete(id)) this.#fail(refusal);
      else this.#settle(id)?.reject(refusal);
    } else if (type === 'ping') {
      this.#socket.send('{"type":"pong"}');
    } else if (type === 'connection_ack') {
      this.#settle('')?.resolve(undefined as never);
    } else if (type === 'complete' && this.#events.delete(id) && !this.#isClosing) {
      this.#fail(new VoidRun('the server ended a subscription'));
    }
  }

  #next(id: string, { data, errors }: NonNullable<Frame['payload']>): void {
    const onEvent = this.#events.get(id);
    if (onEvent) {
      if (errors) this.#fail(new Refusal(errors));
      else onEvent(data as never);
      return;
    }
    const waiting = this.#settle(id);
    if (errors) waiting?.reject(new Refusal(errors));
    else waiting?.resolve(data as never);
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(this.#failure);
  }
}

/** Opens many, a few at a time. */
export async function openSockets(
  url: string,
  params: readonly object[],
  atOnce = 32,
): Promise<LoadSocket[]> {
  const opened: LoadSocket[] = [];
  for (let at = 0; at < params.length; at += atOnce) {
    const some = params.slice(at, at + atOnce).map((each) => LoadSocket.open(url, each));
    opened.push(...(await Promise.all(some)));
  }
  return opened;
}

/** An `error` message carries its errors as they are. */
function errorsOf(payload: unknown): readonly GraphqlError[] {
  return Array.isArray(payload) ? (payload as GraphqlError[]) : [];
}
