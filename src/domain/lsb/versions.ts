/** A client's version: numbers, the most significant first, and what comes before a release. */
export interface Version {
  readonly numbers: readonly number[];
  /** Empty: a release. */
  readonly before: readonly string[];
}

/** As of semver.org, but for one to four numbers, and a `v` in front. What stands behind a `+` says nothing. */
const pattern = /^v?(\d{1,9}(?:\.\d{1,9}){0,3})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+.*)?$/;

/** Null: it is no version. */
export function parseVersion(text: string): Version | null {
  const [, numbers, before] = pattern.exec(text.trim()) ?? [];
  if (numbers === undefined) return null;
  return { numbers: numbers.split('.').map(Number), before: before?.split('.') ?? [] };
}

/** Below 0: the first is older. Missing numbers are 0; what comes before a release is older than it. */
export function compareVersions(a: Version, b: Version): number {
  for (let index = 0; index < Math.max(a.numbers.length, b.numbers.length); index += 1) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.before.length === 0 || b.before.length === 0) return b.before.length - a.before.length;
  for (let index = 0; index < Math.min(a.before.length, b.before.length); index += 1) {
    const difference = comparePart(a.before[index] ?? '', b.before[index] ?? '');
    if (difference !== 0) return difference;
  }
  return a.before.length - b.before.length;
}

/** Numbers by their value, and before words. */
function comparePart(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && isOtherNumber) return Number(a) - Number(b);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
