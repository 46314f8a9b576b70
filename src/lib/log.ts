import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What no line of a log may show, whatever object it hangs on. */
const secrets = [
  'accessToken',
  'authorization',
  'body',
  'connectionParams',
  'content',
  'cookie',
  'data',
  'parameters',
  'password',
  'passwordHash',
  'query',
  'refreshToken',
  'secret',
  'text',
  'token',
  'variables',
];

/** As deep as a careless caller nests: the redactor has no "anywhere". */
const redacted = secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]);

/** An error may be its own cause. */
const causesShown = 5;

/**
 * A logger of JSON lines: `{ level, time, event, … }`. The event's name is the message, a noun
 * and what befell it: `log.info({ sessionId }, 'session.closed')`; an error goes under `err`, its
 * causes with it. Secrets and bodies are replaced by `[redacted]`, three levels down.
 * @param destination where the lines go instead of to standard output.
 */
export function createLogger(
  options: { level: LogLevel; bindings?: Record<string, unknown> },
  destination?: DestinationStream,
): Logger {
  const settings = {
    level: options.level,
    base: options.bindings ?? null,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error, causesShown) },
    redact: { paths: redacted, censor: '[redacted]' },
  };
  return destination ? pino(settings, destination) : pino(settings);
}

/** Name, message, stack and causes, but none of an error's other fields: drivers hang values there. */
function describeError(error: unknown, causesLeft: number): unknown {
  if (!(error instanceof Error)) return String(error);
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...('code' in error ? { code: String(error.code) } : {}),
    ...(error.cause === undefined || causesLeft === 0
      ? {}
      : { cause: describeError(error.cause, causesLeft - 1) }),
  };
}
