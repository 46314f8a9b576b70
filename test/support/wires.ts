import { once } from 'node:events';
import type { GraphQLFormattedError } from 'graphql';
import { WebSocket } from 'ws';
import type { Reachable } from './clients.ts';

/** One operation as text, as any client may write it. */
export interface RawOperation {
  readonly query: string;
  readonly variables?: unknown;
  readonly accessToken?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The first answer: errors alone mean that nothing was executed. */
export interface RawAnswer {
  readonly errors?: readonly GraphQLFormattedError[];
  readonly data?: unknown;
}

/** Sends one operation over a wire of its own, and gives the first answer. */
export type Wire = (server: Reachable, operation: RawOperation) => Promise<RawAnswer>;

/** How a node can be asked. */
export const wires: readonly (readonly [name: string, wire: Wire])[] = [
  ['HTTP', async (server, operation) => (await askHttp(server, operation)).answer],
  ['server-sent events', askEvents],
  ['WebSocket', askSocket],
];

/** By POST, with what stands around the answer. */
export async function askHttp(
  server: Reachable,
  { query, variables, accessToken, headers }: RawOperation,
): Promise<{ status: number; headers: Headers; answer: RawAnswer }> {
  const response = await postRaw(server, { query, variables, accessToken, headers });
  return {
    status: response.status,
    headers: response.headers,
    answer: (await response.json()) as RawAnswer,
  };
}

async function askEvents(server: Reachable, operation: RawOperation): Promise<RawAnswer> {
  const headers = { ...operation.headers, accept: 'text/event-stream' };
  const response = await postRaw(server, { ...operation, headers });
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return (await response.json()) as RawAnswer;
  }
  const text = await response.text();
  const data = /^event: next\ndata: (.*)$/m.exec(text)?.[1];
  if (data === undefined) throw new Error(`no event: ${text.slice(0, 200)}`);
  return JSON.parse(data) as RawAnswer;
}

async function askSocket(
  server: Reachable,
  { query, variables, accessToken, headers }: RawOperation,
): Promise<RawAnswer> {
  const socket = await openSocket(server, { accessToken, headers });
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }));
  const [frame] = (await once(socket, 'message')) as [Buffer];
  socket.terminate();
  const { type, payload } = JSON.parse(String(frame)) as { type: string; payload: unknown };
  return type === 'error' ? { errors: payload as GraphQLFormattedError[] } : (payload as RawAnswer);
}

/** A socket that is acknowledged. */
export async function openSocket(
  server: Reachable,
  on: {
    accessToken?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
  } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(
    `${server.url.replace(/^http/, 'ws')}/graphql`,
    ['graphql-transport-ws'],
    on.headers ? { headers: on.headers } : {},
  );
  await once(socket, 'open');
  const payload = on.accessToken === undefined ? {} : { accessToken: on.accessToken };
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  const [code] = (await Promise.race([once(socket, 'message'), once(socket, 'close')])) as [
    unknown,
  ];
  if (typeof code === 'number') throw new Error(`closed with ${code}`);
  return socket;
}

function postRaw(
  server: Reachable,
  {
    query,
    variables,
    accessToken,
    headers,
  }: {
    query: string;
    variables?: unknown;
    accessToken?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
  },
): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
}
