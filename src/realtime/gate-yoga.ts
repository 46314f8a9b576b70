import type { IncomingMessage, ServerResponse } from 'node:http';
import { execute, type ExecutionResult } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
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
    plugins: [documents(deps.api), execution(deps.api), answers(deps)],
  });
  return async (request, response, caller) => {
    await yoga(request, response, { req: request, res: response, ...caller });
  };
}

/** Documents are parsed, validated and measured once, by the cache that sockets use as well. */
function documents(api: Api): Plugin {
  return {
    onParams({ params, setResult }) {
      // What is no string is refused by Yoga itself.
      if (typeof params.query !== 'string') return;
      const { errors } = api.prepare(params.query);
      if (errors) setResult({ errors });
    },
    onParse({ params, setParsedDocument }) {
      const { document } = api.prepare(String(params.source));
      setParsedDocument(present(document, 'refused before it is parsed'));
    },
    onValidate: ({ setResult }) => setResult([]),
  };
}

/** A context of ours in place of Yoga's, and plain graphql-js. */
function execution(api: Api): Plugin<ServerContext> {
  const contextOf = (given: unknown) => {
    const { viewer, authFailure } = given as ServerContext;
    return () => api.contextFor(viewer, authFailure);
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
