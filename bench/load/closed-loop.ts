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
  let phase: 'warm' | 'measured' | 'over' = 'warm';
  let failure: unknown;
  const work = async (worker: (turn: number) => Promise<unknown>): Promise<void> => {
    for (let turn = 0; phase !== 'over'; turn += 1) {
      const began = performance.now();
      await worker(turn);
      if (phase === 'measured') latencies.push(performance.now() - began);
    }
  };
  const all = Promise.all(workers.map(work)).catch((error: unknown) => {
    failure = error;
    phase = 'over';
  });
  await pause(time.warmSeconds * 1000, all);
  const lag = watchLoop();
  on.start?.();
  if (phase === 'warm') phase = 'measured';
  const began = performance.now();
  await pause(time.seconds * 1000, all);
  const elapsedMs = performance.now() - began;
  phase = 'over';
  const lagP99Ms = lag.p99Ms();
  lag.stop();
  on.end?.();
  const count = latencies.length;
  await all;
  if (failure !== undefined) throw failure;
  return { count, elapsedMs, latencies: latencies.slice(0, count), lagP99Ms };
}

/** Until the time is over, or all work has ended before it. */
async function pause(ms: number, all: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))), all]);
  clearTimeout(timer);
}
