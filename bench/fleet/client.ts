import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { asError } from '../load/done.ts';
import { Wire } from '../load/wire.ts';
import { VoidRun } from '../runner/void.ts';
import type { ClientSpec, Outage } from './protocol.ts';
import { View, type ViewedEvent } from './view.ts';

export interface FleetClientDeps {
  readonly spec: ClientSpec;
  readonly gates: readonly string[];
  readonly query: string;
  readonly random: () => number;
  readonly onOutage: (outage: Outage) => void;
  readonly onFailure: (error: Error) => void;
}

/** A connection that a client holds, whatever holds it. */
export interface Line {
  /** Breaks the connection; it comes back. */
  cut(): void;
}

interface Away {
  readonly closedAtMs: number;
  readonly closeCode: number;
  attempts: number;
  replayed: number;
}

/** One who has an inbox open, and opens it again from where they were whenever it is gone. */
export class FleetClient {
  readonly view: View;
  readonly #deps: FleetClientDeps;
  #gate: number;
  /** Since when its stream is not live; null: it is. */
  #away: Away | null = { closedAtMs: Date.now(), closeCode: 0, attempts: 0, replayed: 0 };
  #hasBeenLive = false;
  #onLive: (() => void) | null = null;

  constructor(deps: FleetClientDeps) {
    this.#deps = deps;
    this.view = new View(BigInt(deps.spec.userId));
    this.#gate = deps.spec.gate;
  }

  get isLive(): boolean {
    return this.#away === null;
  }

  get attempts(): number {
    return this.#away?.attempts ?? 0;
  }

  /** Resolves when it is live for the first time. */
  untilLive(): Promise<void> {
    return new Promise((resolve) => (this.#onLive = resolve));
  }

  /** Where to dial now: at first as told, then any other one. */
  dial(): string {
    const { gates, random } = this.#deps;
    if (this.#away) this.#away.attempts += 1;
    if (this.#hasBeenLive || (this.#away?.attempts ?? 0) > 1) {
      this.#gate = (this.#gate + 1 + Math.floor(random() * (gates.length - 1))) % gates.length;
    }
    return gates[this.#gate] ?? '';
  }

  take({ inbox: event }: { inbox: ViewedEvent }): void {
    this.view.take(event);
    if (!this.#away) return;
    if (event.__typename !== 'InboxHeartbeat') {
      this.#away.replayed += 1;
      return;
    }
    const away = this.#away;
    this.#away = null;
    if (this.#hasBeenLive) this.#deps.onOutage({ ...away, liveAtMs: Date.now() });
    this.#hasBeenLive = true;
    this.#onLive?.();
  }

  gone(closeCode: number): void {
    this.#away ??= { closedAtMs: Date.now(), closeCode, attempts: 0, replayed: 0 };
  }
}

/** Tries after the first, while every gate refuses. */
const retryMs = 50;

/** Holds a client's line by plain sockets, and dials again at once. */
export class AtOnceLine implements Line {
  readonly #client: FleetClient;
  readonly #deps: FleetClientDeps;
  #wire: Wire | null = null;

  constructor(client: FleetClient, deps: FleetClientDeps) {
    this.#client = client;
    this.#deps = deps;
    this.#dial();
  }

  cut(): void {
    this.#wire?.cut();
  }

  #dial(): void {
    const { query, spec, onFailure, random, gates } = this.#deps;
    const client = this.#client;
    const init = { type: 'connection_init', payload: { accessToken: spec.accessToken } };
    const wire = new Wire(client.dial(), 'graphql-transport-ws', {
      opened: () => wire.send(JSON.stringify(init)),
      text: (text) => {
        const { type, payload } = JSON.parse(text) as { type: string; payload?: unknown };
        if (type === 'next') {
          const { data, errors } = payload as { data: { inbox: ViewedEvent }; errors?: unknown };
          if (errors) onFailure(new VoidRun(JSON.stringify(errors)));
          else client.take(data);
        } else if (type === 'connection_ack') {
          const variables = { after: client.view.cursor };
          wire.send(
            `{"id":"1","type":"subscribe","payload":${JSON.stringify({ query, variables })}}`,
          );
        } else if (type === 'error' || type === 'complete') {
          onFailure(new VoidRun(`the inbox ended: ${text}`));
        } else if (type === 'ping') {
          wire.send('{"type":"pong"}');
        }
      },
      failed: (error, closeCode = 0) => {
        if (isWrong(error)) onFailure(error);
        client.gone(closeCode);
        const isRefusedByAll = client.attempts >= gates.length;
        const delayMs = isRefusedByAll ? retryMs * (0.5 + random()) : 0;
        setTimeout(() => this.#dial(), delayMs);
      },
    });
    this.#wire = wire;
  }
}

/** Whether it is about what was told, not about the connection. */
function isWrong(error: Error): boolean {
  return error instanceof VoidRun && !error.message.startsWith('the server ');
}

/** Holds a client's line as an application does that uses graphql-ws as its documentation says. */
export class GraphqlWsLine implements Line {
  readonly #client: Client;

  constructor(client: FleetClient, deps: FleetClientDeps) {
    const { query, spec, onFailure } = deps;
    this.#client = createClient({
      url: () => client.dial(),
      webSocketImpl: WebSocket,
      connectionParams: { accessToken: spec.accessToken },
      shouldRetry: () => true,
      retryAttempts: Infinity,
      on: { closed: (event) => client.gone((event as { code?: number }).code ?? 0) },
    });
    const variables = { after: client.view.cursor };
    this.#client.subscribe<{ inbox: ViewedEvent }>(
      { query, variables },
      {
        next({ data, errors }) {
          try {
            if (!data || errors) throw new VoidRun(JSON.stringify(errors));
            client.take(data);
            variables.after = client.view.cursor;
          } catch (error) {
            onFailure(asError(error));
          }
        },
        error: (error) => onFailure(new VoidRun(`the inbox ended: ${JSON.stringify(error)}`)),
        complete: () => undefined,
      },
    );
  }

  cut(): void {
    this.#client.terminate();
  }
}
