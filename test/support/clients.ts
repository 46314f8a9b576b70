import {
  print,
  type DocumentNode,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
} from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import {
  LoginDocument,
  OpenDirectDocument,
  RefreshSessionDocument,
  RegisterDocument,
  type AuthPartsFragment,
  type DeviceInput,
} from '../../client/generated/documents.ts';
import { Recording } from './recording.ts';

/** Where a server is. */
export interface Reachable {
  readonly url: string;
}

/** The server answered with errors. */
export class TestFault extends Error {
  override name = 'TestFault';
  readonly errors: readonly GraphQLFormattedError[];
  readonly code: unknown;

  constructor(errors: readonly GraphQLFormattedError[]) {
    super(errors.map(({ message }) => message).join('; '));
    this.errors = errors;
    this.code = errors[0]?.extensions?.['code'];
  }
}

const password = 'correct horse';

const texts = new WeakMap<object, string>();

function textOf(document: DocumentNode): string {
  const text = texts.get(document) ?? print(document);
  texts.set(document, text);
  return text;
}

/** POST as a client does it. */
export async function post<Data, Variables>(
  server: Reachable,
  document: TypedDocumentNode<Data, Variables> | string,
  variables: Variables,
  accessToken?: string,
): Promise<FormattedExecutionResult<Data> & { status: number }> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({
      query: typeof document === 'string' ? document : textOf(document),
      variables,
    }),
  });
  const answer = (await response.json()) as FormattedExecutionResult<Data>;
  return { ...answer, status: response.status };
}

/** @throws {TestFault} where the answer has errors. */
export async function ask<Data, Variables>(
  server: Reachable,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  accessToken?: string,
): Promise<Data> {
  const { data, errors } = await post(server, document, variables, accessToken);
  if (errors) throw new TestFault(errors);
  return data as Data;
}

/** A user of a server, signed in on one device. */
export class TestUser {
  readonly server: Reachable;
  auth: AuthPartsFragment;
  readonly #sockets: TestSocket[] = [];

  constructor(server: Reachable, auth: AuthPartsFragment) {
    this.server = server;
    this.auth = auth;
  }

  get id(): string {
    return this.auth.viewer.user.id;
  }

  get username(): string {
    return this.auth.viewer.user.username;
  }

  /** Over HTTP. @throws {TestFault} where the answer has errors. */
  query<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    return ask(this.server, document, variables, this.auth.accessToken);
  }

  /** Takes new tokens, as a client does before the access token runs out. */
  async refresh(): Promise<void> {
    const { refreshToken } = this.auth;
    this.auth = (await ask(this.server, RefreshSessionDocument, { refreshToken })).refreshSession;
  }

  /** A new connection with the present access token; it is acknowledged. */
  async socket(): Promise<TestSocket> {
    const socket = new TestSocket(this.server, { accessToken: this.auth.accessToken });
    this.#sockets.push(socket);
    await socket.acknowledged;
    return socket;
  }

  /** The id of the direct conversation with another. */
  async directWith(other: TestUser): Promise<string> {
    const { openDirect } = await this.query(OpenDirectDocument, { userId: other.id });
    return openDirect.conversation.id;
  }

  /** Closes its sockets. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) await socket.close();
  }
}

const device = (given: Partial<DeviceInput>): DeviceInput => ({
  id: given.id ?? 'device-1',
  platform: given.platform ?? 'OTHER',
  name: given.name ?? null,
});

/** Registers a new user and signs them in. */
export async function signUp(
  server: Reachable,
  username: string,
  on: Partial<DeviceInput> = {},
): Promise<TestUser> {
  const input = { appId: 'default', username, password, device: device(on) };
  const { register } = await ask(server, RegisterDocument, { input });
  return new TestUser(server, register);
}

/** Signs a user in once more, on a device of its own. */
export async function signIn(
  server: Reachable,
  username: string,
  on: Partial<DeviceInput>,
): Promise<TestUser> {
  const input = { appId: 'default', username, password, device: device(on) };
  const { login } = await ask(server, LoginDocument, { input });
  return new TestUser(server, login);
}

/** One socket of the graphql-ws client; it does not come back by itself. */
export class TestSocket {
  /** Rejects where the server closes instead. */
  readonly acknowledged: Promise<void>;
  /** How it was closed. */
  readonly closed: Promise<{ code: number; reason: string; atMs: number }>;
  readonly #client: Client;
  #ws: WebSocket | undefined;
  #attempts = 0;

  constructor(
    server: Reachable,
    params: Record<string, unknown> | undefined,
    options: { origin?: string; retryAttempts?: number } = {},
  ) {
    const keep = (ws: WebSocket): void => {
      this.#ws = ws;
      this.#attempts += 1;
    };
    class OwnWebSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, options.origin === undefined ? {} : { origin: options.origin });
        keep(this);
      }
    }
    this.#client = createClient({
      url: `${server.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: OwnWebSocket,
      lazy: false,
      retryAttempts: options.retryAttempts ?? 0,
      ...(params ? { connectionParams: params } : {}),
      onNonLazyError: () => undefined,
    });
    this.closed = new Promise((resolve) => {
      this.#client.on('closed', (event) => {
        const { code, reason } = event as { code: number; reason: string };
        resolve({ code, reason, atMs: Date.now() });
      });
    });
    this.acknowledged = new Promise((resolve, reject) => {
      this.#client.on('connected', () => resolve());
      void this.closed.then(({ code }) => reject(new Error(`closed with ${code}`)));
    });
    this.acknowledged.catch(() => undefined);
  }

  /** Whether it takes requests: the server has not said yet that it closes. */
  get isOpen(): boolean {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** How often it has dialled. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Starts a subscription and records what comes. */
  subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Recording<Data> {
    return new Recording<Data>((recorder) =>
      this.#client.subscribe<Data>(
        { query: print(document), variables },
        {
          next: ({ data, errors }) => {
            if (errors) recorder.error(errors);
            if (data) recorder.event(data);
          },
          error: (error) => {
            if (!Array.isArray(error)) return recorder.end('closed');
            recorder.error(error as GraphQLFormattedError[]);
            recorder.end('error');
          },
          complete: () => recorder.end('complete'),
        },
      ),
    );
  }

  /** A query or mutation over the socket. @throws {TestFault} */
  async query<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    const recording = this.subscribe(document, variables);
    await recording.waitForEnd();
    if (recording.errors.length > 0) throw new TestFault(recording.errors);
    const [data] = recording.events;
    if (data === undefined) throw new Error(`no answer: ${String(recording.end)}`);
    return data;
  }

  /** Reads nothing more from the wire, as a client does that hangs. */
  stall(): void {
    this.#ws?.pause();
  }

  /** Reads on. */
  unstall(): void {
    this.#ws?.resume();
  }

  async close(): Promise<void> {
    this.unstall();
    await this.#client.dispose();
  }
}
