import { loadOf, type KnownGate } from './model.ts';

export interface SheddingPace {
  /** How much of its connections a gate hands on at most in a minute; 0: none. */
  readonly percentPerMinute: number;
  /** How often it is asked. */
  readonly everyMs: number;
}

/** A gate begins where it has so much more than the emptiest one, and ends where it has hardly more. */
const begins = { factor: 1.08, connections: 10 };
const ends = { factor: 1.03, connections: 4 };
/** Of what it has above the mean it hands on so much at a time: slower, the nearer it comes. */
const excessPerTurn = 0.1;

const minuteMs = 60_000;

/**
 * How many connections a gate should hand on to others so that all come to have the same: some at a time, as long as it is above
 * the mean and clearly above the emptiest one. It takes its time, so that what it did shows in the reports before it
 * does more.
 */
export class Shedding {
  readonly #pace: SheddingPace;
  readonly #random: () => number;
  #isShedding = false;

  constructor(pace: SheddingPace, random: () => number) {
    this.#pace = pace;
    this.#random = random;
  }

  /**
   * To be asked once a turn.
   * @param own this gate, as it is now.
   * @param others those that its clients may be sent to.
   */
  next(own: KnownGate, others: readonly KnownGate[]): number {
    const excess = excessOf(own, others);
    const bound = this.#isShedding ? ends : begins;
    const gap = own.connections - Math.min(...others.map(loadOf)) * own.weight;
    this.#isShedding =
      excess > 0 &&
      gap > bound.connections * own.weight &&
      gap > (1 - 1 / bound.factor) * own.connections;
    if (!this.#isShedding) return 0;
    const { percentPerMinute, everyMs } = this.#pace;
    const most = (own.connections * percentPerMinute * everyMs) / (100 * minuteMs);
    const some = Math.min(excess * excessPerTurn, most);
    // What is less than one is one now and then: else a hundred gates would send a hundred to the same one.
    return Math.floor(some) + (this.#random() < some % 1 ? 1 : 0);
  }
}

/** By how much a gate is above what it would have if all were equal. */
function excessOf(own: KnownGate, others: readonly KnownGate[]): number {
  if (others.length === 0) return 0;
  return own.connections - meanLoad([own, ...others]) * own.weight;
}

/** How loaded each would be if all were equal. */
export function meanLoad(gates: readonly KnownGate[]): number {
  const weight = gates.reduce((total, gate) => total + gate.weight, 0);
  return gates.reduce((total, gate) => total + loadOf(gate) * gate.weight, 0) / weight;
}
