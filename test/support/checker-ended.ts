import type { Report } from './checker.ts';
import type { History, Trouble } from './history.ts';

/** The end of a session reaches every node within 2 s where all is well; the rest is for a busy machine. */
const reachesWithinMs = 2_000 + 2_000;

/** Sessions that were ended, and what they heard afterwards. */
export function checkEnded({ ended = [], troubles = [] }: History, found: Report): void {
  for (const { session, overAtMs, lastHeardAtMs } of ended) {
    const deadlineMs = calmAfter(overAtMs, troubles);
    if (lastHeardAtMs <= deadlineMs) continue;
    const late = `${lastHeardAtMs - overAtMs} ms after its end, ${lastHeardAtMs - deadlineMs} too late`;
    found('leak', `${session} heard an event ${late}`);
  }
}

/** The end of the first stretch without trouble that is long enough. */
function calmAfter(atMs: number, troubles: readonly Trouble[]): number {
  let calmFromMs = atMs;
  const inOrder = [...troubles].sort((one, other) => one.fromMs - other.fromMs);
  for (const { fromMs, toMs } of inOrder) {
    if (fromMs > calmFromMs + reachesWithinMs) break;
    calmFromMs = Math.max(calmFromMs, toMs);
  }
  return calmFromMs + reachesWithinMs;
}
