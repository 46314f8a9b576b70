import type { ServerResponse } from 'node:http';
import type { GraphQLError, ExecutionResult, FormattedExecutionResult } from 'graphql';
import type { FaultCode } from '../lib/fault.ts';
import { faultError, type Api } from './api.ts';
import type { Gate } from './gate.ts';
import type { Caller, Result } from './operation.ts';
import { answerEvents, streamEvents } from './sse.ts';

export interface AnswererDeps {
  readonly api: Pick<Api, 'present'>;
  readonly gate: Gate;
  readonly limits: { readonly socketCloseTimeoutMs: number };
}

/** An answer in JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Gives what was executed its form: JSON, or an event stream, which is written to the response itself.
 * @returns what takes the response, who asked, the Accept header and the result; it answers null where that was a stream,
 *   when it has ended.
 */
export function createAnswerer({ api, gate, limits }: AnswererDeps) {
  const present = (result: ExecutionResult): FormattedExecutionResult => {
    const { errors } = result;
    return errors
      ? { ...result, errors: api.present(errors) }
      : (result as FormattedExecutionResult);
  };
  const streamDeps = { gate, present, socketCloseTimeoutMs: limits.socketCloseTimeoutMs };
  return async (
    response: ServerResponse,
    { viewer, address }: Caller,
    accepted = '*/*',
    result: Result,
  ): Promise<Answer | null> => {
    const isModern = accepted.includes('application/graphql-response+json');
    if (!(Symbol.asyncIterator in result)) {
      const errors = result.errors?.map(ofRequest);
      const answer = present(errors ? { ...result, errors } : result);
      if (accepted.includes('text/event-stream') && !/json|\*\/\*/.test(accepted)) {
        answerEvents(response, answer);
        return null;
      }
      return inJson(statusOf(result, answer, isModern), answer, isModern);
    }
    const refuse = async (
      status: number,
      ...fault: Parameters<typeof faultError>
    ): Promise<Answer> => {
      await result[Symbol.asyncIterator]().return?.();
      return inJson(status, { errors: api.present([faultError(...fault)]) }, isModern);
    };
    if (!gate.hasRoomFor(address, viewer)) {
      return refuse(429, 'RATE_LIMITED', 'Too many connections.', { retryAfterMs: 5_000 });
    }
    if (!/text\/event-stream|\*\/\*|text\/\*/.test(accepted)) {
      return refuse(406, 'INVALID_ARGUMENT', 'Subscriptions need Accept: text/event-stream.');
    }
    await streamEvents(streamDeps, response, { viewer, address }, result);
    return null;
  };
}

function inJson(status: number, answer: FormattedExecutionResult, isModern: boolean): Answer {
  const body = JSON.stringify(answer);
  const type = isModern ? 'application/graphql-response+json' : 'application/json';
  const waitMs = status === 429 || status === 503 ? retryAfterMs(answer) : undefined;
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'content-length': String(Buffer.byteLength(body)),
    ...(waitMs === undefined ? {} : { 'retry-after': String(Math.ceil(waitMs / 1000)) }),
  };
  return { status, headers, body };
}

function retryAfterMs({ errors }: FormattedExecutionResult): number | undefined {
  const said = errors?.[0]?.extensions?.['retryAfterMs'];
  return typeof said === 'number' ? said : undefined;
}

/** What is said of a request itself has a status of its own: Yoga's words, in codes of its own, have one as well. */
function ofRequest(error: GraphQLError): GraphQLError {
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
