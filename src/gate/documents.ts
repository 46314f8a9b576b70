import type { MayRead, Prepared } from './api.ts';

/** Documents kept ready. */
const documentsMax = 1_000;
/** Longer texts are prepared each time: nobody sends one often. */
const textCharsMax = 16_384;

/**
 * Keeps prepared documents by their text, refused ones too, the least recently used going first: parsing and
 * validating cost more than most executions.
 * @param prepare must answer the same for the same text.
 * @returns what it answers, or why a text that is not kept may not be read.
 */
export function cachedByText(
  prepare: (text: string) => Prepared,
): (text: string, mayRead: MayRead) => Prepared {
  const cache = new Map<string, Prepared>();
  return (text, mayRead) => {
    const known = cache.get(text);
    if (known) {
      cache.delete(text);
      cache.set(text, known);
      return known;
    }
    const errors = mayRead();
    if (errors) return { errors };
    const prepared = prepare(text);
    if (text.length > textCharsMax) return prepared;
    cache.set(text, prepared);
    if (cache.size > documentsMax) {
      const [oldest] = cache.keys();
      if (oldest !== undefined) cache.delete(oldest);
    }
    return prepared;
  };
}
