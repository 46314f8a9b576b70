import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { assert } from '../lib/assert.ts';
import type { Logger } from '../lib/log.ts';
import { createAnswerer, type AnswererDeps } from './answer.ts';
import { perform, refusal, type Caller, type OperationDeps, type Result } from './operation.ts';
import { checkParams, readJson, readSearch, readText, requestError } from './params.ts';
import type { PostDeps } from './post.ts';

export interface YogaDeps extends PostDeps {
  readonly log: Logger;
}

interface ServerContext extends Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/**
 * The long road, for whatever is no POST of JSON for JSON: Yoga reads the request. What it asks for is performed and
 * answered as on the short one.
 */
export function createYogaHandler(
  deps: YogaDeps,
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
    plugins: [operations(deps), answers(deps)],
  });
  return async (request, response, caller) => {
    await yoga(request, response, { req: request, res: response, ...caller });
  };
}

/** Yoga hands over what it has read, and is told what came of it: it parses, validates and executes nothing itself. */
function operations(deps: OperationDeps): Plugin<object, ServerContext> {
  return {
    // Checked here already, so that what is wrong is told in our words.
    onRequestParse({ url, setRequestParser }) {
      setRequestParser(async (request) => {
        const given =
          request.method === 'GET'
            ? readSearch(url.searchParams)
            : readJson(readText(await bytesOf(request)));
        checkParams(given);
        return given as object;
      });
    },
    async onParams({ request, params, context, setResult }) {
      try {
        setResult(await perform(deps, context, params, request.method));
      } catch (error) {
        setResult(refusal(error));
      }
    },
  };
}

async function bytesOf(request: Request): Promise<Buffer> {
  try {
    return Buffer.from(await request.arrayBuffer());
  } catch (error) {
    if (error instanceof GraphQLError) throw error;
    // Its sender is gone: nobody hears of it.
    throw requestError(400, 'The body breaks off.');
  }
}

/** Yoga would choose a form by itself: it is given one of ours, whatever the request accepts. */
function answers(deps: AnswererDeps): Plugin<object, ServerContext> {
  const answer = createAnswerer(deps);
  return {
    onResultProcess: (event) => {
      const { request, result, serverContext } = event;
      assert(!Array.isArray(result), 'batching is off');
      const accepted = request.headers.get('accept') ?? undefined;
      event.setResultProcessor(async (_result, fetchAPI) => {
        const answered = await answer(serverContext.res, serverContext, accepted, result as Result);
        return new fetchAPI.Response(answered?.body ?? null, answered ?? {});
      }, 'application/json');
    },
  };
}
