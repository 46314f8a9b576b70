/** A broken assertion: always our bug, never the caller's. It is masked outside and logged inside. */
export class AssertionError extends Error {
  override name = 'AssertionError';
}

/**
 * States what must hold if our own code is right. Bad input gets a Fault instead.
 * @throws {AssertionError} when `condition` does not hold.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/**
 * A value that our own code guarantees to be there.
 * @throws {AssertionError} when it is null or undefined.
 */
export function present<T>(value: T | null | undefined, message: string): T {
  assert(value !== null && value !== undefined, message);
  return value;
}

/** Makes the compiler prove that a switch names every case. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
