import type { Viewer } from '../domain/session/session.ts';
import { Buckets } from '../lib/buckets.ts';
import type { Clock } from '../lib/clock.ts';
import { excessOf } from '../lib/extent.ts';
import { faultError, type MayRead, type Prepared } from './api.ts';

/** What a session may ask for: 0 is as much as it likes. */
export interface BudgetRates {
  readonly operationsPerSecond: number;
  readonly costPerMinute: number;
}

export interface BudgetsDeps {
  readonly clock: Clock;
  readonly rates: BudgetRates;
  readonly limits: {
    readonly operationsSavedMs: number;
    readonly budgetsKept: number;
    readonly variablesDepthMax: number;
    readonly variablesValuesMax: number;
  };
}

/** An operation as it came, whatever the wire. */
export interface Asked {
  /** Null: anonymous, so its address pays. */
  readonly viewer: Viewer | null;
  readonly address: string;
  readonly text: string;
  readonly variables: unknown;
}

type Refusal = readonly ReturnType<typeof faultError>[];

/** What reading a character takes, next to showing a field: some texts take 6 µs for each. */
const unitsPerUnreadChar = 4;
const minuteMs = 60_000;

/**
 * What stands before every operation, over HTTP, event streams and sockets alike: how many a session may ask for, what
 * they may show together, what they may be given. Who is signed in pays by session, all others by address.
 */
export class Budgets {
  readonly #deps: BudgetsDeps;
  readonly #operations: Buckets | null;
  readonly #cost: Buckets | null;

  constructor(deps: BudgetsDeps) {
    this.#deps = deps;
    const { clock, rates, limits } = deps;
    const bucketsOf = (unitsPerMs: number, fullAfterMs: number): Buckets | null =>
      unitsPerMs === 0
        ? null
        : new Buckets({ clock, unitsPerMs, fullAfterMs, keysMax: limits.budgetsKept });
    this.#operations = bucketsOf(rates.operationsPerSecond / 1_000, limits.operationsSavedMs);
    this.#cost = bucketsOf(rates.costPerMinute / minuteMs, minuteMs);
  }

  /**
   * The document of an operation that may begin, or why it may not. Nothing has been executed yet, and of what is refused
   * for its number, its variables or what its reading costs nothing has been read.
   */
  admit(asked: Asked, prepare: (text: string, mayRead: MayRead) => Prepared): Prepared {
    const { viewer, address, text, variables } = asked;
    const payer = viewer ? `session ${viewer.sessionId}` : `address ${address}`;
    const errors = this.#pay(this.#operations, payer, 1) ?? this.#refuseVariables(variables);
    if (errors) return { errors };
    const prepared = prepare(text, () =>
      this.#pay(this.#cost, payer, text.length * unitsPerUnreadChar),
    );
    if (prepared.errors) return prepared;
    const tooDear = this.#pay(this.#cost, payer, prepared.shows ?? 0);
    return tooDear ? { errors: tooDear } : prepared;
  }

  #pay(buckets: Buckets | null, payer: string, units: number): Refusal | null {
    const retryAfterMs = buckets?.take(payer, units) ?? 0;
    if (retryAfterMs === 0) return null;
    return [faultError('RATE_LIMITED', 'Too much at once: try again later', { retryAfterMs })];
  }

  #refuseVariables(variables: unknown): Refusal | null {
    const { variablesDepthMax: depthMax, variablesValuesMax: valuesMax } = this.#deps.limits;
    switch (excessOf(variables, { depthMax, valuesMax })) {
      case null:
        return null;
      case 'depthMax':
        return [faultError('INVALID_ARGUMENT', `Variables nest to ${depthMax} levels at most.`)];
      case 'valuesMax':
        return [faultError('INVALID_ARGUMENT', `Variables hold ${valuesMax} values at most.`)];
    }
  }
}
