/** The numbers 0 to `size − 1`, each with its owner: `owners[number]`. */
export type Partition = { readonly owners: readonly number[] } | { readonly mistake: string };

/**
 * Reads a partition like `0-511=0,512-1023=1`: numbers or ranges, both ends included, and whose
 * they are. Each number has exactly one owner, and each owner from 0 to `owners − 1` a number.
 * @returns the owners, or what is wrong, to be read after the name of the setting.
 */
export function parsePartition(text: string, size: number, owners: number): Partition {
  const ownerOf = new Array<number | undefined>(size).fill(undefined);
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
    const twice = ownerOf.findIndex(
      (given, at) => at >= first && at <= last && given !== undefined,
    );
    if (twice >= 0) return { mistake: `gives ${twice} twice` };
    ownerOf.fill(owner, first, last + 1);
  }
  const free = ownerOf.indexOf(undefined);
  if (free >= 0) return { mistake: `leaves out ${free}` };
  for (let owner = 0; owner < owners; owner += 1) {
    if (!ownerOf.includes(owner)) return { mistake: `gives nothing to ${owner}` };
  }
  return { owners: ownerOf.filter((owner) => owner !== undefined) };
}

/** Equal ranges, in the owners' order. */
export function equalPartition(size: number, owners: number): readonly number[] {
  return Array.from({ length: size }, (_, at) => Math.floor((at * owners) / size));
}
