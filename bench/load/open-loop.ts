import { asError } from './closed-loop.ts';
import { watchLoop } from './loop-lag.ts';

const tickMs = 5;

export interface OpenLoopResult {
  readonly offered: number;
  readonly elapsedMs: number;
  /** Those that were not begun, because too many were under way. */
  readonly heldBack: number;
  readonly lagP99Ms: number;
}

/**
 * Units that begin at a fixed rate, whatever becomes of those before: nobody waits politely for a slow server.
 * @param unit begins one; told when it should have begun, from which its latency counts. It must not throw.
 * @param time.underWayMax the generator's own bound.
 * @returns when the time is over and all units have ended.
 */
export async function openLoop(
  perSecond: number,
  time: { readonly seconds: number; readonly underWayMax: number },
  unit: (intendedAtMs: number, turn: number) => Promise<void>,
): Promise<OpenLoopResult> {
  const lag = watchLoop();
  const began = performance.now();
  const end = time.seconds * 1000;
  let offered = 0;
  let heldBack = 0;
  const failures: Error[] = [];
  const underWay = new Set<Promise<void>>();
  while (performance.now() - began < end && failures.length === 0) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    for (; offered + heldBack < due;) {
      if (underWay.size >= time.underWayMax) {
        heldBack += due - offered - heldBack;
        break;
      }
      const intended = began + ((offered + heldBack) / perSecond) * 1000;
      const one: Promise<void> = unit(intended, offered)
        .catch((error: unknown) => {
          failures.push(asError(error));
        })
        .finally(() => underWay.delete(one));
      underWay.add(one);
      offered += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  const elapsedMs = performance.now() - began;
  const lagP99Ms = lag.p99Ms();
  lag.stop();
  await Promise.all(underWay);
  const [failure] = failures;
  if (failure) throw failure;
  return { offered, elapsedMs, heldBack, lagP99Ms };
}
