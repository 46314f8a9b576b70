/** The closed table of fault codes: what each means to a client that wonders whether to try again. */
export const faultCodes = {
  UNAUTHENTICATED: { retryable: false },
  FORBIDDEN: { retryable: false },
  NOT_FOUND: { retryable: false },
  INVALID_ARGUMENT: { retryable: false },
  FAILED_PRECONDITION: { retryable: false },
  CONFLICT: { retryable: true },
  IDEMPOTENCY_CONFLICT: { retryable: false },
  RATE_LIMITED: { retryable: true },
  PAYLOAD_TOO_LARGE: { retryable: false },
  UNAVAILABLE: { retryable: true },
  INTERNAL: { retryable: true },
} as const;

export type FaultCode = keyof typeof faultCodes;

/**
 * The request cannot be done, and the caller may know why: `message` is safe to show.
 * Outcomes are data in a payload; bugs are any other error, masked outside.
 *
 * It knows no stack: capturing one costs more than everything else about a refusal, and under overload refusals are most
 * of what a node does. Where it comes from its message says.
 */
export class Fault extends Error {
  override name = 'Fault';
  readonly code: FaultCode;
  /** When trying again makes sense, in ms; absent where nothing is known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: FaultCode,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** What a client sees beside the message, in a GraphQL error's `extensions`. */
  get extensions(): { code: FaultCode; retryable: boolean; retryAfterMs?: number } {
    const { retryable } = faultCodes[this.code];
    return this.retryAfterMs === undefined
      ? { code: this.code, retryable }
      : { code: this.code, retryable, retryAfterMs: this.retryAfterMs };
  }
}

/** Makes an error without a stack: what wraps a Fault needs none either. */
export function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** How an error that is no Fault says what a caller may know of it. */
export const asFault: unique symbol = Symbol('asFault');

/** An error that the callers may know something of, though where it arose nobody could say what. */
export interface Explicable {
  /** Null: it is a bug. */
  readonly [asFault]: Fault | null;
}

/** What a caller may know of an error; null: it is a bug. */
export function faultOf(error: unknown): Fault | null {
  if (error instanceof Fault) return error;
  if (typeof error !== 'object' || error === null || !(asFault in error)) return null;
  return error[asFault] instanceof Fault ? error[asFault] : null;
}
