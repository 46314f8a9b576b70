/**
 * Named places in the code where a test may end the process as a crash would, or stop it for a while, and named bugs that it
 * may plant to see its checker catch them. In production there are none, and asking costs nothing.
 */
export interface Failpoints {
  /** Says that a place was reached; where the test armed it for this time, the process is gone, or stands still. */
  reach(place: string): void;
  /** Whether the test planted that bug. */
  hasBug(name: string): boolean;
}

export const noFailpoints: Failpoints = { reach: () => undefined, hasBug: () => false };

/** Whether `failpointsOf` can read it. */
export function areFailpoints(text: string): boolean {
  return text.split(',').every((part) => failpoint.test(part));
}

const failpoint = /^(kill|stop|bug):([a-z-]+)(?:@(\d+))?$/;

const signals: Readonly<Record<string, NodeJS.Signals>> = { kill: 'SIGKILL', stop: 'SIGSTOP' };

/**
 * Reads `kill:<place>@<times>`, `stop:<place>@<times>` and `bug:<name>`, separated by commas: the process kills itself when the
 * place is reached for that time, or stops itself until it is told to go on. Empty text: none.
 * @throws {Error} for anything else.
 */
export function failpointsOf(text: string): Failpoints {
  if (text === '') return noFailpoints;
  const bugs = new Set<string>();
  const armed = new Map<string, { left: number; readonly signal: NodeJS.Signals }>();
  for (const part of text.split(',')) {
    const [, kind, name, times] = failpoint.exec(part) ?? [];
    if (kind === undefined || name === undefined) throw new Error(`no failpoint: ${part}`);
    if (kind === 'bug') bugs.add(name);
    else armed.set(name, { left: Number(times ?? 1), signal: signals[kind] ?? 'SIGKILL' });
  }
  return {
    reach(place) {
      const at = armed.get(place);
      if (!at) return;
      at.left -= 1;
      if (at.left > 0) return;
      armed.delete(place);
      process.kill(process.pid, at.signal);
    },
    hasBug: (name) => bugs.has(name),
  };
}
