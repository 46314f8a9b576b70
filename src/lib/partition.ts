/** Numbers `first` to `last`, both included, and whose they are. */
export interface OwnedRange {
  readonly first: number;
  readonly last: number;
  readonly owner: number;
}

/**
 * Reads a partition like `0-511=0,512-1023=1`: the numbers below `size`, each with exactly one of
 * `owners` owners, counted from 0, and each owner with a number.
 * @returns the ranges as given, or what is wrong, to be read after the name of the setting.
 */
export function parsePartition(
  text: string,
  size: number,
  owners: number,
): { readonly ranges: readonly OwnedRange[] } | { readonly mistake: string } {
  const ranges: OwnedRange[] = [];
  const isGiven = new Array<boolean>(size).fill(false);
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,9})(?:-(\d{1,9}))?=(\d{1,9})\s*$/.exec(part);
    if (!match) return { mistake: 'must look like 0-511=0,512-1023=1' };
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    const owner = Number(match[3]);
    if (first > last || last >= size) {
      return { mistake: `must name rising ranges within 0-${size - 1}, not ${part.trim()}` };
    }
    if (owner >= owners)
      return { mistake: `names ${owner}, but counted from 0 there are ${owners}` };
    const twice = isGiven.indexOf(true, first);
    if (twice >= 0 && twice <= last) return { mistake: `gives ${twice} twice` };
    isGiven.fill(true, first, last + 1);
    ranges.push({ first, last, owner });
  }
  const free = isGiven.indexOf(false);
  if (free >= 0) return { mistake: `leaves out ${free}` };
  for (let owner = 0; owner < owners; owner += 1) {
    if (!ranges.some((range) => range.owner === owner))
      return { mistake: `gives nothing to ${owner}` };
  }
  return { ranges };
}
