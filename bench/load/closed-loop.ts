import { watchLoop } from './loop-lag.ts';

export interface LoopResult {
  /** Units done within the time. */
  readonly count: number;
  readonly elapsedMs: number;
  /** Of each of them, in ms. */
  readonly latencies: number[];
  readonly lagP99Ms: number;
}

/**
 * Works of which each has one unit in flight: the next begins when the last is done. Returns when the last unit has
 * ended; what ended after the time does not count.
 * @param onStart called when the warm-up is over and the measured time begins, `onEnd` when it ends.
 */
export async function closedLoop(
  workers: readonly ((turn: number) => Promise<unknown>)[],
  time: { readonly warmSeconds: number; readonly seconds: number },
  on: { readonly start?: () => void; readonly end?: () => void } = {},
): Promise<LoopResult> {
  const latencies: number[] = [];
  const state: { phase: 'warm' | 'measured' | 'over'; failure: Error | null } = {
    phase: 'warm',
    failure: null,
  };
  const work = async (worker: (turn: number) => Promise<unknown>): Promise<void> => {
    for (let turn = 0; state.phase !== 'over'; turn += 1) {
      const began = performance.now();
      await worker(turn);
      if (state.phase === 'measured') latencies.push(performance.now() - began);
    }
  };
  const all = Promise.all(workers.map(work)).catch((error: unknown) => {
    state.failure = asError(error);
    state.phase = 'over';
  });
  await pause(time.warmSeconds * 1000, all);
  const lag = watchLoop();
  on.start?.();
  if (state.phase === 'warm') state.phase = 'measured';
  const began = performance.now();
  await pause(time.seconds * 1000, all);
  const elapsedMs = performance.now() - began;
  state.phase = 'over';
  const lagP99Ms = lag.p99Ms();
  lag.stop();
  on.end?.();
  const count = latencies.length;
  await all;
  if (state.failure) throw state.failure;
  return { count, elapsedMs, latencies: latencies.slice(0, count), lagP99Ms };
}

/** Until the time is over, or all work has ended before it. */
async function pause(ms: number, all: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))), all]);
  clearTimeout(timer);
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
