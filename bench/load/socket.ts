import { VoidRun } from '../runner/void.ts';
import { asError } from './done.ts';
import { Refusal, type GraphqlError } from './refusal.ts';
import { Wire } from './wire.ts';

export { Refusal } from './refusal.ts';

interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly data?: unknown; readonly errors?: readonly GraphqlError[] };
}

/** Who waits for the one answer of an operation: told once, the one or the other. */
export interface Waiting<Data> {
  /** What it throws fails it. */
  answered(data: Data): void;
  failed(error: Error): void;
}

/** The payload of an operation, of which only the variables differ from call to call. */
export function operation(document: string): (variables: object) => string {
  const head = `{"query":${JSON.stringify(document)},"variables":`;
  return (variables) => `${head}${JSON.stringify(variables)}}`;
}

/** One graphql-transport-ws connection that costs the generator little, and takes nothing for granted. */
export class LoadSocket {
  readonly #wire: Wire;
  readonly #waiting = new Map<string, Waiting<never>>();
  readonly #events = new Map<string, (data: never) => void>();
  #operations = 0;
  #isClosing = false;
  #failure: Error | undefined;

  /** Resolves when the server has acknowledged the connection. */
  static async open(url: string, connectionParams: object): Promise<LoadSocket> {
    const opened = new LoadSocket(url, connectionParams);
    await new Promise<void>((resolve, reject) => {
      opened.#waiting.set('', { answered: () => resolve(), failed: reject });
    });
    return opened;
  }

  constructor(url: string, connectionParams: object) {
    const init = JSON.stringify({ type: 'connection_init', payload: connectionParams });
    this.#wire = new Wire(url, 'graphql-transport-ws', {
      opened: () => this.#wire.send(init),
      text: (text) => this.#take(JSON.parse(text) as Frame),
      failed: (error) => this.#fail(error),
    });
  }

  /** Asks for what is answered once. */
  ask<Data>(payload: string, waiting: Waiting<Data>): void {
    if (this.#failure) {
      waiting.failed(this.#failure);
      return;
    }
    const id = String((this.#operations += 1));
    this.#waiting.set(id, waiting);
    this.#wire.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
  }

  /** @throws {Refusal} */
  request<Data>(payload: string): Promise<Data> {
    return new Promise<Data>((resolve, reject) => {
      this.ask<Data>(payload, { answered: resolve, failed: reject });
    });
  }

  /** What refuses or ends it, or `onEvent` throws, makes `check` throw. */
  subscribe(payload: string, onEvent: (data: never) => void): void {
    const id = String((this.#operations += 1));
    this.#events.set(id, onEvent);
    this.#wire.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#wire.close();
  }

  /** @throws what ended the connection, or a subscription on it, against our will. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  #take({ id = '', type, payload }: Frame): void {
    if (type === 'next') {
      this.#next(id, payload ?? {});
    } else if (type === 'complete') {
      this.#complete(id);
    } else if (type === 'error') {
      const refusal = new Refusal(errorsOf(payload));
      if (this.#events.delete(id)) this.#fail(refusal);
      else this.#settle(id)?.failed(refusal);
    } else if (type === 'ping') {
      this.#wire.send('{"type":"pong"}');
    } else if (type === 'connection_ack') {
      this.#settle('')?.answered(undefined as never);
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
    if (!waiting) return;
    try {
      if (errors) waiting.failed(new Refusal(errors));
      else waiting.answered(data as never);
    } catch (error) {
      waiting.failed(asError(error));
    }
  }

  #complete(id: string): void {
    if (this.#events.delete(id)) {
      if (!this.#isClosing) this.#fail(new VoidRun('the server ended a subscription'));
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.failed(new VoidRun('the server ended an operation without an answer'));
  }

  /** Whoever waits for it; that nobody does any more is a wrong of its own. */
  #settle(id: string): Waiting<never> | undefined {
    const waiting = this.#waiting.get(id);
    if (!this.#waiting.delete(id)) this.#fail(new VoidRun('the server answered twice'));
    return waiting;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const each of waiting) each.failed(this.#failure);
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
