import type { Plot } from './plot.ts';

export interface RunOptions {
  /** How often every contender is measured. */
  readonly rounds: number;
  /** How long one measurement takes. */
  readonly seconds: number;
  /** How long a contender works before it is measured. */
  readonly warmSeconds: number;
  /** Counts so small that the run takes seconds: shows that all of it works, and measures nothing. */
  readonly isSmoke: boolean;
  /** A late generator or a busy machine does not void it: it is no measurement, whatever it says. */
  readonly isLenient: boolean;
  /** What all that is drawn by chance follows from. */
  readonly seed: number;
  readonly say: (line: string) => void;
}

/**
 * One figure with an aim. Ratios are written so that more is better: a rival's cost by ours, our rate by the
 * rival's, a bound by what was measured.
 */
export interface Measure {
  readonly name: string;
  /** One of each round. */
  readonly ratios: readonly number[];
  readonly aim: number;
  /** What the worst round must reach; stated beforehand. */
  readonly floor: number;
  /** The ratio in words. */
  readonly what: string;
}

export interface Outcome {
  /** The last one stands for the scenario: its line is the last of the report. */
  readonly measures: readonly Measure[];
  /** Lines for people, with absolute figures. */
  readonly table: readonly string[];
  /** Everything that was measured, as it was measured. */
  readonly samples: unknown;
  readonly plots: readonly Plot[];
}

export interface Scenario {
  readonly name: string;
  /** What it compares, in one line. */
  readonly about: string;
  /** What differs from the runner's rounds and seconds. */
  readonly defaults?: { readonly rounds?: number; readonly seconds?: number };
  run(options: RunOptions): Promise<Outcome>;
}

/** Smallest worst round that is accepted, where a scenario states nothing else. */
export const floorOf = (aim: number): number => aim * 0.7;
