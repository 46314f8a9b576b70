import type { GraphQLError, ExecutionResult, FormattedExecutionResult } from 'graphql';
import type { FetchAPI } from 'graphql-yoga';
import type { FaultCode } from '../lib/fault.ts';
import { faultError } from './gate-api.ts';
import type { HttpDeps } from './gate-http.ts';
import { answerEvents, streamEvents } from './gate-sse.ts';
import type { ServerContext } from './gate-yoga.ts';

type Result = ExecutionResult | AsyncIterable<ExecutionResult>;

/**
 * Gives what was executed its form: JSON, or an event stream, which is written to the socket's own response.
 * @returns what takes the server context, the Accept header and the result; where the answer was a stream, its promise
 *   is resolved when that has ended.
 */
export function createAnswerer({ api, gate, limits }: HttpDeps) {
  const present = ({ errors, ...rest }: ExecutionResult): FormattedExecutionResult =>
    errors ? { errors: api.present(errors), ...rest } : rest;
  const streamDeps = { gate, present, socketCloseTimeoutMs: limits.socketCloseTimeoutMs };
  return async (
    { res, viewer, address }: ServerContext,
    accepted: string,
    result: Result,
    { Response }: Pick<FetchAPI, 'Response'>,
  ): Promise<Response> => {
    const json = (status: number, answer: FormattedExecutionResult): Response => {
      const type = isModern ? 'application/graphql-response+json' : 'application/json';
      const waitMs = status === 429 || status === 503 ? retryAfterMs(answer) : undefined;
      const headers = {
        'content-type': `${type}; charset=utf-8`,
        ...(waitMs === undefined ? {} : { 'retry-after': String(Math.ceil(waitMs / 1000)) }),
      };
      return new Response(JSON.stringify(answer), { status, headers });
    };
    const isModern = accepted.includes('application/graphql-response+json');
    const refuse = async (
      status: number,
      stream: AsyncIterable<unknown>,
      ...fault: Parameters<typeof faultError>
    ): Promise<Response> => {
      await stream[Symbol.asyncIterator]().return?.();
      return json(status, { errors: api.present([faultError(...fault)]) });
    };
    if (Symbol.asyncIterator in result) {
      if (!gate.hasRoomFor(address, viewer)) {
        return refuse(429, result, 'RATE_LIMITED', 'Too many connections.', {
          retryAfterMs: 5_000,
        });
      }
      if (/text\/event-stream|\*\/\*|text\/\*/.test(accepted)) {
        await streamEvents(streamDeps, res, { viewer, address }, result);
        return new Response(null);
      }
      const message = 'Subscriptions need Accept: text/event-stream.';
      return refuse(406, result, 'INVALID_ARGUMENT', message);
    }
    const errors = result.errors?.map(ofYoga);
    const answer = present(errors ? { ...result, errors } : result);
    if (accepted.includes('text/event-stream') && !/json|\*\/\*/.test(accepted)) {
      answerEvents(res, answer);
      return new Response(null);
    }
    return json(statusOf(result, answer, isModern), answer);
  };
}

function retryAfterMs({ errors }: FormattedExecutionResult): number | undefined {
  const said = errors?.[0]?.extensions?.['retryAfterMs'];
  return typeof said === 'number' ? said : undefined;
}

/** What Yoga says of a request in its own codes. */
function ofYoga(error: GraphQLError): GraphQLError {
  const status = httpStatusOf(error);
  if (status === undefined || error.originalError) return error;
  return faultError(status === 413 ? 'PAYLOAD_TOO_LARGE' : 'INVALID_ARGUMENT', error.message);
}

function httpStatusOf(error: GraphQLError): number | undefined {
  return (error.extensions['http'] as { status?: number } | undefined)?.status;
}

const statusOfCode: Partial<Record<FaultCode, number>> = {
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

/** 200 wherever there is data, and to older clients wherever the request was well-formed. */
function statusOf(
  { errors, data }: ExecutionResult,
  answer: FormattedExecutionResult,
  isModern: boolean,
): number {
  const [first] = errors ?? [];
  if (!first || data !== undefined) return 200;
  const ofRequest = httpStatusOf(first);
  if (ofRequest !== undefined) return ofRequest;
  const code = answer.errors?.[0]?.extensions?.['code'] as FaultCode | undefined;
  return (code && statusOfCode[code]) ?? (isModern ? 400 : 200);
}
