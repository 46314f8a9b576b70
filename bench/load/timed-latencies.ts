import { quantile } from '../runner/numbers.ts';

/** Latencies, and when the requests that they are of should have begun. */
export class TimedLatencies {
  /** In ms, in the order of the answers. */
  readonly all: number[] = [];
  readonly #began = performance.now();
  readonly #bySecond: (number[] | undefined)[] = [];

  /** @param intendedMs when it should have begun, `endedMs` when it was answered; both as `performance.now()`. */
  add(intendedMs: number, endedMs: number): void {
    const latency = endedMs - intendedMs;
    this.all.push(latency);
    const second = Math.max(0, Math.floor((intendedMs - this.#began) / 1000));
    (this.#bySecond[second] ??= []).push(latency);
  }

  /** At p99 of those that should have begun in each second; 0 where none did. */
  p99BySecond(): number[] {
    return Array.from(this.#bySecond, (values) => (values ? quantile(values, 0.99) : 0));
  }
}
