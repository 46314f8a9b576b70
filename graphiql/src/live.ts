import { createClient, type Client } from 'graphql-ws';
import { wsUrl, type GraphqlRequest, type Identity } from './endpoint.ts';
import type { SignIn } from './sign-in.ts';

/** What a subscription tells, in order; after `ended` comes nothing more. */
export interface LiveSink {
  event(result: unknown): void;
  status(text: string): void;
  ended(text: string, errors?: readonly unknown[]): void;
}

/** A connection that subscriptions of one identity share. */
interface Line {
  readonly key: string;
  readonly client: Client;
  isOpen: boolean;
}

const expired = 4605;

/** What the server's close codes mean to a reader. */
const meanings: Readonly<Record<number, string>> = {
  1001: 'the server is going away',
  1006: 'the connection was lost',
  4400: 'the server did not understand the connection',
  4401: 'the access token is not valid, or its session has ended: sign in again',
  4403: 'refused',
  4406: 'the server does not speak graphql-transport-ws',
  4408: 'the connection was not initialised in time',
  4409: 'a subscription of this id is open already',
  4429: 'initialised too often',
  4500: 'the server failed',
  4601: 'the session was ended: sign in again',
  4602: 'replaced by another sign-in of the same user on this kind of device',
  4603: 'this page read too slowly',
  4604: 'the server is being drained',
  4605: 'the access token has expired: sign in again',
};

/** Those after which the same request may succeed; also whatever a network does (1000 to 1999). */
const retryable = new Set([4408, 4603, 4604]);
const retryAttempts = 8;

/**
 * Subscriptions over one WebSocket per identity, which is open while one of them is. A new
 * identity gets a new connection; those of the old one go on as who they were.
 */
export class Live {
  #line: Line | null = null;
  readonly #deps: { signIn: SignIn };

  constructor(deps: { signIn: SignIn }) {
    this.#deps = deps;
  }

  /** Subscribes; the answer ends the subscription, and the socket with the last one. */
  subscribe(request: GraphqlRequest, identity: Identity, sink: LiveSink): () => void {
    const line = this.#lineOf(identity);
    const { client } = line;
    // graphql-ws reads the payload anew at each attempt, so a resumption goes on from the cursor.
    const payload = { ...request, variables: { ...request.variables } };
    const resumable = /\$after\s*:\s*InboxCursor/.test(request.query);
    let over = false;
    const end: LiveSink['ended'] = (text, errors) => {
      if (over) return;
      over = true;
      for (const off of offs) off();
      sink.ended(text, errors);
    };
    const offs = [
      client.on('connected', () => sink.status('live')),
      client.on('closed', (event) => {
        if (!over) sink.status(`reconnecting: ${describe(event)}`);
      }),
    ];
    sink.status(line.isOpen ? 'live' : 'connecting');
    const unsubscribe = client.subscribe(payload, {
      next: (result) => {
        if (over) return;
        if (resumable) payload.variables['after'] = cursorOf(result) ?? payload.variables['after'];
        sink.status('live');
        sink.event(result);
      },
      error: (reason) => {
        if (Array.isArray(reason)) end('refused', reason);
        else end(`closed: ${describe(reason)}`);
      },
      complete: () => end('completed by the server'),
    });
    return () => {
      end('stopped');
      unsubscribe();
    };
  }

  #lineOf(identity: Identity): Line {
    const { accessToken, signIn, others } = identity;
    const who = signIn ? `sign-in ${signIn.number}` : accessToken;
    const key = JSON.stringify([who, others]);
    if (this.#line?.key === key) return this.#line;
    const own = this.#deps.signIn;
    let renew = false;
    const client = createClient({
      url: wsUrl,
      connectionParams: async () => {
        let token = accessToken;
        if (signIn && own.current()?.number === signIn.number) {
          token = (await own.token({ force: renew }))?.accessToken ?? token;
          renew = false;
        }
        return token === null ? others : { ...others, accessToken: token };
      },
      retryAttempts,
      shouldRetry: (reason) => {
        const code = codeOf(reason);
        if (code !== expired) return code === null || code < 4000 || retryable.has(code);
        renew = signIn !== null && own.renewable(signIn.number);
        return renew;
      },
    });
    const line: Line = { key, client, isOpen: false };
    client.on('connected', () => (line.isOpen = true));
    client.on('closed', () => (line.isOpen = false));
    this.#line = line;
    return line;
  }
}

function cursorOf({ data }: { data?: unknown }): unknown {
  if (typeof data !== 'object' || data === null) return undefined;
  const inbox: unknown = Reflect.get(data, 'inbox');
  return typeof inbox === 'object' && inbox !== null ? Reflect.get(inbox, 'cursor') : undefined;
}

function codeOf(reason: unknown): number | null {
  if (typeof reason !== 'object' || reason === null) return null;
  const code: unknown = Reflect.get(reason, 'code');
  return typeof code === 'number' ? code : null;
}

function describe(reason: unknown): string {
  const code = codeOf(reason);
  if (code === null) {
    return reason instanceof Error ? reason.message : 'the server cannot be reached';
  }
  const said: unknown = Reflect.get(Object(reason), 'reason');
  const words = [meanings[code], typeof said === 'string' && said !== '' ? `"${said}"` : undefined];
  return [String(code), ...words.filter((word) => word !== undefined)].join(', ');
}
