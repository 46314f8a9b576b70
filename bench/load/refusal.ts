import { VoidRun } from '../runner/void.ts';

export interface GraphqlError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An answer with errors, or a refused subscription; voids the run where nobody expects it. */
export class Refusal extends VoidRun {
  override name = 'Refusal';
  readonly errors: readonly GraphqlError[];

  constructor(errors: readonly GraphqlError[]) {
    // Thousands are expected in a second, and none of them is thrown from where it was made.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`refused: ${JSON.stringify(errors).slice(0, 500)}`);
    Error.stackTraceLimit = stackTraceLimit;
    this.errors = errors;
  }

  get code(): unknown {
    return this.errors[0]?.extensions?.['code'];
  }

  get retryAfterMs(): unknown {
    return this.errors[0]?.extensions?.['retryAfterMs'];
  }
}
