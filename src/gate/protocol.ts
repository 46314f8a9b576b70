import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
} from 'graphql';
import { makeServer, type Context, type SubscribePayload } from 'graphql-ws';
import type { Sessions } from '../domain/session/session.ts';
import { present } from '../lib/assert.ts';
import type { Logger } from '../lib/log.ts';
import { closings } from './close-codes.ts';
import type { Connection } from './connection.ts';
import type { Gate } from './gate.ts';
import { faultError, type Api, type FanOutEngine } from './api.ts';
import type { Budgets } from './budgets.ts';
import { execute } from './execution.ts';
import { refusedUnexecuted } from './execution-refusal.ts';
import { noOperation } from './operation.ts';
import { subscribeAfresh } from './subscribe.ts';

export interface ProtocolDeps {
  readonly api: Api;
  readonly gate: Pick<Gate, 'signIn'>;
  readonly budgets: Pick<Budgets, 'admit'>;
  readonly sessions: Pick<Sessions, 'verify' | 'touch'>;
  /** Without one every subscription is executed for its subscriber alone. */
  readonly engine?: FanOutEngine | undefined;
  readonly log: Logger;
  readonly limits: {
    readonly connectionInitTimeoutMs: number;
    readonly subscriptionsPerConnectionMax: number;
    readonly operationIdCharsMax: number;
  };
}

interface Extra {
  readonly connection: Connection;
}
type Socket = Context<Record<string, unknown>, Extra>;
type Stream = AsyncIterableIterator<ExecutionResult>;

/**
 * graphql-transport-ws as graphql-ws implements it, over our connections: init, ping, subscribe and complete are its
 * business; who the viewer is, what a document may be, and how a subscription runs are decided here.
 */
export function createProtocol(deps: ProtocolDeps) {
  const { api } = deps;
  // Begun in onSubscribe, so that what refuses a subscription can be answered with an error message.
  const begun = new WeakMap<ExecutionArgs, Stream>();
  const server = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: deps.limits.connectionInitTimeoutMs,
    onConnect: (socket) => connect(deps, socket),
    onSubscribe: (socket, id, payload) => begin(deps, begun, socket, id, payload),
    execute,
    subscribe: (args) => present(begun.get(args), 'it was begun in onSubscribe'),
    onNext: (_socket, _id, _payload, _args, { data = null, errors }) =>
      errors ? { data, errors: api.present(errors) } : undefined,
    onError: (_socket, _id, _payload, errors) => api.present(errors),
    // The `complete` message follows in this tick, and belongs to the answer.
    onComplete: ({ extra: { connection } }, id) => {
      if (connection.isRequest(id)) setImmediate(() => connection.endRequest(id));
    },
  });
  return { opened: (...args: Parameters<typeof server.opened>) => server.opened(...args), send };
}

/** @returns nothing where all is well: an anonymous connection has shown no token. */
async function connect(deps: ProtocolDeps, socket: Socket): Promise<void> {
  const { connection } = socket.extra;
  connection.onClose(() => release(socket));
  const token = socket.connectionParams?.['accessToken'];
  if (token === undefined || token === null) return;
  const verdict = typeof token === 'string' ? await deps.sessions.verify(token) : refused;
  if (verdict.ok) deps.gate.signIn(connection, verdict.viewer);
  else connection.close(verdict.why === 'EXPIRED' ? closings.tokenExpired : closings.unauthorized);
}

/** Only the client itself can make room; most of what it waits for is answered by then. */
const fullRetryAfterMs = 1_000;

const refused = { ok: false, why: 'FORGED' } as const;

async function begin(
  { api, budgets, engine, limits, sessions }: ProtocolDeps,
  begun: WeakMap<ExecutionArgs, Stream>,
  socket: Socket,
  id: string,
  { query, operationName, variables }: SubscribePayload,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const { connection } = socket.extra;
  // This one is counted already.
  if (Object.keys(socket.subscriptions).length > limits.subscriptionsPerConnectionMax) {
    const message = 'Too many operations are open on this connection.';
    return [faultError('RATE_LIMITED', message, { retryAfterMs: fullRetryAfterMs })];
  }
  if (id.length > limits.operationIdCharsMax) {
    const message = `The id of an operation has at most ${limits.operationIdCharsMax} characters.`;
    return [faultError('INVALID_ARGUMENT', message)];
  }
  const { address, viewer } = connection;
  const asked = { viewer, address, text: query, variables };
  const { document, errors } = budgets.admit(asked, (text, mayRead) => api.prepare(text, mayRead));
  if (errors) return errors;
  const operation = getOperationAST(document, operationName)?.operation;
  if (!operation) return [faultError('INVALID_ARGUMENT', noOperation)];
  if (viewer) sessions.touch(viewer);
  const args = {
    schema: api.schema,
    document,
    operationName: operationName ?? undefined,
    variableValues: variables ?? undefined,
    contextValue: api.contextFor(viewer, null, address),
  };
  if (operation !== OperationTypeNode.SUBSCRIPTION) {
    const refusal = refusedUnexecuted(args);
    if (refusal) return answerAtOnce(socket, id, refusal);
    connection.beginRequest(id);
    return args;
  }
  const adopted = await engine?.adopt({
    connection,
    operationId: id,
    schema: api.schema,
    document,
    operationName: args.operationName,
    variables: args.variableValues,
    viewer,
    contextValue: args.contextValue,
  });
  const stream = adopted ?? (await subscribeAfresh(args, () => api.contextFor(viewer)));
  if (!(Symbol.asyncIterator in stream)) {
    return 'errors' in stream ? (stream.errors ?? []) : (stream as readonly GraphQLError[]);
  }
  begun.set(args, stream);
  return args;
}

const answered = [new GraphQLError('It has been answered.')];

/** @returns errors that nobody is told, since the operation is over. */
function answerAtOnce(
  { extra: { connection }, subscriptions }: Socket,
  id: string,
  payload: FormattedExecutionResult,
): readonly GraphQLError[] {
  connection.send(JSON.stringify({ id, type: 'next', payload }), 'answer');
  connection.send(JSON.stringify({ id, type: 'complete' }), 'answer');
  // At the end of a turn of a server that has too much to do it would come late.
  connection.flush();
  // To graphql-ws the client has given it up.
  Reflect.deleteProperty(subscriptions, id);
  return answered;
}

/**
 * Ends all subscriptions at once, without a `complete` message: to a client that would be their regular end, where
 * the close code that follows tells the reason. Requests under way stay.
 */
function release(socket: Socket): void {
  for (const [id, operation] of Object.entries(socket.subscriptions)) {
    if (socket.extra.connection.isRequest(id)) continue;
    // What has not begun yet ends when it would begin, since it is not here any more.
    Reflect.deleteProperty(socket.subscriptions, id);
    if (operation && 'return' in operation) void operation.return(undefined);
  }
}

/**
 * Answers to requests, and what belongs to no operation, have a budget of their own.
 * @returns when the next event of the same subscription may come: it is pulled at the reader's pace.
 */
function send(connection: Connection, text: string): Promise<void> {
  const kind = isAnswer(connection, text) ? 'answer' : 'event';
  connection.send(text, kind);
  return kind === 'event' ? connection.paced() : Promise.resolve();
}

function isAnswer(connection: Connection, text: string): boolean {
  const id = /^\{"id":("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  if (id === undefined) return true;
  return connection.hasRequests && connection.isRequest(JSON.parse(id) as string);
}
