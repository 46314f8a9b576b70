/**
 * Something that lives: constructed without I/O, started once, stopped once.
 * `stop` is idempotent, never throws, and leaves no timer, socket or process behind.
 */
export interface Lifecycle {
  start(): Promise<void>;
  /** @param graceMs how long work under way may take to finish by itself. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts parts in order and stops them in reverse order. A part that fails to start stops
 * those that had started, and the failure is thrown on.
 */
export async function startInOrder(
  parts: readonly Lifecycle[],
): Promise<(graceMs: number) => Promise<void>> {
  const started: Lifecycle[] = [];
  const stop = async (graceMs: number): Promise<void> => {
    for (let part = started.pop(); part; part = started.pop()) await part.stop(graceMs);
  };
  for (const part of parts) {
    try {
      await part.start();
      started.push(part);
    } catch (error) {
      await stop(0);
      throw error;
    }
  }
  return stop;
}
