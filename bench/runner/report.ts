import { median, short } from './numbers.ts';
import type { Measure } from './scenario.ts';

/** `<name>: <median ratio>, worst <ratio>, aim <ratio>`. */
export function measureLine({ name, ratios, aim }: Measure): string {
  return `${name}: ${short(median(ratios))}, worst ${short(Math.min(...ratios))}, aim ${short(aim)}`;
}

/** Whether the median reaches the aim, and the worst round its floor. */
export function isReached({ ratios, aim, floor }: Measure): boolean {
  return median(ratios) >= aim && Math.min(...ratios) >= floor;
}

/** The one of several that is furthest from its aim. */
export function weakest(measures: readonly Measure[]): Measure | undefined {
  const share = ({ ratios, aim }: Measure): number => median(ratios) / aim;
  return [...measures].sort((one, other) => share(one) - share(other))[0];
}

/** All lines of a report; the last one is that of the last measure. */
export function reportLines(measures: readonly Measure[], table: readonly string[]): string[] {
  return [
    ...table,
    ...measures.flatMap((measure) => [
      `  (${measure.what}${isReached(measure) ? '' : '; MISSED'})`,
      measureLine(measure),
    ]),
  ];
}
