import { readFileSync } from 'node:fs';

/** The time, in ms since 1970. A dependency, so that tests can set it. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Goes on evenly, however the machine's clock is set: for how long something lasts, never for when it was. */
export const steadyClock: Clock = { now: () => performance.now() };

/** How often a clock that tests step looks by how much. */
const stepReadMs = 50;

/**
 * A clock that is off by the ms in a file, as a machine's that was set wrong and may be set again: for tests of processes.
 * Without the file it is right; undefined: the system's.
 */
export function clockOf(file: string | undefined): Clock {
  if (file === undefined) return systemClock;
  let offsetMs = 0;
  let readAtMs = -Infinity;
  return {
    now() {
      const rightMs = Date.now();
      if (rightMs - readAtMs >= stepReadMs) {
        readAtMs = rightMs;
        offsetMs = offsetIn(file);
      }
      return rightMs + offsetMs;
    },
  };
}

function offsetIn(file: string): number {
  try {
    return Math.trunc(Number(readFileSync(file, 'utf8'))) || 0;
  } catch {
    return 0;
  }
}
