/** What a value from outside may be. */
export interface Extent {
  readonly depthMax: number;
  /** Lists and objects count, beside what is in them. */
  readonly valuesMax: number;
}

/** In what a value of JSON is too large; null where it is not. Takes no stack, however it nests. */
export function excessOf(value: unknown, { depthMax, valuesMax }: Extent): keyof Extent | null {
  let level = [value];
  let count = 1;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return 'depthMax';
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      const inner: unknown[] = Object.values(item);
      count += inner.length;
      if (count > valuesMax) return 'valuesMax';
      for (const one of inner) next.push(one);
    }
    level = next;
  }
  return null;
}
