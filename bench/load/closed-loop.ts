import { asError, type Work } from './done.ts';
import { watchLoop } from './loop-lag.ts';
import { Samples } from './samples.ts';

export interface LoopResult {
  /** Units done within the time. */
  readonly count: number;
  readonly elapsedMs: number;
  /** Of each of them, in ms. */
  readonly latencies: Float64Array;
  readonly lagP99Ms: number;
}

interface Loop {
  phase: 'warm' | 'measured' | 'over';
  readonly latencies: Samples;
  failure: Error | null;
}

/**
 * Works of which each has one unit in flight: the next begins when the last is done. Returns when the last unit has
 * ended; what ended after the time does not count.
 * @param on.start called when the warm-up is over and the measured time begins, `on.end` when it ends.
 * @throws what a unit has failed with; the others end first.
 */
export async function closedLoop(
  works: readonly Work[],
  time: { readonly warmSeconds: number; readonly seconds: number },
  on: { readonly start?: () => void; readonly end?: () => void } = {},
): Promise<LoopResult> {
  const loop: Loop = { phase: 'warm', latencies: new Samples(), failure: null };
  const all = Promise.all(works.map((work) => repeat(work, loop)));
  await pause(time.warmSeconds * 1000, all);
  const lag = watchLoop();
  on.start?.();
  if (loop.failure === null) loop.phase = 'measured';
  const began = performance.now();
  await pause(time.seconds * 1000, all);
  const elapsedMs = performance.now() - began;
  loop.phase = 'over';
  const lagP99Ms = lag.p99Ms();
  lag.stop();
  on.end?.();
  await all;
  if (loop.failure) throw loop.failure;
  return {
    count: loop.latencies.length,
    elapsedMs,
    latencies: loop.latencies.values(),
    lagP99Ms,
  };
}

/** Resolves when the loop is over and the last unit has ended, or one has failed. */
function repeat(work: Work, loop: Loop): Promise<void> {
  return new Promise((resolve) => {
    let turn = 0;
    let began = 0;
    const begin = (): void => {
      began = performance.now();
      try {
        work(turn, done);
      } catch (error) {
        done(asError(error));
      }
    };
    const done = (failure?: Error): void => {
      if (loop.phase === 'measured') loop.latencies.add(performance.now() - began);
      if (failure) {
        loop.failure ??= failure;
        loop.phase = 'over';
      }
      if (loop.phase === 'over') {
        resolve();
        return;
      }
      turn += 1;
      begin();
    };
    begin();
  });
}

/** Until the time is over, or all work has ended before it. */
async function pause(ms: number, all: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))), all]);
  clearTimeout(timer);
}
