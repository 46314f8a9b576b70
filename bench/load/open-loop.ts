import { asError, type Done } from './done.ts';
import { watchLoop } from './loop-lag.ts';

/** What is due in between begins together, and late by half of it in the mean. */
const tickMs = 2;

export interface OpenLoopResult {
  readonly offered: number;
  readonly elapsedMs: number;
  /** Those that were not begun, because too many were under way. */
  readonly heldBack: number;
  readonly lagP99Ms: number;
}

/**
 * Units that begin at a fixed rate, whatever becomes of those before: nobody waits politely for a slow server.
 * @param unit begins one; told when it should have begun, from which its latency counts.
 * @param time.underWayMax the generator's own bound.
 * @returns when the time is over and all units have ended.
 * @throws what a unit has failed with; no more are begun then.
 */
export async function openLoop(
  perSecond: number,
  time: { readonly seconds: number; readonly underWayMax: number },
  unit: (intendedAtMs: number, turn: number, done: Done) => void,
): Promise<OpenLoopResult> {
  const lag = watchLoop();
  const began = performance.now();
  const end = time.seconds * 1000;
  const state = { offered: 0, heldBack: 0, underWay: 0, failure: null as Error | null };
  let tellIdle: () => void = () => undefined;
  const done = (failure?: Error): void => {
    state.underWay -= 1;
    if (failure) state.failure ??= failure;
    if (state.underWay === 0) tellIdle();
  };
  const begin = (): void => {
    const turn = state.offered;
    state.offered += 1;
    state.underWay += 1;
    try {
      unit(began + ((turn + state.heldBack) / perSecond) * 1000, turn, done);
    } catch (error) {
      done(asError(error));
    }
  };
  while (performance.now() - began < end && !state.failure) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    while (state.offered + state.heldBack < due) {
      if (state.underWay < time.underWayMax) begin();
      else state.heldBack = due - state.offered;
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  const elapsedMs = performance.now() - began;
  const lagP99Ms = lag.p99Ms();
  lag.stop();
  if (state.underWay > 0) await new Promise<void>((resolve) => (tellIdle = resolve));
  if (state.failure) throw state.failure;
  return { offered: state.offered, elapsedMs, heldBack: state.heldBack, lagP99Ms };
}
