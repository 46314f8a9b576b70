import type { ServerResponse } from 'node:http';
import { GraphQLError, type ExecutionResult, type FormattedExecutionResult } from 'graphql';
import type { Viewer } from '../domain/session/session.ts';
import { faultCodes, type FaultCode } from '../lib/fault.ts';
import { closings, type Closing } from './close-codes.ts';
import type { Transport } from './connection.ts';
import type { Gate } from './gate.ts';

export interface EventStreamDeps {
  readonly gate: Gate;
  present(result: ExecutionResult): FormattedExecutionResult;
  readonly socketCloseTimeoutMs: number;
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

const complete: Closing = { code: 1000, reason: 'Complete' };

/** What a stream's last event says where a socket would show its close code. */
const codeOf: ReadonlyMap<number, FaultCode> = new Map([
  [closings.unauthorized.code, 'UNAUTHENTICATED'],
  [closings.sessionEnded.code, 'UNAUTHENTICATED'],
  [closings.sessionDisplaced.code, 'UNAUTHENTICATED'],
  [closings.tokenExpired.code, 'UNAUTHENTICATED'],
  [closings.tooSlow.code, 'UNAVAILABLE'],
  [closings.draining.code, 'UNAVAILABLE'],
  [closings.tooMany.code, 'RATE_LIMITED'],
]);

/** Answers with one result as an event stream, and ends it. */
export function answerEvents(response: ServerResponse, result: FormattedExecutionResult): void {
  response.writeHead(200, headers);
  response.end(nextEvent(JSON.stringify(result)) + completeEvent);
}

/**
 * Answers with a subscription's events as they come: a connection like any other, with its budget, its session's end
 * and its token's. Where the server ends it, the last `next` carries an error with the close code that a socket would
 * show as `extensions.closeCode`, and the hint that it would give; `complete` always follows.
 * @returns when the wire is gone.
 */
export async function streamEvents(
  deps: EventStreamDeps,
  response: ServerResponse,
  { viewer, address }: { readonly viewer: Viewer | null; readonly address: string },
  results: AsyncIterable<ExecutionResult>,
): Promise<void> {
  const { gate } = deps;
  const gone = new Promise<void>((resolve) => response.once('close', resolve));
  response.writeHead(200, headers);
  // Some clients show no answer before its first byte.
  response.write(':\n\n');
  const connection = gate.open(
    transportOf(response, deps.socketCloseTimeoutMs, () => gate.heard(connection)),
    address,
  );
  void gone.then(() => gate.left(connection));
  const iterator = results[Symbol.asyncIterator]();
  if (viewer === null || gate.signIn(connection, viewer)) {
    connection.onClose(() => void iterator.return?.());
    const send = (result: ExecutionResult): Promise<void> => {
      connection.send(JSON.stringify(deps.present(result)));
      return connection.paced();
    };
    await pump(iterator, send).catch((error: unknown) => {
      const originalError = error instanceof Error ? error : new Error(String(error));
      return send({ errors: [new GraphQLError(originalError.message, { originalError })] });
    });
  } else {
    await iterator.return?.();
  }
  connection.close(complete);
  await gone;
}

async function pump(
  iterator: AsyncIterator<ExecutionResult>,
  send: (result: ExecutionResult) => Promise<void>,
): Promise<void> {
  for (let step = await iterator.next(); !step.done; step = await iterator.next())
    await send(step.value);
}

/** A comment is no question that could be answered: the system's keep-alive finds out who is gone. */
function transportOf(
  response: ServerResponse,
  closeTimeoutMs: number,
  heard: () => void,
): Transport {
  return {
    write(texts, taken) {
      if (!response.writable) {
        taken();
        return;
      }
      response.write(texts.map(({ text }) => nextEvent(text)).join(''), () => taken());
    },
    ping() {
      response.write(':\n\n');
      heard();
    },
    close(closing) {
      response.end((closing.code === complete.code ? '' : lastError(closing)) + completeEvent);
      const timer = setTimeout(() => response.destroy(), closeTimeoutMs);
      response.once('close', () => clearTimeout(timer));
    },
    terminate: () => response.destroy(),
  };
}

const completeEvent = 'event: complete\ndata:\n\n';

function nextEvent(json: string): string {
  return `event: next\ndata: ${json}\n\n`;
}

function lastError({ code: closeCode, reason, hint }: Closing): string {
  const code = codeOf.get(closeCode) ?? 'INTERNAL';
  const { retryable } = faultCodes[code];
  const extensions = { code, retryable, closeCode, ...hint };
  const errors = [{ message: reason, extensions }];
  return nextEvent(JSON.stringify({ errors }));
}
