import type { IncomingMessage, ServerResponse } from 'node:http';
import { execute, type DocumentNode, type ExecutionResult } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Authority } from '../domain/app/app.ts';
import type { Viewer } from '../domain/session/session.ts';
import { assert, present } from '../lib/assert.ts';
import { createAnswerer } from './gate-answer.ts';
import type { Api, AuthFailure } from './gate-api.ts';
import type { HttpDeps } from './gate-http.ts';
import { subscribeAfresh } from './gate-subscribe.ts';

/** Who sent a request. */
export interface Caller {
  readonly viewer: Viewer | null;
  /** Why the token that came with it makes nobody a viewer. */
  readonly authFailure: AuthFailure | null;
  /** Of the server key that came with it. */
  readonly authority: Authority | null;
  /** Whose address it counts for. */
  readonly address: string;
}

export interface ServerContext extends Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/**
 * GraphQL over HTTP by Yoga: it reads the request and leads it through parsing, validation and execution. What a
 * document may be, the context, the errors and the answer's form are the gate's, so that they are the same as over a
 * socket.
 */
export function createYogaHandler(
  deps: HttpDeps,
): (request: IncomingMessage, response: ServerResponse, caller: Caller) => Promise<void> {
  const yoga = createYoga<{ [K in keyof ServerContext]: ServerContext[K] }>({
    schema: deps.api.schema,
    graphiql: false,
    landingPage: false,
    batching: false,
    cors: false,
    multipart: false,
    maskedErrors: false,
    parserAndValidationCache: false,
    healthCheckEndpoint: '/health',
    maxRequestBodySize: deps.limits.httpBodyBytesMax,
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...args: unknown[]) => deps.log.warn({ args: args.map(String) }, 'yoga.warned'),
      error: (...args: unknown[]) => deps.log.error({ err: args[0] }, 'yoga.failed'),
    },
    plugins: [documents(deps), execution(deps.api), answers(deps)],
  });
  return async (request, response, caller) => {
    await yoga(request, response, { req: request, res: response, ...caller });
  };
}

/** Operations are admitted, and documents read, as on sockets, once for each request. */
function documents({ api, budgets }: HttpDeps): Plugin<object, ServerContext> {
  const admitted = new WeakMap<Request, DocumentNode>();
  return {
    onParams({ request, params: { query, variables }, context, setResult }) {
      // What is no string, or no object, is refused by Yoga itself.
      if (typeof query !== 'string' || !isRecord(variables ?? {})) return;
      const { viewer, address } = context as Caller;
      const asked = { viewer, address, text: query, variables };
      const { document, errors } = budgets.admit(asked, (text) => api.prepare(text));
      if (errors) setResult({ errors });
      else admitted.set(request, document);
    },
    onParse({ context, setParsedDocument }) {
      const document = admitted.get((context as { request: Request }).request);
      setParsedDocument(present(document, 'refused before it is parsed'));
    },
    onValidate: ({ setResult }) => setResult([]),
  };
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A context of ours in place of Yoga's, and plain graphql-js. */
function execution(api: Api): Plugin<ServerContext> {
  const contextOf = (given: unknown) => {
    const { viewer, authFailure, address, authority } = given as ServerContext;
    return () => api.contextFor(viewer, authFailure, address, authority);
  };
  return {
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn((args) => execute({ ...args, contextValue: contextOf(args.contextValue)() })),
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn((args) => subscribeAfresh(args, contextOf(args.contextValue))),
  };
}

/** Yoga would choose a form by itself: it is given one of ours, whatever the request accepts. */
function answers(deps: HttpDeps): Plugin<object, ServerContext> {
  const answer = createAnswerer(deps);
  return {
    onResultProcess: (event) => {
      const { request, result, serverContext } = event;
      assert(!Array.isArray(result), 'batching is off');
      const accepted = request.headers.get('accept') ?? '*/*';
      event.setResultProcessor(
        (_result, fetchAPI) =>
          answer(
            serverContext,
            accepted,
            result as ExecutionResult | AsyncIterable<ExecutionResult>,
            fetchAPI,
          ),
        'application/json',
      );
    },
  };
}
