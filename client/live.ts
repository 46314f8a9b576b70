import { createClient, type Client, type ClientOptions } from 'graphql-ws';

/** How a live connection is kept. */
export interface LiveOptions {
  /**
   * The WebSocket URL to dial; a function is asked before each dial: it may answer what `Query.gate` names. Where it throws it
   * is asked again.
   */
  readonly url: ClientOptions['url'];
  /**
   * The access token to show, asked for before each dial.
   * @param isRefused the server has just said that the last one has run out (4605): renew it, whatever this device's clock says.
   * @returns null where the user has to sign in again: subscriptions then end with `SignedOut`. Where it throws it is asked again.
   */
  readonly accessToken: (isRefused: boolean) => Promise<string | null>;
  /** For a runtime that has none of its own. */
  readonly webSocketImpl?: unknown;
  /** After so many ms without a word from the server it is asked for one. */
  readonly quietMs?: number;
  /** Where none comes within so many ms, the connection is given up and dialled anew. */
  readonly answerMs?: number;
}

/** Why subscriptions end that nobody can go on with. */
export class SignedOut extends Error {
  override name = 'SignedOut';

  constructor() {
    super('There is no session to connect with: sign in again.');
  }
}

const expired = 4605;
/** The session is over: the next dial would only meet 4401. */
const final: readonly unknown[] = [4601, 4602];
/** Between two dials: twice as long each time, and never longer than this. */
const waitMostMs = 15_000;
const waitFirstMs = 500;

/**
 * A graphql-ws client that goes on: it dials again until it succeeds, each time with a token that is good, sees when a connection
 * is dead though nobody closed it, and subscribes anew from the last event that was handled, so nothing is missed and nothing
 * comes twice. For that `inbox` has to be asked with the variable `$after` and for its `cursor`, `conversation` with
 * `$afterSeq` and `$afterChangeSeq`, as the documents of schema/operations/ do. It serves Apollo's GraphQLWsLink and urql's
 * subscriptionExchange as any client of graphql-ws does.
 */
export function liveClient(options: LiveOptions): Client {
  const { url, quietMs = 20_000, answerMs = 10_000 } = options;
  let token: string | null = null;
  let isRefused = false;
  let isDisposed = false;
  let unanswered: ReturnType<typeof setTimeout> | undefined;
  // Whatever fails here is tried again here: a throw within graphql-ws' `url` would end its dialling without a word.
  const addressWithToken = async (): Promise<string> => {
    for (let failures = 0; ; failures += 1) {
      try {
        token = await options.accessToken(isRefused);
        return await (typeof url === 'function' ? url() : url);
      } catch (error) {
        if (isDisposed) throw error;
        await waitFor(failures);
      }
    }
  };
  const socket = createClient({
    ...(options.webSocketImpl === undefined ? {} : { webSocketImpl: options.webSocketImpl }),
    // The token is had before the dial: afterwards the server waits for it for 3 s alone.
    async url() {
      const address = await addressWithToken();
      isRefused = false;
      return address;
    },
    connectionParams() {
      if (token === null) throw new SignedOut();
      return { accessToken: token };
    },
    shouldRetry: (reason) => token !== null && !final.includes(codeOf(reason)),
    retryAttempts: Infinity,
    retryWait: waitFor,
    keepAlive: quietMs,
    on: {
      ping(isTheirs) {
        if (!isTheirs) unanswered = setTimeout(() => socket.terminate(), answerMs);
      },
      pong(isTheirs) {
        if (isTheirs) clearTimeout(unanswered);
      },
      closed(event) {
        clearTimeout(unanswered);
        isRefused = codeOf(event) === expired;
      },
    },
  });
  const subscribe: Client['subscribe'] = (payload, sink) => {
    // graphql-ws reads it anew whenever it subscribes.
    const variables: Record<string, unknown> = { ...payload.variables };
    return socket.subscribe(
      { ...payload, variables },
      {
        next(result) {
          sink.next(result as Parameters<typeof sink.next>[0]);
          advance(variables, result.data);
        },
        error: (reason) => sink.error(token === null ? new SignedOut() : reason),
        complete: () => sink.complete(),
      },
    );
  };
  const dispose = (): void | Promise<void> => {
    isDisposed = true;
    return socket.dispose();
  };
  return { ...socket, subscribe, dispose };
}

/** Not all at once where many lost their connection together. */
async function waitFor(failures: number): Promise<void> {
  const ms = Math.min(waitMostMs, waitFirstMs * 2 ** failures) * (0.5 + Math.random());
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Where to go on after an event: what the positions in it are, as the subscription's variables. */
function advance(variables: Record<string, unknown>, data: unknown): void {
  const inbox = partOf(data, 'inbox');
  if (inbox) set(variables, 'after', inbox['cursor']);
  const event = partOf(data, 'conversation');
  switch (event?.['__typename']) {
    case 'ConversationMessageAdded':
      set(variables, 'afterSeq', partOf(event, 'message')?.['seq']);
      return;
    case 'ConversationMessageChanged':
      set(variables, 'afterChangeSeq', event['changeSeq']);
      return;
    case 'ConversationCaughtUp':
      set(variables, 'afterSeq', event['lastSeq']);
      set(variables, 'afterChangeSeq', event['changeSeq']);
      return;
    default:
  }
}

/** A field that was not asked for says nothing. */
function set(variables: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined) variables[name] = value;
}

function partOf(value: unknown, name: string): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const part: unknown = Reflect.get(value, name);
  return typeof part === 'object' && part !== null ? (part as Record<string, unknown>) : undefined;
}

function codeOf(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null ? Reflect.get(reason, 'code') : undefined;
}
