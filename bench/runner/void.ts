/** Something happened that makes the figures worthless: a wrong answer, a lost delivery, a busy machine. */
export class VoidRun extends Error {
  override name = 'VoidRun';
}

/** @throws {VoidRun} where it does not hold. */
export function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new VoidRun(what);
}
