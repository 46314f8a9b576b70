import { monitorEventLoopDelay } from 'node:perf_hooks';
import { demand } from '../runner/void.ts';

/** A generator that is late itself measures itself. */
export const generatorLagMaxMs = 20;
const resolutionMs = 5;

/** Watches the event loop of this process, the generator's. */
export function watchLoop(): { p99Ms(): number; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return {
    // What the timer waits for anyhow is no lag.
    p99Ms: () => Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs),
    stop: () => histogram.disable(),
  };
}

/** @throws {VoidRun} unless the run is no measurement anyhow. */
export function demandSwift(lagMs: number, isLenient: boolean): void {
  demand(
    isLenient || lagMs <= generatorLagMaxMs,
    `the generator's own loop lag was ${lagMs.toFixed(1)} ms at p99`,
  );
}
