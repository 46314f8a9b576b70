/**
 * Named places in the code where a test may end the process as a crash would, and named bugs that it may plant to see its
 * checker catch them. In production there are none, and asking costs nothing.
 */
export interface Failpoints {
  /** Says that a place was reached; where the test armed it for this time, the process is gone. */
  reach(place: string): void;
  /** Whether the test planted that bug. */
  hasBug(name: string): boolean;
}

export const noFailpoints: Failpoints = { reach: () => undefined, hasBug: () => false };

/** Whether `failpointsOf` can read it. */
export function areFailpoints(text: string): boolean {
  return text.split(',').every((part) => failpoint.test(part));
}

const failpoint = /^(kill|bug):([a-z-]+)(?:@(\d+))?$/;

/**
 * Reads `kill:<place>@<times>` and `bug:<name>`, separated by commas: the process kills itself when the place is reached for
 * that time. Empty text: none.
 * @throws {Error} for anything else.
 */
export function failpointsOf(text: string): Failpoints {
  if (text === '') return noFailpoints;
  const bugs = new Set<string>();
  const kills = new Map<string, number>();
  for (const part of text.split(',')) {
    const [, kind, name, times] = failpoint.exec(part) ?? [];
    if (kind === undefined || name === undefined) throw new Error(`no failpoint: ${part}`);
    if (kind === 'bug') bugs.add(name);
    else kills.set(name, Number(times ?? 1));
  }
  return {
    reach(place) {
      const left = kills.get(place);
      if (left === undefined) return;
      kills.set(place, left - 1);
      if (left <= 1) process.kill(process.pid, 'SIGKILL');
    },
    hasBug: (name) => bugs.has(name),
  };
}
